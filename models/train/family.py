"""A family: one thing that tools do, under the many names it goes by.

A family is content (names, descriptions, phrasings, results); tool() makes
one concrete tool of it, request() one thing that a user wants of that tool.
Phrasings and descriptions for evaluation are in ../eval/held_out.py.
"""
import json

import values as v
from expand import fill, lines


class Param:
    """One parameter: the names it may have, its kind of value (values.py),
    how it is described, its JSON type."""

    def __init__(self, names, kind, descs, type="string", optional=0.0):
        self.names = names.split()
        self.kind = kind
        self.descs = lines(descs.replace(" / ", "\n"))
        self.type = type
        self.optional = optional  # how often it may be left out
        self.values = getattr(kind, "values", None)


class Family:
    def __init__(self, key, names, descs, params, asks, results, with_=None,
                 out=None, ask_for=None, effect=""):
        self.key = key
        self.names = names.split()
        self.descs = lines(descs)
        self.params = params      # slot -> Param
        self.asks = lines(asks)   # phrases with {slots}
        self.with_ = {k: lines(v) for k, v in (with_ or {}).items()}
        self.results = [(r, lines(a)) for r, a in results]
        self.out = out or {}      # slot of a result -> kind
        self.ask_for = {k: lines(v) for k, v in (ask_for or {}).items()}


class Tool:
    """A concrete tool: what the model is told, and what it maps to."""

    def __init__(self, name, description, family, params):
        self.name = name
        self.description = description
        self.family = family
        self.params = params  # slot -> (name, Param, description, needed)

    def definition(self, rng=None):
        """As errand hands it to the template: OpenAI's shape inside."""
        properties, required = {}, []
        for name, param, text, needed in self.params.values():
            prop = {"type": param.type}
            if text:
                prop["description"] = text
            if param.values:
                prop["enum"] = param.values
            properties[name] = prop
            if needed:
                required.append(name)
        return {"name": self.name, "description": self.description,
                "parameters": {"type": "object", "properties": properties,
                               "required": required}}


def made_up(rng):
    """A name from which nobody can tell what the tool does."""
    name = v.nonsense(rng, 1, 2)
    roll = rng.random()
    if roll < .3:
        name += "_" + v.nonsense(rng, 1, 1)
    elif roll < .45:
        name += "_" + str(rng.randint(1, 99))
    return name


def make_tool(rng, family, held_out=False):
    """A tool of the family, its names and texts drawn."""
    params = {}
    for slot, param in family.params.items():
        needed = rng.random() >= param.optional
        if not needed and rng.random() < .35:
            continue  # this tool has no such parameter
        text = param.descs[rng.randrange(len(param.descs))].pick(rng) \
            if param.descs and rng.random() < .85 else ""
        needed = needed if param.optional == 0 else False
        params[slot] = (rng.choice(param.names), param, text, needed)
    names = {p[0] for p in params.values()}
    if len(names) < len(params):
        return make_tool(rng, family, held_out)
    name = rng.choice(family.names)
    if len(family.names) > 1 and rng.random() < .25:  # says nothing
        name = made_up(rng)
    elif rng.random() < .12:
        name = "".join(w.capitalize() for w in name.split("_"))
        name = name[0].lower() + name[1:]
    elif rng.random() < .06:
        name = name.replace("_", "-")
    desc = rng.choice(family.descs).pick(rng)
    if rng.random() < .3:
        desc += "."
    return Tool(name, desc, family, params)


def request(rng, tool, held_out=False, leave_out=None, dress=None):
    """What a user says and the arguments it means: (text, arguments,
    values spoken by slot). leave_out: a slot that is not to be said.
    dress(rng, phrase) changes the phrase before the values are put in."""
    family = tool.family
    asks = [a for a in family.asks
            if all(s in tool.params for s in slots(a.text))]
    if leave_out:
        asks = [a for a in asks if leave_out not in slots(a.text)]
    if not asks:
        return None
    phrase = rng.choice(asks)
    text = phrase.pick(rng)
    said, arguments = {}, {}
    for slot in slots(text):
        said[slot], arguments[slot] = family.params[slot].kind(rng, held_out)
    for slot, (name, param, _, needed) in tool.params.items():
        if slot in said or slot not in family.with_ or slot == leave_out:
            continue
        if needed or rng.random() < .3:
            said[slot], arguments[slot] = param.kind(rng, held_out)
            more = rng.choice(family.with_[slot]).pick(rng)
            text = text.rstrip("?.") + more
    needed = [s for s, p in tool.params.items() if p[3] and s != leave_out]
    if any(s not in arguments for s in needed):
        return None
    ordered = {tool.params[s][0]: arguments[s]
               for s in tool.params if s in arguments}
    text = dress(rng, text) if dress else text.lstrip("!")
    return fill(text, said), ordered, said


def slots(text):
    out, at = [], text.find("{")
    while at >= 0:
        end = text.index("}", at)
        out.append(text[at + 1:end])
        at = text.find("{", end)
    return out


def result(rng, tool, said, held_out=False):
    """(result as the tool gives it, the answer's text)."""
    family = tool.family
    shape, answers = family.results[rng.randrange(len(family.results))]
    values = dict(said)
    typed = {}
    for slot, kind in family.out.items():
        if slot not in values:
            values[slot], typed[slot] = kind(rng, held_out)
            values[slot] = str(typed[slot])
    text = _shaped(rng, shape, values, typed)
    usable = [a for a in answers if all(s in values for s in slots(a.text))]
    if not usable:
        return result(rng, tool, said, held_out)
    answer = rng.choice(usable).pick(rng)
    if answer[0] != "{":  # a path keeps its small letter
        answer = answer[0].upper() + answer[1:]
    return text, fill(answer, values)


def _shaped(rng, shape, values, typed):
    if isinstance(shape, str):
        return fill(shape, values)

    def walk(v):
        if isinstance(v, dict):
            return {k: walk(x) for k, x in v.items()}
        if isinstance(v, list):
            return [walk(x) for x in v]
        if isinstance(v, str) and v[:1] == "{" and v[1:-1] in typed:
            return typed[v[1:-1]]
        return fill(v, values) if isinstance(v, str) else v
    made = walk(shape)
    if rng.random() < .5:
        keys = list(made)
        rng.shuffle(keys)
        made = {k: made[k] for k in keys}
    tight = (",", ":") if rng.random() < .4 else None
    return json.dumps(made, ensure_ascii=False, separators=tight)
