"""Whole dialogues: a system text, some tools, and what is said.

A dialogue is a list of messages (role, text, weight kind); template.py makes
the model's text of it, the same that chat_template.jinja makes in errand.
"""
import json

import families_files
import families_life
import families_time
import families_work
import made
import passages
import shipped
import sums
import talk
import values as v
from chains import CHAINS
from expand import fill
from family import make_tool, request, result
from template import short

REAL = {f.key: f for m in (families_files, families_time, families_life,
                           families_work) for f in m.FAMILIES}

SYSTEMS = ["", "", "You are a helpful assistant.", "You are errand.",
           "Answer briefly.", "You are a helpful assistant. Use the tools.",
           "Help the user with the tools.", "Be brief and exact."]


class Dialogue:
    def __init__(self, rng, held_out=False):
        self.rng, self.held_out = rng, held_out
        self.system, self.tools, self.messages = "", [], []

    def say(self, role, text):
        self.messages.append({"role": role, "content": text})

    def call(self, tool, arguments):
        self.call_named(tool.name, arguments)

    def call_named(self, name, arguments):
        self.messages.append({"role": "assistant", "call": {
            "name": name, "parameters": arguments}})

    def turn(self, text, tool, arguments, outcome, answer):
        self.say("user", text)
        self.call(tool, arguments)
        self.say("ipython", outcome)
        self.say("assistant", answer)


# ------------------------------------------------------- how people type

def _typo(rng, word):
    if len(word) < 4 or not word.isalpha():
        return word
    i = rng.randrange(1, len(word) - 1)
    return rng.choice([
        word[:i] + word[i + 1:], word[:i] + word[i + 1] + word[i] +
        word[i + 2:], word[:i] + word[i] + word[i:]])


CASUAL = [("what is", "what's"), ("what is", "whats"), ("what's", "whats"),
          ("where is", "where's"), ("who is", "who's"), ("you", "u"),
          ("I am", "I'm"), ("I am", "im"), ("and", "&"), ("please", "pls"),
          ("is there", "is there"), ("it is", "it's"), ("I", "i"),
          ("do not", "don't"), ("don't", "dont"), ("tell me", "say"),
          ("how much is", "how much's"), ("thanks", "thx"), ("to", "2"),
          ("the ", ""), ("the ", ""), ("me ", "me ")]


def _casual(rng, phrase):
    """As people write who are in a hurry."""
    if rng.random() < .2:
        long, brief = rng.choice(CASUAL)
        words = " " + phrase + " "
        if long.endswith(" "):
            phrase = words.replace(" " + long, " " + brief, 1).strip()
        elif (long, brief) != ("to", "2") or "{" not in phrase:
            phrase = words.replace(" " + long + " ", " " + brief + " ",
                                   1).strip()
    return phrase


def dress(rng, phrase):
    """Politeness, capitals, marks, typing errors; slots are left alone."""
    order = phrase.startswith("!")
    phrase = _casual(rng, phrase.lstrip("!"))
    frame = rng.choice(talk.IMPERATIVE if order else talk.QUESTION).pick(rng)
    text = frame.replace("{ask}", phrase)
    greeting = rng.choice(talk.GREETING).pick(rng)
    text = greeting.replace("{ask}", text)
    if rng.random() < .12:
        words = text.split(" ")
        i = rng.randrange(len(words))
        if "{" not in words[i]:
            words[i] = _typo(rng, words[i])
        text = " ".join(words)
    if rng.random() < .6 and text[0] != "{":
        text = text[0].upper() + text[1:]
    if rng.random() < .04 and "{" not in text:
        text = text.upper()
    asks = not order or text.lower().startswith(
        ("can ", "could", "would", "will"))
    return text + rng.choice(["?", "?", "", "?"] if asks
                             else ["", "", ".", "."])


