"""The network, in PyTorch: Llama's architecture, small.

Shapes: x [batch, time, dim]; ids [batch, time]. Rotary embedding in halves
here; export.py permutes the rows of q and k for GGUF's interleaved form.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn


class Config:
    vocab, dim, layers, heads, kv_heads, hidden = 2048, 256, 8, 8, 4, 704
    head_dim, rope_base, eps, context = 32, 10000.0, 1e-5, 4096

    def __init__(self, **changes):
        for name, value in changes.items():
            getattr(self, name)  # a wrong name is an error
            setattr(self, name, value)

    def as_dict(self):
        names = [n for n in dir(Config) if n[0] != "_" and n != "as_dict"]
        return {n: getattr(self, n) for n in names}


SIZES = {
    "small": Config(dim=192, layers=6, heads=6, kv_heads=3, hidden=512),
    "full": Config(),
}


def rotary(config, time, device):
    """cos and sin [time, head_dim / 2]."""
    half = config.head_dim // 2
    steps = torch.arange(half, device=device).float() / half
    angle = torch.arange(time, device=device).float()[:, None] * \
        config.rope_base ** -steps[None, :]
    return angle.cos(), angle.sin()


def rotate(x, cos, sin):
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


class Norm(nn.Module):
    def __init__(self, dim, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(dim)), eps

    def forward(self, x):
        y = x.float()
        y = y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + self.eps)
        return (y * self.weight).to(x.dtype)


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c = c
        self.attn_norm, self.ffn_norm = Norm(c.dim, c.eps), Norm(c.dim, c.eps)
        wide, narrow = c.heads * c.head_dim, c.kv_heads * c.head_dim
        self.q = nn.Linear(c.dim, wide, bias=False)
        self.k = nn.Linear(c.dim, narrow, bias=False)
        self.v = nn.Linear(c.dim, narrow, bias=False)
        self.o = nn.Linear(wide, c.dim, bias=False)
        self.gate = nn.Linear(c.dim, c.hidden, bias=False)
        self.up = nn.Linear(c.dim, c.hidden, bias=False)
        self.down = nn.Linear(c.hidden, c.dim, bias=False)

    def attend(self, x, cos, sin):
        c, (batch, time, _) = self.c, x.shape

        def heads(y, n):
            return y.view(batch, time, n, c.head_dim).transpose(1, 2)
        q = rotate(heads(self.q(x), c.heads), cos, sin)
        k = rotate(heads(self.k(x), c.kv_heads), cos, sin)
        v = heads(self.v(x), c.kv_heads)
        group = c.heads // c.kv_heads
        k = k.repeat_interleave(group, dim=1)
        v = v.repeat_interleave(group, dim=1)
        if hasattr(F, "scaled_dot_product_attention"):
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            score = q @ k.transpose(-1, -2) / math.sqrt(c.head_dim)
            hide = torch.ones(time, time, dtype=torch.bool,
                              device=x.device).triu(1)
            y = score.masked_fill(hide, -1e30).softmax(-1) @ v
        return self.o(y.transpose(1, 2).reshape(batch, time, -1))

    def forward(self, x, cos, sin):
        x = x + self.attend(self.attn_norm(x), cos, sin)
        y = self.ffn_norm(x)
        return x + self.down(F.silu(self.gate(y)) * self.up(y))


class Model(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embed = nn.Embedding(config.vocab, config.dim)
        self.blocks = nn.ModuleList(Block(config)
                                    for _ in range(config.layers))
        self.norm = Norm(config.dim, config.eps)
        self.reset()

    def reset(self):
        for name, p in self.named_parameters():
            if p.dim() < 2:
                continue
            scale = .02 if "embed" in name else p.shape[1] ** -.5
            if name.endswith(("o.weight", "down.weight")):
                scale /= math.sqrt(2 * self.config.layers)
            nn.init.normal_(p, std=scale)

    def hidden(self, ids):
        cos, sin = rotary(self.config, ids.shape[1], ids.device)
        x = self.embed(ids)
        cos, sin = cos.to(x.dtype), sin.to(x.dtype)
        for block in self.blocks:
            x = block(x, cos, sin)
        return self.norm(x)

    def forward(self, ids):
        return F.linear(self.hidden(ids), self.embed.weight)

    def loss(self, ids, targets, weights):
        """Weighted mean of the cross entropy; positions of weight 0 are
        not computed."""
        keep = weights.reshape(-1) > 0
        x = self.hidden(ids).reshape(-1, self.config.dim)[keep]
        logits = F.linear(x, self.embed.weight).float()
        losses = F.cross_entropy(logits, targets.reshape(-1)[keep],
                                 reduction="none")
        w = weights.reshape(-1)[keep]
        return (losses * w).sum() / w.sum()
