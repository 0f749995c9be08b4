#!/usr/bin/env python3
"""Write the trained model as GGUF: export.py MODEL.pt OUT.gguf [--type T]

T is q8_0 (the default) or f32. Norms stay f32; output.weight is left out,
the embedding serves for both; the rows of q and k are permuted for the
interleaved rotary embedding that the architecture `llama` has in GGUF.
"""
import argparse
import os
import struct

import numpy as np
import torch

from model import Config, Model
from tokens import SPECIAL, Tokenizer

ALIGN = 32
F32, Q8_0 = 0, 8
UINT32, FLOAT32, STRING, ARRAY, INT32, BOOL = 4, 6, 8, 9, 5, 7


def text(s):
    raw = s.encode()
    return struct.pack("<Q", len(raw)) + raw


def value(kind, v):
    if kind == STRING:
        return text(v)
    if kind == BOOL:
        return struct.pack("<B", v)
    return struct.pack({UINT32: "<I", FLOAT32: "<f", INT32: "<i"}[kind], v)


class Writer:
    def __init__(self):
        self.meta, self.count, self.tensors = b"", 0, []

    def add(self, key, kind, v):
        self.meta += text(key) + struct.pack("<I", kind) + value(kind, v)
        self.count += 1

    def add_array(self, key, kind, values):
        self.meta += text(key) + struct.pack("<IIQ", ARRAY, kind,
                                             len(values))
        self.meta += b"".join(value(kind, v) for v in values)
        self.count += 1

    def tensor(self, name, array, kind):
        """array [rows][columns] or [n], float32."""
        data = q8_0(array) if kind == Q8_0 else \
            array.astype("<f4").tobytes()
        self.tensors.append((name, array.shape[::-1], kind, data))

    def write(self, path):
        head = struct.pack("<4sIQQ", b"GGUF", 3, len(self.tensors),
                           self.count) + self.meta
        offset = 0
        for name, shape, kind, data in self.tensors:
            head += text(name) + struct.pack("<I", len(shape))
            head += b"".join(struct.pack("<Q", n) for n in shape)
            head += struct.pack("<IQ", kind, offset)
            offset += len(data) + -len(data) % ALIGN
        with open(path + ".new", "wb") as f:
            f.write(head + b"\0" * (-len(head) % ALIGN))
            for _, _, _, data in self.tensors:
                f.write(data + b"\0" * (-len(data) % ALIGN))
        os.replace(path + ".new", path)


def q8_0(array):
    """Blocks of 32: a half-precision scale, then 32 signed bytes."""
    blocks = array.astype(np.float32).reshape(-1, 32)
    scale = np.abs(blocks).max(axis=1) / 127
    inverse = np.divide(1, scale, out=np.zeros_like(scale),
                        where=scale > 0)
    quants = np.rint(blocks * inverse[:, None]).astype(np.int8)
    out = np.zeros((len(blocks), 34), np.uint8)
    out[:, :2] = scale.astype("<f2").view(np.uint8).reshape(-1, 2)
    out[:, 2:] = quants.view(np.uint8)
    return out.tobytes()


def interleave(w, head_dim):
    """Rows (half, pair) of each head become (pair, half)."""
    rows, columns = w.shape
    return w.reshape(rows // head_dim, 2, head_dim // 2, columns) \
        .transpose(0, 2, 1, 3).reshape(rows, columns)


def metadata(w, c, tokenizer, name, template):
    w.add("general.architecture", STRING, "llama")
    w.add("general.name", STRING, name)
    w.add("general.license", STRING, "mit")
    w.add("general.alignment", UINT32, ALIGN)
    for key, v in (("context_length", c.context),
                   ("embedding_length", c.dim), ("block_count", c.layers),
                   ("feed_forward_length", c.hidden),
                   ("attention.head_count", c.heads),
                   ("attention.head_count_kv", c.kv_heads),
                   ("rope.dimension_count", c.head_dim),
                   ("vocab_size", c.vocab)):
        w.add("llama." + key, UINT32, v)
    w.add("llama.attention.layer_norm_rms_epsilon", FLOAT32, c.eps)
    w.add("llama.rope.freq_base", FLOAT32, c.rope_base)
    w.add("tokenizer.ggml.model", STRING, "gpt2")
    w.add("tokenizer.ggml.pre", STRING, "llama-bpe")
    w.add_array("tokenizer.ggml.tokens", STRING, tokenizer.words)
    w.add_array("tokenizer.ggml.token_type", INT32,
                [1] * tokenizer.first_special + [3] * len(SPECIAL))
    w.add_array("tokenizer.ggml.merges", STRING,
                ["%s %s" % m for m in tokenizer.merges])
    w.add("tokenizer.ggml.bos_token_id", UINT32,
          tokenizer.special("<|begin_of_text|>"))
    w.add("tokenizer.ggml.eos_token_id", UINT32,
          tokenizer.special("<|eot_id|>"))
    w.add("tokenizer.ggml.add_bos_token", BOOL, False)
    w.add("tokenizer.chat_template", STRING, template)


def tensors(w, model, kind):
    c, state = model.config, model.state_dict()

    def get(name):
        return state[name].detach().float().numpy()
    w.tensor("token_embd.weight", get("embed.weight"), kind)
    w.tensor("output_norm.weight", get("norm.weight"), F32)
    for i in range(c.layers):
        at, to = "blocks.%d." % i, "blk.%d." % i
        w.tensor(to + "attn_norm.weight", get(at + "attn_norm.weight"), F32)
        w.tensor(to + "ffn_norm.weight", get(at + "ffn_norm.weight"), F32)
        for ours, theirs in (("q", "attn_q"), ("k", "attn_k"),
                             ("v", "attn_v"), ("o", "attn_output"),
                             ("gate", "ffn_gate"), ("up", "ffn_up"),
                             ("down", "ffn_down")):
            array = get(at + ours + ".weight")
            if ours in "qk":
                array = interleave(array, c.head_dim)
            w.tensor(to + theirs + ".weight", array, kind)


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("model")
    p.add_argument("out")
    p.add_argument("--type", choices=["q8_0", "f32"], default="q8_0")
    p.add_argument("--vocab", default="vocab.json")
    p.add_argument("--name", default="errand-small")
    o = p.parse_args()
    state = torch.load(o.model, map_location="cpu")
    model = Model(Config(**state["config"]))
    model.load_state_dict(state["model"])
    folder = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(folder, "chat_template.jinja")) as f:
        template = f.read()
    w = Writer()
    metadata(w, model.config, Tokenizer.load(o.vocab), o.name, template)
    tensors(w, model, Q8_0 if o.type == "q8_0" else F32)
    w.write(o.out)
    print("%s: %d bytes" % (o.out, os.path.getsize(o.out)))


if __name__ == "__main__":
    main()
