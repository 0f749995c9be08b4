#!/usr/bin/env python3
"""Train the model: train.py [--size full|small] [--tokens N] [--hours H]

Runs on one GPU if there is one, else on --ranks processes of one thread,
whose gradients are averaged; with AVX-512 and bfloat16 by fast.py, else by
PyTorch alone. A checkpoint is written every few minutes and
taken up again; --tokens or --hours, whichever is over first, ends it.
"""
import argparse
import contextlib
import json
import os
import time

# Buffers of a step are used again, not given back to the system.
os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", "1000000000")
os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", "4000000000")

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

import fast
from model import SIZES, Model
from muon import Muon
from stream import batches, rows_of
from tokens import Tokenizer


def options():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--size", choices=SIZES, default="full")
    p.add_argument("--tokens", type=float, default=1e8)
    p.add_argument("--hours", type=float, default=24.0)
    p.add_argument("--batch", type=int, default=0, help="tokens a step")
    p.add_argument("--lr", type=float, default=.012)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--ranks", type=int, default=2)
    p.add_argument("--vocab", default="vocab.json")
    p.add_argument("--out", default="model.pt")
    p.add_argument("--save-minutes", type=float, default=5)
    p.add_argument("--slow", action="store_true",
                   help="PyTorch alone, though fast.py would run")
    o = p.parse_args()
    cuda = torch.cuda.is_available()
    o.batch = o.batch or (131072 if cuda else 8192)
    o.ranks = 1 if cuda else o.ranks
    o.fast = not cuda and not o.slow and fast.possible()
    return o


class Clock:
    """How far the training is: by tokens or by time, whichever is more."""

    def __init__(self, o, seen=0, spent=0.0):
        self.o, self.seen, self.spent = o, seen, spent
        self.began = time.time()

    def seconds(self):
        return self.spent + time.time() - self.began

    def share(self):
        return max(self.seen / self.o.tokens,
                   self.seconds() / (self.o.hours * 3600))


def schedule(share):
    """Constant, then linear to nothing over the last 60 %."""
    return min(1.0, max(0.0, (1 - share) / .6))


def optimizers(model, o, rank):
    matrices = [p for n, p in model.named_parameters()
                if p.dim() == 2 and "embed" not in n]
    others = [p for n, p in model.named_parameters()
              if p.dim() < 2 or "embed" in n]
    return [Muon(matrices, o.lr, rank=rank, ranks=o.ranks),
            torch.optim.AdamW(others, 4e-3, betas=(.9, .97),
                              weight_decay=0.0)]


def save(path, model, opts, clock, o):
    state = {"config": model.config.as_dict(), "model": model.state_dict(),
             "opts": [x.state_dict() for x in opts], "seen": clock.seen,
             "spent": clock.seconds(), "seed": o.seed}
    torch.save(state, path + ".new")
    os.replace(path + ".new", path)


def slow_gradients(model, data, device):
    """Of one batch, rows of one length: (mean loss, tokens)."""
    ids, targets, weights = (torch.from_numpy(a).to(device) for a in data)
    half = torch.autocast("cuda", torch.bfloat16) if device == "cuda" \
        else contextlib.nullcontext()
    with half:
        loss = model.loss(ids, targets, weights)
    loss.backward()
    return loss.item(), ids.numel()


def fast_gradients(engine, parts):
    """Of several small batches without padding: (mean loss, tokens)."""
    parts = [[torch.from_numpy(a) for a in part] for part in parts]
    whole = sum(float(weights.sum()) for _, _, weights, _ in parts)
    engine.refresh()
    loss = sum(engine.step(*part, 1 / whole) for part in parts)
    return loss / whole, sum(p[0].shape[0] for p in parts)


def average(model, ranks):
    flat = torch.cat([p.grad.reshape(-1) for p in model.parameters()])
    dist.all_reduce(flat)
    flat /= ranks
    at = 0
    for p in model.parameters():
        p.grad.copy_(flat[at:at + p.numel()].view_as(p))
        at += p.numel()


def update(model, opts, o, seen, share):
    if o.ranks > 1:
        average(model, o.ranks)
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    warm = min(1.0, (seen + 1) / 5e5)
    for opt, base in zip(opts, (o.lr, 4e-3)):
        for group in opt.param_groups:
            group["lr"] = base * warm * schedule(share)
            if "momentum" in group:
                group["momentum"] = .85 + .1 * min(1.0, share / .1)
        opt.step()
        opt.zero_grad(set_to_none=not o.fast)


def work(rank, o):
    ranks = o.ranks
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu":
        torch.set_num_threads(1)
    if ranks > 1:
        os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
        os.environ.setdefault("MASTER_PORT", "29511")
        dist.init_process_group("gloo", rank=rank, world_size=ranks)
    tokenizer = Tokenizer.load(o.vocab)
    torch.manual_seed(o.seed)
    model = Model(SIZES[o.size]).to(device)
    opts = optimizers(model, o, rank)
    clock = Clock(o)
    if os.path.exists(o.out):
        state = torch.load(o.out, map_location=device)
        model.load_state_dict(state["model"])
        for opt, s in zip(opts, state["opts"]):
            opt.load_state_dict(s)
        clock = Clock(o, state["seen"], state["spent"])
    if rank == 0:
        n = sum(p.numel() for p in model.parameters())
        print("%d parameters on %s, %d ranks" % (n, device, ranks))
    draws = rows_of if o.fast else batches
    source = draws(tokenizer, o.seed * 1000 + rank + clock.seen,
                   o.batch // ranks, clock.share)
    if o.fast:
        engine = fast.Fast(model)
        run(rank, o, model, opts, clock,
            lambda: fast_gradients(engine, next(source)))
    else:
        run(rank, o, model, opts, clock,
            lambda: slow_gradients(model, next(source), device))


def run(rank, o, model, opts, clock, gradients):
    saved = told = time.time()
    mean, steps = 0.0, 0
    while True:
        # all ranks must agree on the rate and the end: the first decides
        share = torch.tensor([clock.share()])
        if o.ranks > 1:
            dist.broadcast(share, 0)
        if share.item() >= 1:
            break
        loss, n = gradients()
        update(model, opts, o, clock.seen, share.item())
        clock.seen += n * o.ranks
        steps += 1
        mean += (loss - mean) / min(steps, 50)
        if rank == 0 and time.time() - told > 20:
            told = time.time()
            print(json.dumps({
                "seen": clock.seen, "share": round(clock.share(), 4),
                "loss": round(mean, 4), "per_second": round(
                    (clock.seen) / clock.seconds())}), flush=True)
        if rank == 0 and time.time() - saved > o.save_minutes * 60:
            saved = time.time()
            save(o.out, model, opts, clock, o)
    if rank == 0:
        save(o.out, model, opts, clock, o)


def main():
    o = options()
    if o.ranks > 1:
        mp.spawn(work, args=(o,), nprocs=o.ranks)
    else:
        work(0, o)


if __name__ == "__main__":
    main()
