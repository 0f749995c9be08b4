"""Batches from dialogues that are drawn as they are needed.

Dialogues of like length go into one batch of about `tokens` tokens, so that
little is padding. Every worker draws from a seed of its own.
"""
import random

import numpy as np

import dialogue
import template

PAD = 0


def encode(tokenizer, d, rng):
    """(ids, weights): weight 1 for what the assistant says, more for the
    first token of a tool's name, a little for some of the rest."""
    ids, weights = [], []
    light = rng.random() < .3
    for text, special, kind in template.render(d):
        got = [tokenizer.special(text)] if special else \
            tokenizer.encode(text)
        w = 1.0 if kind != "given" else (.2 if light else 0.0)
        some = [w] * len(got)
        if kind == "call" and not special:
            head = len(tokenizer.encode('{"name": "'))
            some[head] = 3.0
        ids += got
        weights += some
    return ids, weights


def curriculum(share):
    """(most tools, mean turns, longest) at this share of the training."""
    if share < .1:
        return 2, 2, 384
    if share < .25:
        return 4, 3, 1024
    if share < .7:
        return 8, 4, 1024
    return 8, 5, 1280


def batches(tokenizer, seed, tokens, share_of):
    """Endless (ids, targets, weights) arrays [rows, time]. share_of() tells
    how far the training is."""
    rng = random.Random(seed)
    while True:
        tools, turns, longest = curriculum(share_of())
        pool = []
        while sum(len(p[0]) for p in pool) < tokens * 8:
            d = dialogue.draw(rng, False, tools, turns)
            ids, weights = encode(tokenizer, d, rng)
            pool.append((ids[:longest], weights[:longest]))
        pool.sort(key=lambda p: len(p[0]))
        made, at = [], 0
        while at < len(pool):
            to = at + 1
            while to < len(pool) and \
                    len(pool[to][0]) * (to + 1 - at) <= tokens:
                to += 1
            made.append(pack(pool[at:to]))
            at = to
        rng.shuffle(made)
        yield from made


MICRO = 2048  # tokens that the caches of a processor hold well


def rows_of(tokenizer, seed, tokens, share_of):
    """Endless lists of small batches, `tokens` in all: (ids, targets,
    weights, starts), rows one after another."""
    rng = random.Random(seed)
    while True:
        parts, count = [], 0
        while count < tokens:
            tools, turns, longest = curriculum(share_of())
            rows, held = [], 0
            while held < MICRO:
                d = dialogue.draw(rng, False, tools, turns)
                ids, weights = encode(tokenizer, d, rng)
                rows.append((ids[:longest], weights[:longest]))
                held += len(rows[-1][0]) - 1
            parts.append(pack_flat(rows))
            count += held
        yield parts


def pack_flat(rows):
    ids = np.concatenate([r[0][:-1] for r in rows])
    targets = np.concatenate([r[0][1:] for r in rows])
    weights = np.concatenate([r[1][1:] for r in rows])
    starts = np.cumsum([0] + [len(r[0]) - 1 for r in rows])
    return (ids.astype(np.int64), targets.astype(np.int64),
            weights.astype(np.float32), starts.astype(np.int32))


def pack(rows):
    time = max(len(r[0]) for r in rows) - 1
    ids = np.full((len(rows), time), PAD, np.int64)
    targets = np.full((len(rows), time), PAD, np.int64)
    weights = np.zeros((len(rows), time), np.float32)
    for i, (row, w) in enumerate(rows):
        ids[i, :len(row) - 1] = row[:-1]
        targets[i, :len(row) - 1] = row[1:]
        weights[i, :len(row) - 1] = w[1:]
    return ids, targets, weights
