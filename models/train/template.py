"""A dialogue as the model reads it. chat_template.jinja, which goes into the
model file, makes the same text of the same messages: check_template.py.
"""
import json


def short(text, *ends):
    """The beginning of a description: a small model reads no more."""
    for end in ends:
        text = text.split(end)[0]
    return text.rstrip(".")


def tool_lines(definition):
    """One tool: a line for it and one for each parameter. Descriptions are
    cut after what says the most; optional parameters are only named."""
    out = ["%s: %s" % (definition["name"], short(
        definition["description"], ". ", "; "))]
    schema = definition["parameters"]
    for name, prop in schema["properties"].items():
        kind = prop.get("type", "any")
        if "enum" in prop:
            kind = "|".join(str(x) for x in prop["enum"])
        needed = name in schema.get("required", [])
        line = " %s (%s)" % (name, kind if needed else kind + ", optional")
        if needed and prop.get("description"):
            line += ": " + short(prop["description"], ". ", "; ", ", ")
        out.append(line)
    return out


def system_text(d):
    out = d.system
    if d.tools:
        rows = []
        for tool in d.tools:
            rows += tool_lines(tool.definition())
        out = (out + "\n\n" if out else "") + "Tools:\n" + "\n".join(rows)
    return out


def call_text(call):
    return '{"name": %s, "parameters": %s}' % (
        json.dumps(call["name"], ensure_ascii=False),
        json.dumps(call["parameters"], ensure_ascii=False))


def render(d):
    """[(text, is_special, kind)]; kind: "given", "said", or "call" for what
    the assistant says."""
    out = [("<|begin_of_text|>", True, "given")]

    def message(role, text, kind):
        out.append(("<|start_header_id|>", True, "given"))
        out.append((role, False, "given"))
        out.append(("<|end_header_id|>", True, "given"))
        out.append(("\n\n", False, "given"))
        out.append((text, False, kind))
        out.append(("<|eot_id|>", True, kind))

    system = system_text(d)
    if system:
        message("system", system, "given")
    for m in d.messages:
        if "call" in m:
            message("assistant", call_text(m["call"]), "call")
        else:
            message(m["role"], m["content"],
                    "said" if m["role"] == "assistant" else "given")
    return out


def text(d):
    return "".join(part[0] for part in render(d))