def ability(tool):
    """What the tool does, in a few words of its description."""
    text = short(tool.description, ". ", "; ", ": ", " (")
    words = text.split()[:10]
    if not words:
        return tool.name
    return " ".join([words[0].lower()] + words[1:]).strip(" ,")


def abilities(tools):
    """A few are told by what they do, many by their names."""
    if len(tools) > 3:
        return ", ".join(t.name for t in tools)
    return "; ".join(ability(t) for t in tools)


# ------------------------------------------------------------- the turns

def _calculation(d, tool):
    rng = d.rng
    spoken, expression, value = sums.draw(rng)
    phrase = rng.choice(CALCULATE_ASKS)
    text = fill(dress(rng, phrase.pick(rng)), {"sum": spoken})
    answer = rng.choice(CALCULATE_ANSWERS).pick(rng)
    answer = fill(answer, {"sum": spoken, "r": value})
    name = list(tool.params.values())[0][0]
    d.turn(text, tool, {name: expression}, value,
           answer[0].upper() + answer[1:])


def _make_calculation():
    from expand import lines
    from family import Family, Param
    family = Family(
        "calculate",
        "calculate calculator calc compute evaluate math arithmetic"
        " eval_expression solve do_math",
        """
        Evaluate an arithmetic expression exactly. Use it for every calculation beyond the trivial. Operators: + - * / // (floored division) % (remainder) ^ (power) ! (factorial), parentheses. Functions: abs ceil floor trunc round(x, digits) sqrt cbrt exp ln log(x, base) log10 log2 sin cos tan asin acos atan(y, x) deg rad min max sum avg factorial gcd lcm. Constants: pi e tau. Angles in radians
        Evaluate [an arithmetic|a mathematical] expression
        [Calculate|Work out|Compute] [a sum|an expression]
        Do arithmetic
        A calculator: + - * / and parentheses
        Calculates with numbers
        Mathematics with numbers
        """,
        {"sum": Param("expression expr formula input sum term", v.TEXT,
                      "the expression, for example (3 + 4.5) * 2^10 /"
                      " sqrt(16) / what to work out / the expression")},
        "!calculate {sum}", [("{sum}", "{sum}")])
    family.params["sum"].descs = lines("""
        the expression, for example (3 + 4.5) * 2^10 / sqrt(16)
        [what to work out|the expression|the formula|arithmetic expression]
        """)
    asks = lines("""
        what is {sum}
        what's {sum}
        how much is {sum}
        !calculate {sum}
        !compute {sum}
        !work out {sum}
        !tell me {sum}
        {sum}
        {sum} =
        {sum} is how much
        what does {sum} [make|give]
        what do I get for {sum}
        what is the result of {sum}
        I need {sum}
        !give me {sum}
        !solve {sum}
        """)
    answers = lines("""
        It is {r}.
        The result is {r}.
        {sum} is {r}.
        That is {r}.
        It makes {r}.
        """)
    return family, asks, answers


CALCULATE, CALCULATE_ASKS, CALCULATE_ANSWERS = _make_calculation()
REAL["calculate"] = CALCULATE


def _plain(d, tool):
    rng = d.rng
    if tool.family is CALCULATE:
        _calculation(d, tool)
        return True
    asked = request(rng, tool, d.held_out, dress=dress)
    if not asked:
        return False
    text, arguments, said = asked
    outcome, answer = result(rng, tool, said, d.held_out)
    if rng.random() < .06 and said:
        outcome, answer = _error(rng, said)
    d.turn(text, tool, arguments, outcome, answer)
    return True


def _error(rng, said):
    shape, answer = rng.choice(talk.ERRORS)
    values = {"p": rng.choice(list(said.values())), "n": str(
        rng.randint(2, 9999)), "w": rng.choice(
            ["file", "entry", "person", "order", "place", "page"])}
    from expand import Phrase
    return fill(shape, values), fill(Phrase(answer).pick(rng), values)


