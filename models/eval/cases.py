"""Evaluation cases: a request, the tools, what they answer, what is right.

Every phrase comes from held_out.py, every value that has words in it from
the part of values.py that training does not draw from. A case is a dict:

    system, prompt, tools   what the model is given
    calls                   the right calls, in order: [name, arguments]
    results                 what the tools answer, in that order
    facts                   what the answer must contain
"""
import random

import held_out  # puts ../train on the path

import chains
import dialogue
import made
import passages
import sums
import talk
import values as v
from expand import fill
from family import Tool, make_tool, made_up, result, slots

HELD = True
dialogue.dress = lambda rng, phrase: _phrase(rng, phrase)


def _phrase(rng, text):
    """As training dresses requests: marks and capitals, no typing errors."""
    text = text.lstrip("!")
    if rng.random() < .6 and text[0] != "{":
        text = text[0].upper() + text[1:]
    return text + rng.choice(["", "", ".", "?"])


def _case(kind, d, prompt, calls, results, facts):
    return {"kind": kind, "system": d.system, "prompt": prompt,
            "tools": [t.definition() for t in d.tools], "calls": calls,
            "results": results, "facts": facts}


def _others(d, count, share_made, forbidden):
    """More tools beside the wanted one."""
    rng = d.rng
    names = {t.name for t in d.tools}
    keys = {t.family.key for t in d.tools} | forbidden
    while len(d.tools) < count:
        if rng.random() < share_made:
            tool = make_tool(rng, made.family(rng, HELD))
        else:
            key = rng.choice(dialogue.ORDER)
            if key in keys:
                continue
            tool = make_tool(rng, dialogue.REAL[key])
            keys.add(key)
        if tool.name not in names:
            names.add(tool.name)
            d.tools.append(tool)
    rng.shuffle(d.tools)


def _start(rng):
    d = dialogue.Dialogue(rng, HELD)
    d.system = rng.choice(dialogue.SYSTEMS)
    return d


def _ask(d, tool, phrase):
    """(prompt, arguments, said), the slots filled with held-out values."""
    rng, family = d.rng, tool.family
    text, said, given = phrase.pick(rng), {}, {}
    for slot in slots(text):
        if slot not in tool.params:
            return None
        said[slot], given[slot] = family.params[slot].kind(rng, HELD)
    if any(p[3] and s not in given for s, p in tool.params.items()):
        return None
    arguments = {tool.params[s][0]: given[s] for s in tool.params
                 if s in given}
    return fill(_phrase(rng, text), said), arguments, said


def _answered(d, tool, said):
    """(what the tool answers, what the answer must contain of it)"""
    for _ in range(50):
        outcome, answer = result(d.rng, tool, said, HELD)
        facts = [w for w in _values(outcome) if w in answer]
        if facts:
            return outcome, facts
    return outcome, []


def _values(text):
    """The pieces of a result that carry something."""
    import json
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    if isinstance(data, dict):
        return [str(x) for x in data.values()]
    return [w for line in text.splitlines() for w in [line.strip()] if w] \
        if len(text) < 60 else []


def _calculation(rng, d):
    tool = make_tool(rng, dialogue.CALCULATE)
    d.tools.append(tool)
    spoken, expression, value = sums.draw(rng)
    prompt = fill(_phrase(rng, rng.choice(held_out.CALCULATE).pick(rng)),
                  {"sum": spoken})
    name = list(tool.params.values())[0][0]
    return tool, (prompt, {name: expression}, {}), (value, [value])


def known(rng):
    """A tool that training has, asked for in words that it has not."""
    d = _start(rng)
    if rng.random() < .08:
        tool, asked, answered = _calculation(rng, d)
    else:
        key = rng.choice(sorted(held_out.ASKS))
        tool = make_tool(rng, dialogue.REAL[key])
        d.tools.append(tool)
        asked = _ask(d, tool, rng.choice(held_out.ASKS[key]))
        if not asked:
            return known(rng)
        answered = _answered(d, tool, asked[2])
    _others(d, rng.randint(1, 8), .2, dialogue._alike({tool.family.key}))
    return _case("known", d, asked[0], [[tool.name, asked[1]]],
                 [answered[0]], answered[1])


def renamed(rng):
    """A made-up name, and a description that training has not."""
    d = _start(rng)
    key = rng.choice(sorted(held_out.ASKS))
    base = make_tool(rng, dialogue.REAL[key])
    tool = Tool(made_up(rng), held_out.DESCRIPTIONS[key], base.family,
                base.params)
    d.tools.append(tool)
    asked = _ask(d, tool, rng.choice(held_out.ASKS[key]))
    if not asked:
        return renamed(rng)
    outcome, facts = _answered(d, tool, asked[2])
    _others(d, rng.randint(1, 8), .2, dialogue._alike({key}))
    return _case("renamed", d, asked[0], [[tool.name, asked[1]]], [outcome],
                 facts)


def invented(rng):
    """A tool that does what none in training does: its verb and its noun
    are held out. The request says it with words of its description or with
    synonyms."""
    d = _start(rng)
    tool = make_tool(rng, made.family(rng, HELD))
    d.tools.append(tool)
    asked = _ask(d, tool, rng.choice(tool.family.asks))
    if not asked:
        return invented(rng)
    outcome, facts = _answered(d, tool, asked[2])
    verb = tool.description.split()[0].lower()
    _others(d, rng.randint(1, 8), .5, set())
    if sum(t.description.split()[0].lower() == verb for t in d.tools) > 1:
        return invented(rng)
    return _case("invented", d, asked[0], [[tool.name, asked[1]]], [outcome],
                 facts)


