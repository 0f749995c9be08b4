"""Muon: momentum whose update is made orthogonal by Newton-Schulz steps.

For the matrices; embeddings and norms go with AdamW (train.py).
"""
import torch


def orthogonal(g, steps=5):
    """Nearest orthogonal matrix, roughly: singular values near 1."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g.float()
    if g.is_cuda:
        x = x.bfloat16()
    tall = x.shape[0] > x.shape[1]
    x = x.t() if tall else x
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        y = x @ x.t()
        x = a * x + (b * y + c * y @ y) @ x
    return (x.t() if tall else x).float()


class Muon(torch.optim.Optimizer):
    def __init__(self, params, lr=.01, momentum=.95):
        super().__init__(list(params), {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(p)
                m = state["momentum"]
                m.mul_(group["momentum"]).add_(p.grad)
                update = orthogonal(p.grad + group["momentum"] * m)
                scale = max(1, p.shape[0] / p.shape[1]) ** .5
                p.mul_(1 - group["lr"] * .01)
                p.add_(update.to(p.dtype), alpha=-group["lr"] * scale)