def _missing(d, tool):
    """A needed value is not said: ask for it, then call with it."""
    rng = d.rng
    slots = [s for s in tool.family.ask_for
             if s in tool.params and tool.params[s][3]]
    if not slots:
        return False
    slot = rng.choice(slots)
    needed = {s for s, p in tool.params.items() if p[3]}
    stub = _stub(rng, tool, needed, slot)
    if not stub:
        return False
    text, arguments, said = stub
    d.say("user", text)
    d.say("assistant", fill(rng.choice(tool.family.ask_for[slot]).pick(rng),
                            said))
    spoken, value = tool.family.params[slot].kind(rng, d.held_out)
    said[slot] = spoken
    arguments[tool.params[slot][0]] = value
    arguments = {p[0]: arguments[p[0]] for p in tool.params.values()
                 if p[0] in arguments}
    outcome, answer = result(rng, tool, said, d.held_out)
    d.turn(rng.choice(["%s", "%s", "%s please", "it is %s", "%s."]) % spoken,
           tool, arguments, outcome, answer)
    return True


def _stub(rng, tool, needed, slot):
    """A request that does not say the slot."""
    words = ability(tool)
    rest = [s for s in needed if s != slot]
    text = dress(rng, "!" + words)
    said, arguments = {}, {}
    for s in rest:
        spoken, value = tool.family.params[s].kind(rng)
        said[s] = spoken
        arguments[tool.params[s][0]] = value
        text = text.rstrip("?.") + ", " + tool.params[s][0].replace(
            "_", " ") + " " + spoken
    return text, arguments, said


def _no_tool(d):
    """Something that none of the tools does."""
    rng = d.rng
    keys = {t.family.key for t in d.tools}
    if rng.random() < .45:
        phrase = rng.choice(talk.OTHER)
        text = dress(rng, phrase.pick(rng))
        text = fill(text, {
            "topic": v.TOPIC(rng)[0], "city": v.CITY(rng)[0],
            "name": v.NAME(rng)[0], "name2": v.FIRST(rng)[0],
            "thing": v.THING(rng)[0], "thing2": v.THING(rng)[0],
            "language": v.LANGUAGE(rng)[0]})
    else:
        other = REAL[rng.choice(sorted(set(REAL) - keys - _alike(keys)))]
        if other is CALCULATE or rng.random() < .1:
            other = made.family(rng, d.held_out)
        asked = request(rng, make_tool(rng, other), d.held_out, dress=dress)
        if not asked:
            return False
        text = asked[0]
    d.say("user", text)
    if not d.tools:
        d.say("assistant", rng.choice(talk.NO_TOOLS).pick(rng))
    else:
        d.say("assistant", fill(rng.choice(talk.CANNOT).pick(rng), {
            "abilities": abilities(d.tools)}))
    return True


# Families that would do the other's work: neither counts as missing beside
# the other.
ALIKE = [
    {"read_file", "http_fetch", "file_info", "word_count_file", "hash_file",
     "json_query", "search_files", "list_files"},
    {"search_files", "search_documents", "web_search", "recall", "define"},
    {"send_email", "send_message", "call_person", "find_contact"},
    {"remember", "add_task", "reminder", "add_event", "write_file",
     "create_ticket"},
    {"now", "time_in", "sunrise", "timer", "alarm", "reminder"},
    {"calculate", "convert_units", "convert_currency", "random_number",
     "days_between", "distance"},
    {"order_status", "get_ticket", "finish_task", "cancel_order"},
    {"user_info", "find_contact", "delete_user", "create_user"},
    {"list_tasks", "get_events"}, {"product_price", "check_stock",
                                   "order_item", "stock_price"},
    {"count_words", "word_count_file", "define", "translate"},
    {"move_file", "copy_file", "edit_file", "delete_file"},
    {"find_train", "distance", "find_hotel", "weather", "time_in"},
    {"run_command", "list_files", "service_status", "now"},
    {"transfer", "get_balance", "convert_currency"},
    {"restart_service", "service_status", "deploy"},
]


