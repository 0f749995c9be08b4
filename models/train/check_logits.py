#!/usr/bin/env python3
"""PyTorch and errand give the same logits for the exported file:

    check_logits.py MODEL.pt ERRAND [--vocab vocab.json]

Exports as F32, asks `errand debug logits --exact`, compares 5 dialogues.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile

import torch

import dialogue
import stream
from model import Config, Model
from tokens import Tokenizer

MOST = 2e-3  # of logits whose size is 1 to 20


def ask(errand, path, ids, positions):
    case = json.dumps({"tokens": ids, "positions": positions})
    got = subprocess.run(
        [errand, "debug", "logits", "-m", path, "--exact", "--jsonl"],
        input=case + "\n", capture_output=True, text=True, check=True)
    return torch.tensor(json.loads(got.stdout)["logits"])


def main():
    p = argparse.ArgumentParser()
    p.add_argument("model")
    p.add_argument("errand")
    p.add_argument("--vocab", default="vocab.json")
    o = p.parse_args()
    state = torch.load(o.model, map_location="cpu")
    model = Model(Config(**state["config"]))
    model.load_state_dict(state["model"])
    model.eval()
    rng, worst = random.Random(7), 0.0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "m.gguf")
        here = os.path.dirname(os.path.abspath(__file__))
        subprocess.run([sys.executable, os.path.join(here, "export.py"),
                        o.model, path, "--type", "f32", "--vocab", o.vocab],
                       check=True)
        for _ in range(5):
            ids, _ = stream.encode(Tokenizer.load(o.vocab),
                                   dialogue.draw(rng), rng)
            positions = sorted(rng.sample(range(len(ids)), 8))
            with torch.no_grad():
                want = model(torch.tensor([ids]))[0, positions]
            got = ask(o.errand, path, ids, positions)
            worst = max(worst, (got - want).abs().max().item())
    print("check_logits: largest difference %.2g" % worst)
    return 0 if worst <= MOST else 1


if __name__ == "__main__":
    sys.exit(main())
