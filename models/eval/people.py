#!/usr/bin/env python3
"""The 60 requests of people.jsonl, end to end through errand:

    people.py ERRAND MODEL.gguf TOOLS

Each runs in a folder of its own, with the real tools on real files. Right is
a request whose calls are the wanted ones in their order (of the arguments,
those that are told) and whose answer contains what it must. Failures are
listed.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

from eval import wilson


class Errand:
    def __init__(self, program, model, tools, folder):
        self.program, self.folder = program, folder
        self.common = ["--no-config", "--store",
                       os.path.join(folder, ".errand.db")]
        self.ask = ["-m", "local:" + model, "-p", "temperature=0", "-p",
                    "max_tokens=160", "--max-turns", "5"]
        self.tools = ["--tools-dir", tools, "--grant", "*"]

    def call(self, *words):
        return subprocess.run(
            [self.program, *words], capture_output=True, text=True,
            cwd=self.folder, stdin=subprocess.DEVNULL)

    def keep(self, name, text):
        self.call("tools", "call", *self.common, *self.tools, "remember",
                  json.dumps({"name": name, "text": text}))

    def run(self, prompt):
        got = self.call("run", "--json", *self.common, *self.tools,
                        "--approve", "*", *self.ask, "--", prompt)
        try:
            row = json.loads(got.stdout)
        except ValueError:
            return [], "", got.stderr.strip()
        shown = self.call("log", "show", row["run"], "--json", *self.common)
        calls, results = [], []
        for m in json.loads(shown.stdout)["messages"]:
            for c in m.get("tool_calls", []):
                try:
                    calls.append((c["name"], json.loads(c["arguments"])))
                except ValueError:
                    calls.append((c["name"], {}))
            if m["role"] == "tool":
                results.append(m["content"])
        return calls, row.get("answer") or "", "\n".join(results)


def prepare(errand, case):
    for group in ("files", "documents"):
        for name, text in case.get(group, {}).items():
            path = os.path.join(errand.folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as f:
                f.write(text + "\n")
    if "documents" in case:
        errand.call("index", *errand.common, *case["documents"])
    for name, text in case.get("kept", {}).items():
        errand.keep(name, text)


def moment(results):
    """What {date}, {year} and {weekday} stand for."""
    time = re.search(r"\d{4}-\d\d-\d\d", results)
    day = re.search(r"(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day", results)
    return {"{date}": time.group(0) if time else "?",
            "{year}": time.group(0)[:4] if time else "?",
            "{weekday}": day.group(0) if day else "?"}


def right(case, calls, answer, results):
    if [c[0] for c in calls] != [c["name"] for c in case["calls"]]:
        return False
    for (_, got), want in zip(calls, case["calls"]):
        for key, value in want.get("arguments", {}).items():
            if got.get(key) != value:
                return False
    stands = moment(results)
    needs = [stands.get(x, x).lower() for x in case["answer"]]
    return bool(answer) and all(n in answer.lower() for n in needs)


def main():
    program, model, tools = (os.path.abspath(p) for p in sys.argv[1:4])
    here = os.path.dirname(os.path.abspath(__file__))
    good, count, failures = 0, 0, []
    with open(os.path.join(here, "people.jsonl")) as f:
        made = [json.loads(line) for line in f]
    for case in made:
        with tempfile.TemporaryDirectory() as folder:
            errand = Errand(program, model, tools, folder)
            prepare(errand, case)
            calls, answer, results = errand.run(case["prompt"])
        count += 1
        if right(case, calls, answer, results):
            good += 1
        else:
            failures.append("| %s | %s | %s | %s |" % (
                case["id"], case["prompt"], "; ".join(
                    "%s %s" % (n, json.dumps(a)) for n, a in calls) or "-",
                answer.replace("\n", " ")[:100]))
    print("people: %d of %d right, %.1f %% (95 %%: %.1f-%.1f)" % (
        (good, count) + wilson(good, count)))
    if failures:
        print("\n| failed | request | calls | answer |\n|---|---|---|---|")
        print("\n".join(failures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