def _alike(keys):
    out = set()
    for row in ALIKE:
        if row & keys:
            out |= row
    return out


def _small_talk(d):
    rng = d.rng
    said, replies = rng.choice(talk.SMALL)
    text = rng.choice(said).pick(rng)
    if rng.random() < .5:
        text = text[0].upper() + text[1:]
    d.say("user", text + rng.choice(["", "", "!", ".", "?"]))
    d.say("assistant", rng.choice(replies).pick(rng))
    return True


def _able(d):
    rng = d.rng
    d.say("user", dress(rng, rng.choice(talk.ASK_ABLE).pick(rng)))
    if not d.tools:
        d.say("assistant", rng.choice(talk.NO_TOOLS).pick(rng))
    else:
        d.say("assistant", fill(rng.choice(talk.ABLE).pick(rng), {
            "abilities": abilities(d.tools)}))
    return True


def _two(d, a, b):
    """Two things in one request, one call after the other."""
    rng = d.rng
    first = request(rng, a, d.held_out)
    second = request(rng, b, d.held_out)
    if not first or not second or CALCULATE in (a.family, b.family):
        return False
    joint = rng.choice([" and ", " and then ", ", then ", "; then ",
                        " and also "])
    text = first[0].rstrip("?.") + joint + second[0]
    if rng.random() < .5:
        text = text[0].upper() + text[1:]
    d.say("user", text)
    outcome, answer = result(rng, a, first[2], d.held_out)
    outcome2, answer2 = result(rng, b, second[2], d.held_out)
    d.call(a, first[1])
    d.say("ipython", outcome)
    d.call(b, second[1])
    d.say("ipython", outcome2)
    d.say("assistant", answer + " " + answer2)
    return True


def _chain(d, chain):
    """One request whose second call needs the first one's result."""
    return chain(d, {t.family.key: t for t in d.tools})


def _ask_passages(d, tool):
    """A question that a search answers."""
    rng = d.rng
    facts = [passages.fact(rng, d.held_out) for _ in range(
        rng.randint(1, 5))]
    sentence, question, search = rng.choice(facts)
    d.say("user", dress(rng, rng.choice(
        ["%s", "%s", "%s", "according to the documents, %s",
         "what do the documents say: %s"]) % question))
    d.call(tool, {tool.params["text"][0]: search})
    texts = [f[0] for f in facts]
    rng.shuffle(texts)
    cut = rng.randint(1, len(texts))
    hits = [passages.text(rng, texts[:cut])]
    if texts[cut:]:
        hits.append(passages.text(rng, texts[cut:]))
    rows = ["%s: %s" % (v.ID(rng)[0], h) for h in hits]
    d.say("ipython", "\n".join(rows))
    d.say("assistant", sentence)
    return True


def _ask_text(d):
    """A text in the request, and a question about it or its summary."""
    rng = d.rng
    if rng.random() < .4:
        body, answer = passages.summary(rng, d.held_out)
        ask = rng.choice(["Summarize this:", "Summarize:", "Sum this up:",
                          "Give me the main points of this text:",
                          "What is this about?", "In short:", "TL;DR"])
        d.say("user", rng.choice(["%s\n%s", "%s\n\n%s"]) % (ask, body)
              if rng.random() < .7 else "%s\n\n%s" % (body, ask))
        d.say("assistant", answer)
        return True
    facts = [passages.fact(rng, d.held_out) for _ in range(
        rng.randint(1, 5))]
    sentence, question, _ = rng.choice(facts)
    body = passages.text(rng, [f[0] for f in facts])
    question = dress(rng, question)
    d.say("user", rng.choice(["%s\n\n%s" % (body, question),
                              "%s\n\n%s" % (question, body),
                              "Text: %s\nQuestion: %s" % (body, question)]))
    d.say("assistant", sentence)
    return True


