"""Muon: momentum whose update is made orthogonal by Newton-Schulz steps.

For the matrices; embeddings and norms go with AdamW (train.py).
"""
import torch
import torch.distributed as dist


def orthogonal(g, steps=5):
    """Nearest orthogonal matrix, roughly: singular values near 1."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g.float()
    tall = x.shape[0] > x.shape[1]
    x = x.t() if tall else x
    x = (x / (x.norm() + 1e-7)).bfloat16()
    for _ in range(steps):
        y = x @ x.t()
        x = a * x + (b * y + c * y @ y) @ x
    return (x.t() if tall else x).float()


class Muon(torch.optim.Optimizer):
    """With several ranks each works out its share of the updates and the
    others get them; momentum is the same everywhere."""

    def __init__(self, params, lr=.01, momentum=.95, rank=0, ranks=1):
        super().__init__(list(params), {"lr": lr, "momentum": momentum})
        self.rank, self.ranks = rank, ranks

    def _update(self, p, momentum):
        state = self.state[p]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(p)
        m = state["momentum"]
        m.mul_(momentum).add_(p.grad)
        return p.grad + momentum * m

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            raw = [self._update(p, group["momentum"]) for p in params]
            done = [orthogonal(g) if i % self.ranks == self.rank
                    else torch.zeros_like(g) for i, g in enumerate(raw)]
            if self.ranks > 1:
                flat = torch.cat([g.reshape(-1) for g in done])
                dist.all_reduce(flat)
                parts = flat.split([g.numel() for g in done])
                done = [a.view_as(g) for a, g in zip(parts, done)]
            for p, update in zip(params, done):
                scale = max(1, p.shape[0] / p.shape[1]) ** .5
                p.mul_(1 - group["lr"] * .01)
                p.add_(update.to(p.dtype), alpha=-group["lr"] * scale)
