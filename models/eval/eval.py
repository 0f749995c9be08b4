#!/usr/bin/env python3
"""Scores of a model on held-out cases, measured through errand:

    eval.py ERRAND MODEL.gguf [--count N] [--kinds known,chain] [--free]

Every case is a line of `errand batch`: its tools are functions that answer
what the case says. What was called is read back from the store. With --free
the model's first answer is sampled again with nothing constrained. Prints a
table in Markdown, with 95 % intervals (Wilson).
"""
import argparse
import json
import math
import os
import subprocess
import sys
import tempfile

import cases
from template import system_text


def wilson(right, count):
    if count == 0:
        return 0.0, 0.0, 0.0
    z, p = 1.96, right / count
    middle = (p + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(
        p * (1 - p) / count + z * z / (4 * count * count))
    return 100 * p, 100 * (middle - half), 100 * (middle + half)


def lua(text):
    return "[=====[\n" + text + "]=====]"


def function(tool, answers):
    answer = answers.get(tool["name"], "ok")
    return {"name": tool["name"], "description": tool["description"],
            "parameters": tool["parameters"],
            "code": "return function() return %s end" % lua(answer)}


def request(case, index):
    answers = {c[0]: r for c, r in zip(case["calls"], case["results"])}
    line = {"id": index, "prompt": case["prompt"], "tools": "none",
            "functions": [function(t, answers) for t in case["tools"]],
            "params": {"temperature": 0, "max_tokens": 160},
            "budgets": {"max_turns": 5}}
    if case["system"]:
        line["system"] = case["system"]
    return line


class Errand:
    def __init__(self, program, model, jobs):
        self.program, self.jobs = program, jobs
        self.model = "local:" + os.path.abspath(model)

    def call(self, *words):
        return subprocess.run([self.program, *words], capture_output=True,
                              text=True)

    def batch(self, lines, folder):
        """The result of each line, with the run's messages."""
        store = os.path.join(folder, "eval.db")
        config = os.path.join(folder, "config.lua")
        asked = os.path.join(folder, "asked.jsonl")
        with open(config, "w") as f:
            f.write("return { engine = { prefix_bytes = 0 } }\n")
        with open(asked, "w") as f:
            f.writelines(json.dumps(x) + "\n" for x in lines)
        got = self.call("batch", "-q", "--config", config, "--store", store,
                        "--sync", "normal", "--jobs", str(self.jobs), "-m",
                        self.model, asked)
        rows = [json.loads(x) for x in got.stdout.splitlines()]
        if len(rows) != len(lines):
            raise SystemExit("errand batch: %s" % got.stderr[-500:])
        return rows, store

    def calls(self, run, store):
        """[(name, arguments)] of a run, in order."""
        shown = self.call("log", "show", run, "--json", "--no-config",
                          "--store", store)
        out = []
        for m in json.loads(shown.stdout)["messages"]:
            for c in m.get("tool_calls", []):
                try:
                    out.append((c["name"], json.loads(c["arguments"])))
                except ValueError:
                    out.append((c["name"], None))
        return out


def same(got, want):
    """The right tool, and exactly the right arguments; a wanted None is
    any text."""
    if got[0] != want[0] or not isinstance(got[1], dict):
        return False
    return got[1].keys() == want[1].keys() and all(
        got[1][k] == x for k, x in want[1].items() if x is not None)


WORDS = cases.answer_words()


def plain_words(text):
    return {w.strip(".,:;!?()[]{}\"'") for w in text.lower().replace(
        "\\n", " ").replace('":', '" ').replace(",", " ").split()}


def true(case, answer):
    """It says what the tools found, and no word from nowhere."""
    told = " ".join([case["prompt"]] + case["results"])
    allowed = plain_words(told) | WORDS
    for tool in case["tools"]:
        allowed |= plain_words(tool["description"] + " " + tool["name"])
    whole = " ".join(case["results"]).lower()
    strange = [w for w in plain_words(answer)
               if w and w not in allowed and w not in whole]
    return all(f.lower() in answer.lower() for f in case["facts"]) and \
        not strange


def judge(case, calls, row):
    """What of a case is right: a dict of its marks."""
    kind, answer = case["kind"], row.get("answer") or ""
    marks = {}
    if kind == "no tool":
        return {"no tool": not calls and row["state"] == "done"}
    if kind == "quote":
        wanted = [c[0] for c in case["calls"]]
        return {"quote": [c[0] for c in calls] == wanted
                and case["facts"][0] in answer}
    first = calls[0] if calls else ("", {})
    marks["tool"] = first[0] == case["calls"][0][0]
    marks["exact"] = bool(calls) and same(first, case["calls"][0])
    right = len(calls) == len(case["calls"]) and all(
        map(same, calls, case["calls"]))
    if kind == "chain":
        marks["chain"] = right and all(
            f.lower() in answer.lower() for f in case["facts"])
    elif right and case["facts"]:
        marks["answer"] = true(case, answer)
    return marks


def raw_prompt(case):
    class Given:
        system = case["system"]
        tools = [type("T", (), {"definition": lambda self, t=t: t})()
                 for t in case["tools"]]

    def part(role, text):
        return "<|start_header_id|>%s<|end_header_id|>\n\n%s<|eot_id|>" % (
            role, text)
    system = system_text(Given)
    return (part("system", system) if system else "") + part(
        "user", case["prompt"]) + \
        "<|start_header_id|>assistant<|end_header_id|>\n\n"


def free_marks(case, text):
    """The same of the first answer, sampled without a grammar."""
    try:
        call = json.loads(text)
        got = (call["name"], call["parameters"])
    except (ValueError, TypeError, KeyError):
        got = None
    if case["kind"] == "no tool":
        return {"no tool": got is None and not text.startswith('{"')}
    want = case["calls"][0]
    return {"tool": bool(got) and got[0] == want[0],
            "exact": bool(got) and same(got, want)}


def add(totals, marks):
    for name, good in marks.items():
        right, count = totals.get(name, (0, 0))
        totals[name] = (right + bool(good), count + 1)


def measure(errand, kind, count, free, keep):
    made = cases.make(kind, count)
    totals = {}
    with tempfile.TemporaryDirectory() as folder:
        if free:
            lines = [{"id": i, "prompt": raw_prompt(c), "tools": "none",
                      "params": {"temperature": 0, "max_tokens": 120,
                                 "raw": True}}
                     for i, c in enumerate(made)]
            rows, _ = errand.batch(lines, folder)
            for case, row in zip(made, rows):
                add(totals, free_marks(case, row.get("answer") or ""))
            return totals
        rows, store = errand.batch(
            [request(c, i) for i, c in enumerate(made)], folder)
        for case, row in zip(made, rows):
            calls = errand.calls(row["run"], store)
            marks = judge(case, calls, row)
            add(totals, marks)
            if keep:
                keep.write(json.dumps({
                    "kind": kind, "prompt": case["prompt"],
                    "want": case["calls"], "got": calls, "marks": marks,
                    "answer": row.get("answer")}) + "\n")
    return totals


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("errand")
    p.add_argument("model")
    p.add_argument("--count", type=int, default=500)
    p.add_argument("--jobs", type=int, default=16)
    p.add_argument("--kinds", default=",".join(cases.KINDS))
    p.add_argument("--free", action="store_true")
    p.add_argument("--keep", help="a file for every case and its marks")
    o = p.parse_args()
    errand = Errand(os.path.abspath(o.errand), o.model, o.jobs)
    keep = open(o.keep, "w") if o.keep else None
    print("| cases | what is right | % | 95 % | n |\n|---|---|---|---|---|")
    for kind in o.kinds.split(","):
        if o.free and kind == "quote":
            continue
        for name, (right, n) in measure(errand, kind, o.count, o.free,
                                        keep).items():
            share, low, high = wilson(right, n)
            print("| %s | %s | %.1f | %.1f-%.1f | %d |" % (
                kind, name, share, low, high, n), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