def no_tool(rng):
    """None of the tools does it."""
    d = _start(rng)
    if rng.random() < .5:
        phrase, forbidden = rng.choice(held_out.NO_TOOL), set()
        said = {"topic": v.TOPIC(rng, HELD)[0], "city": v.CITY(
            rng, HELD)[0], "name": v.NAME(rng, HELD)[0],
            "thing": v.THING(rng, HELD)[0]}
        prompt = fill(_phrase(rng, phrase.pick(rng)), said)
    else:
        key = rng.choice(sorted(held_out.ASKS))
        forbidden = {key} | dialogue._alike({key})
        tool = make_tool(rng, dialogue.REAL[key])
        asked = _ask(d, tool, rng.choice(held_out.ASKS[key]))
        if not asked:
            return no_tool(rng)
        prompt = asked[0]
    _others(d, rng.randint(1, 8), .3, forbidden)
    return _case("no tool", d, prompt, [], [], [])


def chain(rng):
    """The second call needs what the first one gave."""
    d = _start(rng)
    c = rng.choice([c for c in chains.CHAINS
                    if (c.first, c.second) in held_out.CHAIN_ASKS])
    ask = rng.choice(held_out.CHAIN_ASKS[c.first, c.second])
    a, b = (make_tool(rng, dialogue.REAL[k]) for k in c.needs)
    if a.name == b.name:
        return chain(rng)
    d.tools += [a, b]
    d.held_out = HELD
    mine = chains.Chain(c.first, c.second, ask.text, c.give, c.slot,
                        c.answers[0].text, c.through, c.kinds)
    if not mine(d, {c.first: a, c.second: b}):
        return chain(rng)
    calls = [[m["call"]["name"], m["call"]["parameters"]]
             for m in d.messages if "call" in m]
    results = [m["content"] for m in d.messages if m["role"] == "ipython"]
    prompt = d.messages[0]["content"]
    d.messages = []
    _others(d, rng.randint(2, 6), .3, dialogue._alike({c.first, c.second}))
    facts = [] if results[1] in ("ok", "done", "sent", "stored") \
        else [results[1]]
    return _case("chain", d, prompt, calls, results, facts)


def _fact(rng):
    sentence, search, questions = rng.choice(held_out.FACT_ROWS)
    values = passages._values(rng, HELD)
    return (fill(sentence.pick(rng), values), fill(rng.choice(
        questions).pick(rng), values), fill(search, values))


def quote(rng):
    """A passage in the request or found by a tool, and a question: the
    answer is the sentence that says it."""
    d = _start(rng)
    facts = [_fact(rng) for _ in range(rng.randint(2, 4))]
    if len({f[2].split()[-1] for f in facts}) < len(facts):
        return quote(rng)
    sentence, question, search = facts[0]
    rng.shuffle(facts)
    body = passages.text(rng, [f[0] for f in facts])
    if rng.random() < .5:
        _others(d, rng.randint(0, 4), .3, {"search_documents"}
                | dialogue._alike({"search_documents"}))
        prompt = rng.choice(["%s\n\n%s?" % (body, question),
                             "%s?\n\n%s" % (question, body)])
        return _case("quote", d, prompt, [], [], [sentence])
    tool = make_tool(rng, dialogue.REAL["search_documents"])
    d.tools.append(tool)
    _others(d, rng.randint(1, 6), .3, {"search_documents"}
            | dialogue._alike({"search_documents"}))
    name = tool.params["text"][0]
    return _case("quote", d, _phrase(rng, question), [[tool.name, {
        name: None}]], ["%s: %s" % (v.ID(rng)[0], body)], [sentence])


KINDS = {"known": known, "renamed": renamed, "invented": invented,
         "no tool": no_tool, "chain": chain, "quote": quote}


def make(kind, count, seed=2027):
    rng = random.Random("%s %d" % (kind, seed))
    made_cases = []
    while len(made_cases) < count:
        case = KINDS[kind](rng)
        names = [t["name"] for t in case["tools"]]
        if len(set(names)) == len(names):
            made_cases.append(case)
    return made_cases


# Words that answers may have of their own: those of training's answers.
def answer_words():
    words = set()
    for family in dialogue.REAL.values():
        for _, answers in family.results:
            for a in answers:
                words |= set(a.text.lower().replace("[", " ").replace(
                    "]", " ").replace("|", " ").split())
    for block in (talk.CANNOT, talk.ABLE, dialogue.CALCULATE_ANSWERS):
        for a in block:
            words |= set(a.text.lower().split())
    words |= set("""the a is it its of in and has done says result state count
    id number code ref note that which what to i you no there at on says:
    done: done, reply total value status""".split())
    return {w.strip(".,:;!?()[]{}\"'") for w in words}


if __name__ == "__main__":
    for kind in KINDS:
        for case in make(kind, 3):
            print(kind, "|", case["prompt"], "|", case["calls"], "|",
                  case["results"], "|", case["facts"])
