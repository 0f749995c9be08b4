"""Phrases with alternatives: the small language that all data is written in.

    [what is|what's] the weather in {city}[ today|]

[a|b|c] stands for one of the three, and may be nested; {name} for a slot
that the caller fills. A phrase is parsed once and then drawn from many
times.
"""


class Phrase:
    """One parsed phrase. Draw from it with pick(rng), which leaves the slots
    in; fill() puts values into what was drawn."""

    def __init__(self, text):
        self.text = text
        self.tree, end = _sequence(text, 0, "")
        if end != len(text):
            raise ValueError("unbalanced ] in phrase: " + text)

    def pick(self, rng):
        out = []
        _draw(self.tree, rng, out)
        return "".join(out)


def _sequence(text, at, stop):
    parts, start = [], at
    while at < len(text) and text[at] not in stop:
        if text[at] == "[":
            parts.append(text[start:at])
            choices, at = _choices(text, at + 1)
            parts.append(choices)
            start = at
        elif text[at] == "]":
            break
        else:
            at += 1
    parts.append(text[start:at])
    return [p for p in parts if p], at


def _choices(text, at):
    choices = []
    while True:
        part, at = _sequence(text, at, "|]")
        choices.append(part)
        if at >= len(text):
            raise ValueError("unbalanced [ in phrase: " + text)
        if text[at] == "]":
            return choices, at + 1
        at += 1


def _draw(parts, rng, out):
    for part in parts:
        if isinstance(part, str):
            out.append(part)
        else:
            _draw(part[rng.randrange(len(part))], rng, out)


def fill(text, values):
    """Put values into {slots}; other braces stay as they are."""
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


def lines(block):
    """The phrases of a block of text, one a line; empty lines count not."""
    return [Phrase(s.strip()) for s in block.strip().splitlines()
            if s.strip()]
