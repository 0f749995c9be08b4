"""The same training step as model.py's, by hand and in bfloat16, for CPUs
with AVX-512: three to six times as fast there.

The matrix products are PyTorch's (oneDNN), the rest is fast.c, which is
built on first use. Sequences lie one after another, so nothing is padding.
`fast.py` alone holds its gradients against PyTorch's own.
"""
import ctypes
import math
import os
import subprocess
import tempfile

import numpy as np
import torch

from model import rotary

HERE = os.path.dirname(os.path.abspath(__file__))


def possible():
    """Whether this machine can run it."""
    try:
        with open("/proc/cpuinfo") as f:
            return "avx512_bf16" in f.read()
    except OSError:
        return False


def library():
    folder = os.path.join(tempfile.gettempdir(), "errand-fast-%d" %
                          os.getuid())
    os.makedirs(folder, mode=0o700, exist_ok=True)
    source, built = os.path.join(HERE, "fast.c"), os.path.join(
        folder, "fast.so")
    if not os.path.exists(built) or \
            os.path.getmtime(built) < os.path.getmtime(source):
        new = "%s.%d" % (built, os.getpid())
        subprocess.run(["cc", "-O3", "-march=native", "-ffast-math",
                        "-fno-finite-math-only", "-shared", "-fPIC", source,
                        "-o", new, "-lm"], check=True)
        os.replace(new, built)
    lib = ctypes.CDLL(built)
    lib.losses.restype = ctypes.c_double
    return lib


def at(tensor):
    return ctypes.c_void_p(tensor.data_ptr())


F = ctypes.c_float


