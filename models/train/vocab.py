#!/usr/bin/env python3
"""Learn the vocabulary: vocab.py [OUT.json]

Merges are of three kinds, so that a value has the same tokens in prose and
in JSON and copying it is easy: letters with letters; JSON punctuation with
JSON punctuation; and, last of all, the space before some sixty common words.
Digits stay single.
"""
import collections
import random
import sys

import dialogue
import template
from tokens import SPECIAL, Tokenizer, byte_letters, pieces

SIZE = 2048
SPACED = 60
DIALOGUES = 12000
JSON_MARKS = ['{"', '":', '",', '"}', '"}}', ' "', ' {"', '}}', ' {', '[]',
              '{}', '."', '],', '["', ' ["', '"]', '":[', '":{"', '","',
              '":"', '\n\n', '.\n', ':\n', ' (', '):', '),', ').', ',\n',
              '://']


def count_words(rng):
    """How often each run of letters comes, alone and after a space."""
    words, spaced = collections.Counter(), collections.Counter()
    for _ in range(DIALOGUES):
        for text, is_special, _ in template.render(dialogue.draw(rng)):
            if is_special:
                continue
            for piece in pieces(text):
                word = piece.lstrip("".join(
                    c for c in piece if not c.isalpha()))
                if word.isalpha():
                    words[word] += 1
                    if piece == " " + word:
                        spaced[word] += 1
    return words, spaced


def learn(words, count):
    """BPE over words of letters: the most frequent pair, again and again."""
    letters = byte_letters()
    split = {w: [letters[b] for b in w.encode()] for w in words}
    pairs, where = collections.Counter(), collections.defaultdict(set)
    for w, parts in split.items():
        for pair in zip(parts, parts[1:]):
            pairs[pair] += words[w]
            where[pair].add(w)
    merges = []
    while len(merges) < count:
        pair = max(pairs, key=lambda p: (pairs[p], p))
        merges.append(pair)
        for w in list(where[pair]):
            _apply(split, w, pair, words[w], pairs, where)
        del pairs[pair]
    return merges


def _apply(split, w, pair, n, pairs, where):
    old = split[w]
    for p in zip(old, old[1:]):
        pairs[p] -= n
        where[p].discard(w)
    new, i = [], 0
    while i < len(old):
        if i + 1 < len(old) and (old[i], old[i + 1]) == pair:
            new.append(old[i] + old[i + 1])
            i += 2
        else:
            new.append(old[i])
            i += 1
    split[w] = new
    for p in zip(new, new[1:]):
        pairs[p] += n
        where[p].add(w)


def marks():
    """Merges that build the JSON marks, pair by pair."""
    letters, out = byte_letters(), []
    for mark in sorted(JSON_MARKS, key=len):
        parts = [letters[b] for b in mark.encode()]
        known = {a + b for a, b in out}
        while len(parts) > 1:
            at = next((i for i in range(len(parts) - 1)
                       if parts[i] + parts[i + 1] in known), 0)
            pair = (parts[at], parts[at + 1])
            if pair[0] + pair[1] not in known:
                out.append(pair)
                known.add(pair[0] + pair[1])
            parts[at:at + 2] = [pair[0] + pair[1]]
    return out


def main():
    out = sys.argv[1] if len(sys.argv) > 1 else "vocab.json"
    words, spaced = count_words(random.Random(1))
    words = {w: n for w, n in words.items() if n >= 8}
    punctuation = marks()
    count = SIZE - 256 - len(SPECIAL) - SPACED - len(punctuation)
    merges = learn(words, count)
    made = {a + b for a, b in merges}
    space = byte_letters()[32]
    common = [w for w, _ in spaced.most_common(400)
              if len(w) == 1 or w in made][:SPACED]
    merges += punctuation + [(space, w) for w in common]
    tokenizer = Tokenizer(merges)
    assert len(tokenizer.words) == SIZE, len(tokenizer.words)
    tokenizer.save(out)
    print("vocabulary of %d in %s" % (SIZE, out))


if __name__ == "__main__":
    main()
