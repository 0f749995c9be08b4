"""The tokenizer: byte-level BPE, with pieces cut as llama-bpe cuts them.

vocab.py learns the merges; this file applies them. Ids: 256 bytes first,
then the merges in their order, then the special tokens.
"""
import json

SPECIAL = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>",
           "<|end_header_id|>", "<|eot_id|>", "<|python_tag|>",
           "<|reserved_0|>", "<|reserved_1|>"]


def byte_letters():
    """GPT-2's table: every byte as a printable letter."""
    keep = list(range(33, 127)) + list(range(161, 173)) + \
        list(range(174, 256))
    table, extra = {}, 0
    for b in range(256):
        if b in keep:
            table[b] = chr(b)
        else:
            table[b] = chr(256 + extra)
            extra += 1
    return table


CONTRACTIONS = ("'s", "'t", "'re", "'ve", "'m", "'ll", "'d")


def pieces(text):
    """Cut a text as the pre-tokenizer llama-bpe does."""
    out, at, end = [], 0, len(text)
    while at < end:
        to = _piece(text, at, end)
        out.append(text[at:to])
        at = to
    return out


def _letters(text, at, end):
    while at < end and text[at].isalpha():
        at += 1
    return at


def _piece(text, at, end):
    c = text[at]
    if c == "'":
        low = text[at:at + 3].lower()
        for suffix in CONTRACTIONS:
            if low.startswith(suffix):
                return at + len(suffix)
    if c.isalpha():
        return _letters(text, at, end)
    if c not in "\r\n" and not c.isnumeric() and at + 1 < end and \
            text[at + 1].isalpha():
        return _letters(text, at + 1, end)
    if c.isnumeric():
        to = at + 1
        while to < end and to < at + 3 and text[to].isnumeric():
            to += 1
        return to
    to = at + 1 if c == " " else at
    mark = to
    while to < end and not text[to].isspace() and \
            not text[to].isalpha() and not text[to].isnumeric():
        to += 1
    if to > mark:
        while to < end and text[to] in "\r\n":
            to += 1
        return to
    return _spaces(text, at, end)


def _spaces(text, at, end):
    """\\s*[\\r\\n]+ | \\s+(?!\\S) | \\s+"""
    to = at
    while to < end and text[to].isspace():
        to += 1
    last = max(text.rfind("\n", at, to), text.rfind("\r", at, to))
    if last >= 0:
        return last + 1
    if to < end and to - at > 1:
        return to - 1
    return to


class Tokenizer:
    def __init__(self, merges):
        self.merges = [tuple(m) for m in merges]
        letters = byte_letters()
        self.letters = letters
        self.words = [letters[b] for b in range(256)]
        self.words += [a + b for a, b in self.merges]
        self.first_special = len(self.words)
        self.words += SPECIAL
        self.ids = {w: i for i, w in enumerate(self.words)}
        self.rank = {m: i for i, m in enumerate(self.merges)}
        self.cache = {}
        self.bytes = {c: b for b, c in letters.items()}

    def _merge(self, piece):
        parts = [self.letters[b] for b in piece.encode()]
        while len(parts) > 1:
            best, where = None, -1
            for i in range(len(parts) - 1):
                rank = self.rank.get((parts[i], parts[i + 1]))
                if rank is not None and (best is None or rank < best):
                    best, where = rank, i
            if best is None:
                break
            parts[where:where + 2] = [parts[where] + parts[where + 1]]
        return [self.ids[p] for p in parts]

    def encode(self, text):
        """Ids of a text; special tokens in it are text."""
        out = []
        for piece in pieces(text):
            got = self.cache.get(piece)
            if got is None:
                got = self._merge(piece)
                if len(self.cache) < 200000:
                    self.cache[piece] = got
            out += got
        return out

    def special(self, word):
        return self.ids[word]

    def decode(self, ids):
        out = bytearray()
        for i in ids:
            if i >= self.first_special:
                out += self.words[i].encode()
            else:
                out += bytes(self.bytes[c] for c in self.words[i])
        return out.decode("utf-8", "replace")

    def save(self, path):
        with open(path, "w") as f:
            json.dump({"merges": self.merges}, f, ensure_ascii=False)

    @staticmethod
    def load(path):
        with open(path) as f:
            return Tokenizer(json.load(f)["merges"])
