#!/usr/bin/env python3
"""chat_template.jinja and template.py make the same text: 300 dialogues."""
import json
import os
import random
import sys

import jinja2

import dialogue
import template


def messages(d):
    """The dialogue as OpenAI's messages."""
    out = [{"role": "system", "content": d.system}] if d.system else []
    for m in d.messages:
        if "call" in m:
            out.append({"role": "assistant", "content": "", "tool_calls": [
                {"function": {"name": m["call"]["name"],
                              "arguments": m["call"]["parameters"]}}]})
        else:
            out.append({"role": m["role"], "content": m["content"]})
    return out


def main():
    folder = os.path.dirname(os.path.abspath(__file__))
    env = jinja2.Environment(keep_trailing_newline=True)
    env.filters["tojson"] = lambda v: json.dumps(v, ensure_ascii=False)
    with open(os.path.join(folder, "chat_template.jinja")) as f:
        made = env.from_string(f.read())
    rng = random.Random(4)
    for i in range(300):
        d = dialogue.draw(rng, i % 3 == 0)
        tools = [{"type": "function", "function": t.definition()}
                 for t in d.tools]
        got = made.render(messages=messages(d), tools=tools,
                          add_generation_prompt=False)
        want = template.text(d)
        if got != want:
            print("got:  %r\nwant: %r" % (got, want))
            return 1
    print("check_template: 300 dialogues, no difference")
    return 0


if __name__ == "__main__":
    sys.exit(main())