# -------------------------------------------------------- whole dialogues

def _draw_tools(d, count, share_made):
    """Tools whose names and families differ."""
    rng = d.rng
    names, keys = {t.name for t in d.tools}, set()
    keys |= {t.family.key for t in d.tools}
    kin = made.kin(rng, d.held_out) if rng.random() < .4 else None
    while len(d.tools) < count:
        if rng.random() < share_made:
            tool = make_tool(rng, made.family(rng, d.held_out, kin),
                             d.held_out)
        else:
            key = rng.choice(ORDER)
            if key in keys:
                continue
            tool = make_tool(rng, REAL[key], d.held_out)
            keys.add(key)
        if tool.name in names:
            continue
        names.add(tool.name)
        d.tools.append(tool)


# Those that errand ships come up more often.
SHIPPED = ["calculate", "now", "read_file", "list_files", "search_files",
           "search_documents", "write_file", "edit_file", "http_fetch",
           "json_query", "remember", "recall", "hash_file", "run_command"]
ORDER = sorted(REAL) + SHIPPED + SHIPPED


def _for_shipped(d, turns):
    """The tools of errand itself."""
    rng = d.rng
    d.tools = shipped.tools(rng)
    library = None
    if rng.random() < .35:
        library = make_tool(rng, REAL["search_documents"])
        library.name = "search_documents"
        d.tools = sorted(d.tools + [library], key=lambda t: t.name)
    # a long text before the first turn: worth more turns
    more = turns + (6 if len(d.tools) > 6 else 3)
    while len(d.messages) < 2 or rng.random() < 1 - 1 / more:
        roll = rng.random()
        if roll < .04:
            _small_talk(d)
        elif roll < .08:
            _able(d)
        elif roll < .17:
            _no_tool(d)
        elif roll < .2:
            _ask_text(d)
        elif roll < .32 and library:
            _ask_passages(d, library)
        else:
            shipped.turn(d)
    return d


def draw(rng, held_out=False, most_tools=8, turns=3, share_shipped=.5):
    """One dialogue."""
    d = Dialogue(rng, held_out)
    d.system = rng.choice(SYSTEMS)
    if rng.random() < .12:
        d.system = (d.system + " Today is %s." % v.DATE(rng)[0]).strip()
    if most_tools > 2 and rng.random() < share_shipped:
        return _for_shipped(d, turns)
    chain = None
    if rng.random() < .16:
        chain = rng.choice(CHAINS)
        for key in chain.needs:
            d.tools.append(make_tool(rng, REAL[key], held_out))
    count = rng.randint(1, most_tools) if rng.random() > .04 else 0
    _draw_tools(d, max(count, len(d.tools)), rng.choice([0, 0, .3, .6, 1]))
    names = [t.name for t in d.tools]
    if len(set(names)) < len(names):
        return draw(rng, held_out, most_tools, turns)
    if rng.random() < .7:
        d.tools.sort(key=lambda t: t.name)  # errand does
    else:
        rng.shuffle(d.tools)
    if chain:
        _chain(d, chain)
    while len(d.messages) < 2 or rng.random() < 1 - 1 / turns:
        _any_turn(d)
    return d


def _any_turn(d):
    rng = d.rng
    roll = rng.random()
    if roll < .06 or not d.tools:
        return rng.choice([_small_talk, _able, _ask_text, _no_tool])(d)
    if roll < .09:
        return _ask_text(d)
    if roll < .12:
        return _able(d)
    if roll < .22:
        return _no_tool(d)
    tool = rng.choice(d.tools)
    if roll < .27 and _missing(d, tool):
        return True
    if roll < .33 and len(d.tools) > 1:
        other = rng.choice(d.tools)
        if other is not tool and _two(d, tool, other):
            return True
    if tool.family.key == "search_documents" and rng.random() < .75:
        return _ask_passages(d, tool)
    return _plain(d, tool)