class Fast:
    """step() adds the gradients of a batch to those of a model."""

    def __init__(self, model):
        self.model, self.c, self.lib = model, model.config, library()
        cos, sin = rotary(self.c, self.c.context, "cpu")
        self.cos, self.sin = cos.contiguous(), sin.contiguous()
        for p in model.parameters():
            p.grad = torch.zeros_like(p)

    def refresh(self):
        """The weights in bfloat16; after every step of the optimizer."""
        self.low = []
        for b in self.model.blocks:
            self.low.append(tuple(w.detach().bfloat16() for w in (
                torch.cat([b.q.weight, b.k.weight, b.v.weight]), b.o.weight,
                torch.cat([b.gate.weight, b.up.weight]), b.down.weight)))
        self.table = self.model.embed.weight.detach().bfloat16()

    def norm(self, x, more, weight, kept):
        out = torch.empty(x.shape, dtype=torch.bfloat16)
        rms = torch.empty(x.shape[0])
        self.lib.norm(at(x), at(more) if more is not None else None,
                      at(weight), at(out), at(rms), x.shape[0], x.shape[1],
                      F(self.c.eps))
        kept.append((x.clone(), rms))
        return out

    def norm_back(self, kept, norm, dout, dx):
        x, rms = kept.pop()
        low = torch.empty(dx.shape, dtype=torch.bfloat16)
        self.lib.norm_back(at(x), at(norm.weight), at(rms), at(dout), at(dx),
                           at(norm.weight.grad), at(low), x.shape[0],
                           x.shape[1])
        return low

    def forward(self, ids, starts, longest):
        c, n = self.c, ids.shape[0]
        x = torch.empty(n, c.dim)
        self.lib.embed(at(self.model.embed.weight), at(ids), at(x), n, c.dim)
        norms, kept, more = [], [], None
        for b, (qkv_w, o_w, gu_w, down_w) in zip(self.model.blocks,
                                                 self.low):
            h = self.norm(x, more, b.attn_norm.weight, norms)
            qkv = h @ qkv_w.t()
            o = torch.empty(n, c.heads * 32, dtype=torch.bfloat16)
            lse = torch.empty(n, c.heads)
            if self.lib.attention(
                    at(qkv), at(starts), starts.shape[0] - 1, longest,
                    c.heads, c.kv_heads, at(self.cos), at(self.sin), at(o),
                    at(lse)):
                raise MemoryError
            h2 = self.norm(x, o @ o_w.t(), b.ffn_norm.weight, norms)
            gu = h2 @ gu_w.t()
            a = torch.empty(n, c.hidden, dtype=torch.bfloat16)
            self.lib.gate(at(gu), at(a), n, c.hidden)
            more = a @ down_w.t()
            kept.append((h, qkv, o, lse, h2, gu, a))
        return self.norm(x, more, self.model.norm.weight, norms), norms, kept

    def step(self, ids, targets, weights, starts, scale):
        """Sum of the weighted losses; gradients are of it times scale."""
        c, n = self.c, ids.shape[0]
        longest = int((starts[1:] - starts[:-1]).max())
        out, norms, kept = self.forward(ids, starts, longest)
        rows = weights.nonzero()[:, 0]
        some = out[rows]
        logits = some @ self.table.t()
        wanted, counted = targets[rows], weights[rows]
        total = self.lib.losses(at(logits), at(wanted), at(counted),
                                F(scale), rows.shape[0], c.vocab)
        if math.isnan(total):
            raise MemoryError
        table_grad = self.model.embed.weight.grad
        table_grad += logits.t() @ some
        dout = torch.zeros(n, c.dim, dtype=torch.bfloat16)
        dout[rows] = logits @ self.table
        dx = torch.zeros(n, c.dim)
        low = self.norm_back(norms, self.model.norm, dout, dx)
        for b, weights_, held in zip(reversed(self.model.blocks),
                                     reversed(self.low), reversed(kept)):
            low = self.block_back(b, weights_, held, norms, low, dx, starts,
                                  longest)
        self.lib.embed_back(at(dx), at(ids), at(table_grad), n, c.dim)
        return total

    def block_back(self, b, weights, held, norms, low, dx, starts, longest):
        c, n = self.c, dx.shape[0]
        qkv_w, o_w, gu_w, down_w = weights
        h, qkv, o, lse, h2, gu, a = held
        da = low @ down_w
        b.down.weight.grad += low.t() @ a
        dgu = torch.empty_like(gu)
        self.lib.gate_back(at(gu), at(da), at(dgu), n, c.hidden)
        both = dgu.t() @ h2
        b.gate.weight.grad += both[:c.hidden]
        b.up.weight.grad += both[c.hidden:]
        low = self.norm_back(norms, b.ffn_norm, dgu @ gu_w, dx)
        do = low @ o_w
        b.o.weight.grad += low.t() @ o
        dqkv = torch.empty_like(qkv)
        if self.lib.attention_back(
                at(qkv), at(starts), starts.shape[0] - 1, longest, c.heads,
                c.kv_heads, at(self.cos), at(self.sin), at(o), at(lse),
                at(do), at(dqkv)):
            raise MemoryError
        three = dqkv.t() @ h
        q, k = c.heads * 32, c.kv_heads * 32
        b.q.weight.grad += three[:q]
        b.k.weight.grad += three[q:q + k]
        b.v.weight.grad += three[q + k:]
        return self.norm_back(norms, b.attn_norm, dqkv @ qkv_w, dx)


def check():
    """The gradients of fast and of slow, on random sequences."""
    from model import SIZES, Model
    torch.manual_seed(3)
    torch.set_num_threads(1)
    model = Model(SIZES["small"])
    lengths = [5, 16, 33, 100, 1, 250]
    starts = torch.tensor(np.cumsum([0] + lengths), dtype=torch.int32)
    n = int(starts[-1])
    ids, targets = torch.randint(2048, (n,)), torch.randint(2048, (n,))
    weights = (torch.rand(n) < .5).float() * torch.rand(n)
    total = 0.0
    for i in range(len(lengths)):
        part = slice(starts[i], starts[i + 1])
        if weights[part].sum() > 0:
            total = total + model.loss(
                ids[None, part], targets[None, part],
                weights[None, part]) * weights[part].sum()
    (total / n).backward()
    slow = {k: p.grad.clone() for k, p in model.named_parameters()}
    fast = Fast(model)
    fast.refresh()
    got = fast.step(ids, targets, weights, starts, 1 / n)
    print("loss %.5f against %.5f" % (got / n, total.item() / n))
    worst = 0.0
    for name, p in model.named_parameters():
        off = ((p.grad - slow[name]).norm() / slow[name].norm()).item()
        worst = max(worst, off)
    print("gradients: at most %.4f of their length off" % worst)
    if worst > .03 or abs(got - total.item()) > .003 * total.item():
        raise SystemExit("the two do not agree")


if __name__ == "__main__":
    check()
