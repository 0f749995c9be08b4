"""Requests for the tools that errand ships, with their real definitions and
results in the form that they really have. shipped.json holds the
definitions, as `errand tools list --json` prints them.

The other families teach to choose among any tools; this one makes sure that
a machine with nothing but errand is served.
"""
import json
import os

import passages
import sums
import values as v
from expand import fill, lines

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)),
                       "shipped.json")) as _f:
    DEFINITIONS = {t["name"]: t for t in json.load(_f)}


class Tool:
    """Like family.Tool, but what it is told is fixed."""

    params = {}

    def __init__(self, name):
        self.name, self.family = name, FAMILY[name]
        self.description = DEFINITIONS[name]["description"]

    def definition(self):
        return DEFINITIONS[self.name]


class _Family:
    ask_for = {}

    def __init__(self, key):
        self.key = key


FAMILY = {name: _Family(name) for name in DEFINITIONS}
# --------------------------------------------------------- what files hold

KEYS = """port host user name level color mode size limit timeout version
language path theme title author status count price weight length owner
region backend retries threads interval address email city unit""".split()

LIST_ITEMS = """milk eggs bread butter cheese apples rice tea coffee sugar salt
flour onions carrots soap paper candles batteries screws nails""".split()

ACTS = ["call {name}", "buy {thing}s", "pay the {topic} bill", "water plants",
        "write to {name}", "repair the {thing}", "book a table",
        "clean the {thing}", "ask {name} about {topic}", "renew the {topic}"]


def values(rng, held_out=False):
    return {"name": v.NAME(rng, held_out)[0], "thing": v.THING(
        rng, held_out)[0], "topic": v.TOPIC(rng, held_out)[0]}


def _setting(rng, key):
    if key in ("port", "size", "limit", "timeout", "count", "price",
               "weight", "length", "retries", "threads", "interval",
               "level"):
        return str(rng.randint(1, 9999))
    if key == "version":
        return ".".join(str(rng.randint(0, 19)) for _ in range(
            rng.randint(2, 3)))
    if key in ("user", "name", "author", "owner"):
        return v.FIRST(rng)[0]
    if key in ("city", "region"):
        return v.CITY(rng)[0]
    if key == "color":
        return v.COLOUR(rng)[0]
    return rng.choice([v.nonsense(rng, 1, 2), v.ID(rng)[0]])


def _settings(rng, held_out):
    keys = rng.sample(KEYS, rng.randint(1, 4))
    sign = rng.choice([": ", "=", " = ", ": "])
    rows = [(k, _setting(rng, k)) for k in keys]
    key, value = rng.choice(rows)
    asks = lines("""
        [what|which] %s is [set |]in {path}
        what is the %s in {path}
        what's the %s in {path}
        !tell me the %s [from|in] {path}
        which %s does {path} [say|set|use|have]
        !look up the %s in {path}
        !read the %s from {path}
        !get me the %s out of {path}
        what %s do we use? It is in {path}
        what %s [are we on|do we have]? See {path}
        the %s should be in {path}, what is it
        """.replace("%s", key))
    if len(rows) == 1 and rng.random() < .5:
        return value, asks, "The %s is %s." % (key, value)
    return "\n".join(k + sign + x for k, x in rows), asks, rng.choice(
        ["The %s is %s.", "%s is %s."]) % (key, value)


def _listing(rng, held_out):
    if rng.random() < .5:
        items = rng.sample(LIST_ITEMS, rng.randint(2, 5))
    else:
        items = [fill(rng.choice(ACTS), values(rng, held_out))
                 for _ in range(rng.randint(2, 4))]
    mark = rng.choice(["- ", "* ", "", "- ", "1"])
    rows = [("%d. " % (i + 1) if mark == "1" else mark) + x
            for i, x in enumerate(items)]
    said = ", ".join(items[:-1]) + " and " + items[-1]
    return "\n".join(rows), SHOW, rng.choice(
        ["It says: %s.", "There are %s.", "The file lists %s."]) % said


def _prose(rng, held_out):
    facts = [passages.fact(rng, held_out) for _ in range(rng.randint(1, 4))]
    sentence, question, _ = rng.choice(facts)
    asks = lines("\n".join([
        "!read {path} and tell me: " + question,
        "!read {path} and tell me " + question,
        "according to {path}, " + question,
        question + "? It is in {path}",
        question + "? It should be in {path}",
        "!look into {path}: " + question]))
    return passages.text(rng, [f[0] for f in facts]), asks, sentence


def _short(rng, held_out):
    text = rng.choice([
        v.TEXT, lambda r, h: (passages.fact(r, h)[0],)])(rng, held_out)[0]
    text = text[0].upper() + text[1:] if rng.random() < .6 else text
    said = rng.choice(["It says: %s", "{path} says: %s", "It contains: %s",
                       "The file says: %s"]) % text
    return text, SHOW, said


SHOW = lines("""
!read {path}
!read me {path}
!read the file {path}
!open {path}
!show {path}
!show me {path}
!show me what is in {path}
!show me the [text|contents|content] of {path}
!print {path}
!cat {path}
!display {path}
!view {path}
!give me {path}
!give me the contents of {path}
!let me see {path}
!have a look at {path}
!look [at|into] {path}
!check {path}
!tell me what {path} says
!tell me what is in {path}
!tell me what's in {path}
!find out what {path} says
!see what's in {path}
!read {path} for me
!read [out|aloud] {path}
!get {path}
!load {path}
what does {path} say
what does the file {path} contain
what does it say in {path}
what is in {path}
what is in the file {path}
what is inside {path}
what's in {path}
what's inside {path}
what's written in {path}
what is written in {path}
what [stands|is there] in {path}
what have I got in {path}
[contents|content|text] of {path}
I [need|want] [to see |]the text of {path}
{path}: what does it say
what did I write in {path}
anything in {path}
""")


def _file(rng, held_out):
    kind = rng.choice([_settings, _listing, _prose, _short, _short])
    return kind(rng, held_out)


def path(rng, held_out=False):
    roll = rng.random()
    if roll < .12:  # no suffix
        stem = v.choose(rng, v.STEMS, held_out)
        return rng.choice([stem, stem.upper(), stem.capitalize(),
                           "Makefile", "LICENSE", "README", "." + stem])
    if roll < .2:
        return "%s.%s" % (v.choose(rng, v.STEMS, held_out).upper(),
                          rng.choice(["md", "txt"]))
    return v.PATH(rng, held_out)[0]


# ------------------------------------------------------------------- turns

def _say(d, phrase, said):
    from dialogue import dress
    d.say("user", fill(dress(d.rng, phrase), said))


def _ends(text):
    return text if text[-1] in ".!?" else text + "."


def _read(d):
    rng = d.rng
    where = path(rng, d.held_out)
    text, asks, answer = _file(rng, d.held_out)
    _say(d, rng.choice(asks).pick(rng), {"path": where})
    d.call_named("read_file", {"path": where})
    if rng.random() < .06:
        d.say("ipython", "error: cannot read '%s': No such file or directory"
              % where)
        d.say("assistant", rng.choice([
            "There is no file %s.", "I cannot read %s: there is no such"
            " file.", "%s does not exist."]) % where)
        return True
    d.say("ipython", text)
    d.say("assistant", fill(answer, {"path": where}))
    return True


CALC = lines("""
what is {sum}
what's {sum}
whats {sum}
how much is {sum}
how much does {sum} make
what does {sum} make
what do I get for {sum}
what is the result of {sum}
what would {sum} be
!calculate {sum}
!compute {sum}
!work out {sum}
!work {sum} out
!tell me {sum}
!give me {sum}
!figure out {sum}
!solve {sum}
!evaluate {sum}
!find {sum}
!do the maths: {sum}
I need {sum}
{sum}
{sum}
{sum} =
{sum} equals
{sum} is how much
{sum} is what
""")

# {a}, {b}: numbers. What people tell rather than say as a sum.
STORIES = lines("""
[a|the] {thing} costs {a} and [there is|I get] {q} [%|percent] off[.|, ] what do I pay = {a} - {a} * {q} / 100
[a|the] {thing} is {a} with {q}% [discount|off][,|.] how much is that = {a} - {a} * {q} / 100
the price is {a} [plus|and] {q} [%|percent] tax[,|.] what [is the total|do I pay] = {a} + {a} * {q} / 100
we are {s} people and the bill is {a}[,|.] [how much|what] does each [of us |]pay = {a} / {s}
we were {s} [at table|at lunch|friends] and paid {a}[,|.] [how much|what] is that [each|per person|a head] = {a} / {s}
!split {a} [among|between|by] {s} [people|friends|of us] = {a} / {s}
!divide {a} [among|between] {s} [people|friends|children] = {a} / {s}
!add {a} and {b} = {a} + {b}
!add {a} to {b} = {b} + {a}
!add up {a}, {b} and {c} = {a} + {b} + {c}
!subtract {a} from {b} = {b} - {a}
!take {a} [away |]from {b} = {b} - {a}
!multiply {a} by {b} = {a} * {b}
!multiply {a} [and|with] {b} = {a} * {b}
!divide {a} by {b} = {a} / {b}
!double {a} = 2 * {a}
!halve {a} = {a} / 2
!square {a} = {a}^2
!take the [square |]root of {a} = sqrt({a})
[square root|sqrt|root] of {a} = sqrt({a})
[average|mean] of {a} and {b} = ({a} + {b}) / 2
[average|mean] of {a}, {b} and {c} = ({a} + {b} + {c}) / 3
the [average|mean] of {a}, {b} and {c} = ({a} + {b} + {c}) / 3
!average {a}, {b} and {c} = ({a} + {b} + {c}) / 3
sum of {a}, {b} and {c} = {a} + {b} + {c}
{p} to the power of {n} = {p}^{n}
{p} to the {n}th power = {p}^{n}
!raise {p} to the power of {n} = {p}^{n}
I [drove|walked|ran] {a} km in {s} hours, how fast [was that|was I] = {a} / {s}
[{s}|I buy {s}|I bought {s}] {thing}s at {a} each[,|.] what [is the total|do I pay] = {s} * {a}
I have {a} and spend {b}[,|.] [what|how much] is left = {a} - {b}
I had {a} and got {b} more[,|.] how much do I have = {a} + {b}
[how many|the number of] minutes are [there |]in {s} hours = {s} * 60
how many seconds are [there |]in {s} minutes = {s} * 60
how many hours are [there |]in {s} days = {s} * 24
how many days are [there |]in {s} weeks = {s} * 7
how many months are [there |]in {s} years = {s} * 12
{a} [in|per] month, how much is that [in|per|a] year = {a} * 12
what is {q} [%|percent] of {a} = {q} / 100 * {a}
{q} [%|percent] of {a} = {q} / 100 * {a}
{q}% of {a} = {q} / 100 * {a}
{q} % of {a} = {q} / 100 * {a}
{q} percent tip on {a} = {q} / 100 * {a}
how much is a {q}% tip on {a} = {q} / 100 * {a}
""")


def _sum(d):
    rng = d.rng
    if rng.random() < .5:
        spoken, expression, value = sums.draw(rng)
        phrase = rng.choice(CALC).pick(rng)
        said = {"sum": spoken}
    else:
        phrase, expression, value, said = _story(rng)
    _say(d, phrase, said)
    d.call_named("calculate", {"expression": expression})
    d.say("ipython", value)
    d.say("assistant", rng.choice(["It is %s.", "That is %s.",
                                   "The result is %s.", "It makes %s."])
          % value)
    return True


def _story(rng):
    while True:
        phrase, expression = rng.choice(STORIES).pick(rng).rsplit(" = ", 1)
        said = {k: sums._operand(rng) for k in "abc"}
        said.update(q=str(rng.randint(1, 90)), s=str(rng.randint(2, 60)),
                    p=str(rng.randint(2, 20)), n=str(rng.randint(2, 20)),
                    thing=v.THING(rng)[0])
        expression = fill(expression, said)
        value = sums.evaluate(expression)
        if value is not None and len(value) <= 18:
            return phrase, expression, value, said


MOMENT = lines("""
[what|which] time is it[ now| right now| please|] > It is {t} UTC.
what's the time > It is {t} UTC.
whats the time > It is {t} UTC.
[the |]time > It is {t} UTC.
[date|day|today|weekday] > It is {w}, {d}.
[year|month|year and month] > It is {w}, {d}.
[the |]current time > It is {t} UTC.
!tell me the [current |]time > It is {t} UTC.
!give me the [current |]time > It is {t} UTC.
how late is it > It is {t} UTC.
what does the clock say > It is {t} UTC.
do you have the time > It is {t} UTC.
is it late > It is {t} UTC.
what hour is it > It is {t} UTC.
what [is the|'s the] date[ today|] > It is {w}, {d}.
what is today's date > It is {w}, {d}.
[today's|the|the current] date > It is {w}, {d}.
what date is it[ today|] > It is {w}, {d}.
which date do we have[ today|] > It is {w}, {d}.
!tell me [the|today's] date > It is {w}, {d}.
!give me [the|today's] date > It is {w}, {d}.
what is today > It is {w}, {d}.
[what|which] day is it[ today|] > It is {w}, {d}.
[what|which] day of the week is it[ today|] > It is {w}.
[what|which] weekday is it[ today|] > It is {w}.
[what|which] weekday do we have > It is {w}.
is it [Monday|Tuesday|Friday|Sunday|Saturday|Wednesday][ today| already|] > It is {w}.
is [it|today] [the|a] weekend > It is {w}.
is it the weekend yet > It is {w}.
is today a [weekday|working day|workday] > It is {w}.
what day do we have today > It is {w}, {d}.
[what|which] year is it > It is {y}.
[what|which] year do we have > It is {y}.
!tell me the year > It is {y}.
!tell me what year it is > It is {y}.
the [current |]year > It is {y}.
in which year are we > It is {y}.
[what|which] month is it > It is {w}, {d}.
!tell me the [time and date|date and time] > It is {w}, {d}, {t} UTC.
what [is|are] the [date and time|time and date] > It is {w}, {d}, {t} UTC.
[date and time|time and date] > It is {w}, {d}, {t} UTC.
!check the [clock|time and date|date and time] > It is {w}, {d}, {t} UTC.
!give me the [current |]date and time > It is {w}, {d}, {t} UTC.
now > It is {w}, {d}, {t} UTC.
""")


def _now(d):
    rng = d.rng
    ask, answer = rng.choice(MOMENT).pick(rng).split(" > ")
    date, clock = v.DATE(rng)[0], "%02d:%02d" % (
        rng.randint(0, 23), rng.randint(0, 59))
    weekday = rng.choice(v.DAYS[:7])
    _say(d, ask, {})
    d.call_named("now", {})
    zone = rng.random()
    d.say("ipython", '{"time":"%sT%s:%02d%s","unix":%d,"weekday":"%s"}' % (
        date, clock, rng.randint(0, 59), "Z" if zone < .7 else
        rng.choice(["+01:00", "+02:00", "-05:00"]),
        rng.randint(1500000000, 2000000000), weekday))
    answer = answer if zone < .7 else answer.replace(" UTC", "")
    d.say("assistant", fill(answer, {
        "t": clock, "d": date, "w": weekday, "y": date[:4]}))
    return True


HERE = lines("""
what files are [here|there]
which files are [here|there]
what files do I have[ here|]
which files do I have[ here|]
what is in this [folder|directory]
what's in this [folder|directory]
what is in here
what's here
what do I have here
what is in the [working|current] [folder|directory]
!list the files[ here|]
!list my files
!list all files[ here|]
!list [this|the] [folder|directory]
!show [me |]the files
!show [me |]my files
!show me what files I have
!show me what is here
!list everything here
is there anything in this folder
are there any files here
do we have any files here
do I have files here
how many files are here
ls
dir
[files|my files] here
""")

THERE = lines("""
what files are [there |]in {p}
which files are [there |]in {p}
which files do [I|we] have in {p}
what do we have in {p}
what is in the [folder|directory] {p}
what is in the {p} [folder|directory]
what's in the [folder|directory] {p}
what's in the {p} [folder|directory]
what is inside the [folder|directory] {p}
what does the [folder|directory] {p} contain
what lies in {p}/
what is in {p}/
what's inside {p}/
!list {p}
!list {p}/
!list the [folder|directory] {p}
!list the {p} [folder|directory]
!list [the|all] files in {p}
!list the contents of {p}
!list what is in {p}
!list everything in {p}
!show [me |]the files in {p}
!show [me |]the [folder|directory] {p}
!show [me |]what is in the [folder|directory] {p}
!show me the {p} [folder|directory]
!open the [folder|directory] {p}
!look into the [folder|directory] {p}
ls {p}
ls {p}/
dir {p}
files in {p}
contents of the [folder|directory] {p}
is there anything in [the folder |]{p}
are there [any |]files in {p}
how many files are in {p}
""")


def _folder(rng, held_out):
    return rng.choice([v.FOLDER(rng, held_out)[0], v.nonsense(rng, 1, 2),
                       v.choose(rng, v.TOPICS + v.THINGS, held_out),
                       v.choose(rng, v.STEMS, held_out) + "s"])


def _joined(names):
    return names[0] if len(names) == 1 else \
        ", ".join(names[:-1]) + " and " + names[-1]


def _list(d):
    rng = d.rng
    there = rng.random() < .6
    where = _folder(rng, d.held_out)
    _say(d, rng.choice(THERE if there else HERE).pick(rng), {"p": where})
    d.call_named("list_files", {"path": where} if there else {})
    names, rows = [], []
    for _ in range(rng.choice([1, 1, 2, 2, 3, 4, 5])):
        if rng.random() < .2:
            name = v.nonsense(rng, 1, 1) + "/"
            rows.append(name)
        else:
            name = v._file(rng, d.held_out)
            if rng.random() < .3:
                name = v.nonsense(rng, 1, 2) + rng.choice(
                    [".png", ".c", ".h", ".jpg", ".ogg", ".pdf"])
            rows.append("%s\t%d" % (name, rng.randint(1, 90000)))
        names.append(name)
    if rng.random() < .05:
        d.say("ipython", "(empty)")
        d.say("assistant", "The folder is empty.")
        return True
    d.say("ipython", "\n".join(rows))
    if len(names) == 1:
        answer = rng.choice(["There is %s.", "There is only %s."])
    else:
        answer = rng.choice(["There are %s.", "The files are %s."])
    d.say("assistant", answer % _joined(names))
    return True


SEARCH = lines("""
!search for {x}
!search [the files|my files|all files|everything] for {x}
!search for [the word|the text] {x}
!find {x} in [the|my|all] files
!find [the word|the text] {x}[ in the files| in my files|]
!find files [with|that contain|that mention] {x}
!find all [lines|places] with {x}
!find every place where {x} is mentioned
!look for {x} in [the|my] files
!look for [the word|the text] {x}
!grep {x}
!grep for {x}
!grep -r {x}
grep {x}
!list the files that [mention|contain] {x}
!tell me which file [mentions|contains|has] {x}
!show me where {x} [is mentioned|stands|is used|occurs]
which file mentions {x}
which file contains {x}
which files mention {x}
which files contain {x}
which file has {x} in it
what file mentions {x}
in which file is {x}
in which file does {x} stand
where is {x} mentioned
where is {x} used
where is {x} defined
where do [I|we] mention {x}
where do [I|we] use {x}
where does {x} occur
where does it say {x}
does any file mention {x}
does any file contain {x}
is there [a|any] file [with|that mentions|that contains] {x}
is there any file with the text {x}
is {x} mentioned [anywhere|somewhere|in any file]
do my files mention {x}
""")


def _what(rng, held_out):
    """(as it is said, what to look for)"""
    x = rng.choice([
        lambda: v.choose(rng, v.TOPICS + v.THINGS, held_out),
        lambda: v.nonsense(rng), lambda: v.SURNAMES[rng.randrange(
            len(v.SURNAMES))], lambda: v.NAME(rng, held_out)[0],
        lambda: v.nonsense(rng, 1, 1) + "_" + v.nonsense(rng, 1, 1),
        lambda: v.QUERY(rng, held_out)[0], lambda: v.ID(rng, held_out)[0],
        lambda: v.choose(rng, v.STEMS, held_out),
        lambda: "%s %d" % ("".join(rng.choice("ABCDEFGHKLMNPRST")
                                   for _ in range(2)),
                           rng.randint(10, 9999))])()
    return rng.choice(["%s", "%s", "%s", '"%s"', "'%s'"]) % x, x


def _hits(rng, held_out, x):
    rows, files = [], []
    for _ in range(rng.choice([1, 1, 1, 2, 2, 3])):
        file = path(rng, held_out)
        line = rng.choice([
            "the {n} of {x}", "{x}", "about {x} and {n}", "int {x}(void);",
            "{n}: {x}", "- {x}", "{x} is late", "we need {x} for the {n}",
            "{n} {x} {n2}", "see {x}"])
        line = fill(line, {"x": x, "n": v.choose(rng, v.TOPICS, held_out),
                           "n2": v.choose(rng, v.THINGS, held_out)})
        rows.append((file, rng.randint(1, 400), line))
        files.append(file)
    return rows, list(dict.fromkeys(files))


def _search(d):
    rng = d.rng
    spoken, x = _what(rng, d.held_out)
    there = rng.random() < .15
    where = _folder(rng, d.held_out)
    phrase = rng.choice(SEARCH).pick(rng)
    if there:
        phrase = phrase.replace(" in the files", "").replace(
            " in my files", "") + " in {p}"
    _say(d, phrase, {"x": spoken, "p": where})
    arguments = {"text": x}
    if there:
        arguments = {"path": where, "text": x}
    d.call_named("search_files", arguments)
    if rng.random() < .15:
        d.say("ipython", "(nothing found in %d files)" % rng.randint(1, 80))
        d.say("assistant", rng.choice([
            "No file contains %s.", "I found no %s in the files."]) % x)
        return True
    rows, files = _hits(rng, d.held_out, x)
    d.say("ipython", "\n".join("%s:%d: %s" % r for r in rows))
    if len(rows) == 1:
        answer = "%s is in %s, line %d: %s" % ((x,) + rows[0])
    else:
        answer = "%s is in %s." % (x, _joined(files))
    d.say("assistant", answer)
    return True


WRITE = lines("""
!write {x} to {path}
!write {x} into {path}
!write {x} in [the file |]{path}
!write [the text |]{x} to [a|the] file {path}
!save {x} to {path}
!save {x} [as|in] {path}
!store {x} in {path}
!put {x} into {path}
!put {x} in [a file called |]{path}
!create [a file |]{path} with [the text |]{x}
!create [a file |]{path} that says {x}
!create [the file |]{path} containing {x}
!create [a file called |]{path} with {x} in it
!make a file {path} that says {x}
!make a [new |]file [called |named |]{path} with {x}[ in it|]
!start a file {path} with {x}
!note {x} in {path}
!write a file {path} that says {x}
!write a file {path} with {x}
a file {path} with {x}, please
""")


def _write(d):
    rng = d.rng
    where, text = path(rng, d.held_out), _content(rng, d.held_out)
    spoken = rng.choice(['"%s"', '"%s"', "'%s'"]) % text
    if " and " not in text and rng.random() < .2:
        spoken = text
    _say(d, rng.choice(WRITE).pick(rng), {"x": spoken, "path": where})
    d.call_named("write_file", {"path": where, "text": text})
    d.say("ipython", "wrote %d bytes to %s" % (len(text), where))
    d.say("assistant", rng.choice([
        "I wrote it to %s.", "Done: it is in %s.", "The text is in %s."])
        % where)
    return True


def _content(rng, held_out):
    return rng.choice([
        lambda: v.TEXT(rng, held_out)[0],
        lambda: ", ".join(rng.sample(LIST_ITEMS, rng.randint(2, 4))),
        lambda: v.QUERY(rng, held_out)[0],
        lambda: "hello " + v.FIRST(rng, held_out)[0],
        lambda: str(rng.randint(1, 9999)),
        lambda: passages.fact(rng, held_out)[0]])()


EDIT = lines("""
!replace {old} [by|with] {new} in {path}
!change {old} to {new} in {path}
!in {path}, change {old} to {new}
!in {path}, replace {old} [by|with] {new}
!edit {path} and [change|turn] {old} [to|into] {new}
!edit {path}: {old} should be {new}
!turn {old} into {new} in {path}
!swap {old} for {new} in {path}
!put {new} instead of {old} in {path}
!put {new} in place of {old} in {path}
!substitute {new} for {old} in {path}
{old} in {path} should be {new}
{old} in {path} should become {new}
it should be {new} instead of {old} in {path}
!correct {old} to {new} in {path}
!set {old} to {new} in {path}
!update {path}: {old} becomes {new}
""")


def _edit(d):
    rng = d.rng

    def word():
        return rng.choice([v.nonsense(rng, 1, 2), v.COLOUR(rng)[0],
                           str(rng.randint(1, 9999)),
                           v.THING(rng, d.held_out)[0],
                           v.FIRST(rng, d.held_out)[0],
                           v.DAY(rng)[0]])
    said = {"old": word(), "new": word(), "path": path(rng, d.held_out)}
    _say(d, rng.choice(EDIT).pick(rng), said)
    d.call_named("edit_file", {"new_text": said["new"], "old_text":
                               said["old"], "path": said["path"]})
    if rng.random() < .1:
        d.say("ipython", "error: old_text does not stand in %s"
              % said["path"])
        d.say("assistant", "%s does not contain %s." % (
            said["path"], said["old"]))
        return True
    d.say("ipython", "changed %s at line %d" % (
        said["path"], rng.randint(1, 90)))
    d.say("assistant", fill(rng.choice([
        "{old} is now {new} in {path}.",
        "I replaced {old} by {new} in {path}."]), said))
    return True


REMEMBER = lines("""
!remember that {fact}
!remember: {fact}
!remember {fact}
!please note: {fact}
!please note that {fact}
!note that {fact}
!note: {fact}
!make a note: {fact}
!make a note that {fact}
!take a note: {fact}
!keep in mind that {fact}
!keep in mind: {fact}
!don't forget that {fact}
!don't forget: {fact}
!write down that {fact}
!memorize that {fact}
!store the note: {fact}
for later: {fact}
note to self: {fact}
""")

THINGS_KEPT = """{thing} code|{thing} password|{thing} number|{thing} size|
{thing} colour|{topic} password|{topic} number|{topic} budget|wifi code|
{name}'s phone|{name}'s address|{name}'s birthday|car plate|door code|
alarm code|shoe size|{topic} key|locker number|account number|
{thing} place""".replace("\n", "").split("|")


def _kept(rng, held_out):
    """(name of a note, its value)"""
    said = values(rng, held_out)
    said["name"] = v.FIRST(rng, held_out)[0]
    name = fill(rng.choice(THINGS_KEPT), said)
    value = rng.choice([
        str(rng.randint(10, 99999)), v.ID(rng, held_out)[0],
        v.nonsense(rng, 1, 2) + "-" + str(rng.randint(1, 99)),
        v.nonsense(rng), v.COLOUR(rng)[0], v.CITY(rng, held_out)[0]])
    return name, value


def _remember(d):
    rng = d.rng
    if rng.random() < .6:
        name, text = _kept(rng, d.held_out)
        own = "" if "'s" in name else rng.choice(["my ", "the ", "our "])
        fact = "%s%s is %s" % (own, name, text)
    else:
        subject = rng.choice([v.choose(rng, v.TOPICS, d.held_out),
                              v.FIRST(rng, d.held_out)[0]] + [
            "doctor", "hairdresser", "meeting", "party", "concert", "lunch",
            "appointment", "interview", "delivery", "match"])
        fact = text = "%s %s" % (subject, rng.choice([
            "on %s at %s" % (v.DAY(rng)[0], v.clock(rng)),
            "at %s" % v.clock(rng), "on %s" % v.DATE(rng)[0],
            "in %s" % v.CITY(rng, d.held_out)[0],
            "at %d" % rng.randint(1, 12), "likes " + v.TOPIC(rng)[0]]))
        name = subject
    _say(d, rng.choice(REMEMBER).pick(rng).replace("please ", "")
         if rng.random() < .5 else rng.choice(REMEMBER).pick(rng),
         {"fact": fact})
    d.call_named("remember", {"name": name, "text": text})
    d.say("ipython", "remembered: %s" % name)
    d.say("assistant", rng.choice([
        "I will remember: %s.", "Noted: %s.", "I noted it: %s."])
        % (name if text == fact else name + ", " + text))
    return True


RECALL = lines("""
what did I tell you about [the |my |]{x}
what did I say about [the |my |]{x}
what did I note about [the |my |]{x}
what was [the|my] {x}
what was [the|my] {x} again
what is [my|the] {x} in my notes
do you remember [the|my] {x}
do you know [the|my] {x} still
do you still know [the|my] {x}
!look up [the|my] {x} in my notes
!recall [the|my] {x}
!find my note about [the |]{x}
!show me my note about [the |]{x}
!tell me what I noted about [the |]{x}
!remind me what [the|my] {x} [is|was]
!remind me of [the|my] {x}
which {x} did I tell you
what do my notes say about [the |]{x}
what do you know about my {x}
is there a note about [the |]{x}
have I told you [the|my] {x}
did I tell you [the|my] {x}
""")


def _recall(d):
    rng = d.rng
    if rng.random() < .12:
        _say(d, rng.choice(["what notes do you have", "!list my notes",
                            "what did you note", "which notes are there",
                            "what do you remember", "!show me my notes",
                            "what have I told you to remember"]), {})
        d.call_named("recall", {})
        names = [_kept(rng, d.held_out)[0] for _ in range(rng.randint(1, 4))]
        d.say("ipython", "%d notes: %s" % (len(names), ", ".join(names)))
        d.say("assistant", "I have notes about %s." % _joined(names))
        return True
    name, value = _kept(rng, d.held_out)
    if rng.random() < .3 and " " in name:
        asked = name.split(" ")[0] if "'s" not in name else name
    else:
        asked = name
    _say(d, rng.choice(RECALL).pick(rng), {"x": asked})
    d.call_named("recall", {"query": asked})
    if rng.random() < .1:
        d.say("ipython", "no note has a word of '%s'; there are: %s" % (
            asked, _kept(rng, d.held_out)[0]))
        d.say("assistant", "I have no note about %s." % asked)
        return True
    d.say("ipython", "%s (%s): %s" % (name, v.DATE(rng)[0], value))
    d.say("assistant", rng.choice(["The note says: %s is %s.",
                                   "Your note says: %s: %s."])
          % (name, value))
    return True


QUERY = lines("""
what is {q} in {path}
what's {q} in {path}
what does {path} say for {q}
what value has {q} in {path}
!get {q} from {path}
!get {q} out of {path}
!take {q} from {path}
!look up {q} in {path}
!read {q} from {path}
!extract {q} from {path}
!query {path} for {q}
!show me {q} [in|from|of] {path}
the value of {q} in {path}
which {q} is in {path}
""")


def _query(d):
    rng = d.rng
    names = [rng.choice(KEYS) if rng.random() < .5 else
             v.nonsense(rng, 1, 1) for _ in range(rng.randint(1, 3))]
    dotted = ".".join(names)
    if rng.random() < .25:
        dotted += "[%d]" % rng.randint(0, 9)
    file = v._file(rng, d.held_out).rsplit(".", 1)[0] + ".json"
    if rng.random() < .3:
        file = _folder(rng, d.held_out) + "/" + file
    spoken = rng.choice([dotted, "." + dotted])
    _say(d, rng.choice(QUERY).pick(rng), {"q": spoken, "path": file})
    d.call_named("json_query", {"path": file, "query": "." + dotted})
    value = _setting(rng, names[-1])
    d.say("ipython", value if value.isdigit() else '"%s"' % value)
    d.say("assistant", "%s is %s." % (spoken.lstrip("."), value))
    return True


FETCH = lines("""
!fetch {url}
!get {url}
!open {url}
!load {url}
!download {url}
!read {url}
!read the page {url}
!show me [the page |]{url}
!go to {url}
!visit {url}
!look at {url}
what is on {url}
what does {url} say
what's on the page {url}
what is at {url}
!tell me what {url} says
!tell me what is on {url}
""")


def _fetch(d):
    rng = d.rng
    url = v.URL(rng, d.held_out)[0]
    text = passages.text(rng, [passages.fact(rng, d.held_out)[0]])
    _say(d, rng.choice(FETCH).pick(rng), {"url": url})
    d.call_named("http_fetch", {"url": url})
    d.say("ipython", text)
    d.say("assistant", rng.choice(["The page says: %s", "It says: %s"])
          % text)
    return True


# ------------------------------------------------------------------ chains

THEN = lines("""
what is [twice|double] the number in {path} = 2 * {n}
!double the number in {path} = 2 * {n}
!read {path} and double [it|the number] = 2 * {n}
what is half [of |]the number in {path} = {n} / 2
!halve the number in {path} = {n} / 2
what is the number in {path} [times|multiplied by] {k} = {n} * {k}
!multiply the number in {path} by {k} = {n} * {k}
!read {path} and multiply [it|the number] by {k} = {n} * {k}
!read {path} and tell me what {k} [of them|pieces|of those] cost = {k} * {n}
the price is in {path}, what do {k} [of them |pieces |]cost = {k} * {n}
how much are {k} [of them|pieces] at the price in {path} = {k} * {n}
what is {q} [%|percent] of the number in {path} = {q} / 100 * {n}
!read {path} and take {q} [%|percent] of it = {q} / 100 * {n}
!add {k} to the number in {path} = {n} + {k}
what is the number in {path} plus {k} = {n} + {k}
!subtract {k} from the number in {path} = {n} - {k}
what is the number in {path} minus {k} = {n} - {k}
!divide the number in {path} by {k} = {n} / {k}
!read {path} and divide [it|the number] by {k} = {n} / {k}
what is the square root of the number in {path} = sqrt({n})
what is the number in {path} squared = {n}^2
!square the number in {path} = {n}^2
""")


def _read_and_count(d):
    rng = d.rng
    phrase, expression = rng.choice(THEN).pick(rng).rsplit(" = ", 1)
    number = sums._operand(rng)
    where = path(rng, d.held_out)
    said = {"path": where, "k": str(rng.randint(2, 99)),
            "q": str(rng.randint(1, 90)), "n": number}
    expression = fill(expression, said)
    _say(d, phrase, said)
    d.call_named("read_file", {"path": where})
    d.say("ipython", rng.choice(["%s", "%s", "%s", "price: %s", "%s EUR",
                                 "total %s", "n = %s"]) % number)
    d.call_named("calculate", {"expression": expression})
    value = sums.evaluate(expression)
    d.say("ipython", value)
    d.say("assistant", rng.choice(["It is %s.", "That is %s.",
                                   "The result is %s."]) % value)
    return True


FIND_READ = lines("""
!find the file that [mentions|contains] {x} and [read|open|show] it
!find the file [with|about] {x} and read it[ to me|]
!search for {x} and [read|show me|open] the file
!look for {x} and [read|open] the file[ it is in|]
!read the file that [mentions|contains] {x}
!open the file [with|that has] {x} in it
!show me the file that [mentions|contains] {x}
!tell me what the file that mentions {x} says
what does the file that mentions {x} say
what is in the file that [mentions|contains] {x}
""")


def _find_and_read(d):
    rng = d.rng
    spoken, x = _what(rng, d.held_out)
    _say(d, rng.choice(FIND_READ).pick(rng), {"x": spoken})
    d.call_named("search_files", {"text": x})
    file = path(rng, d.held_out)
    text = rng.choice(["{x} is at {t}.", "The {n} of {x} is {w}.",
                       "We need {x} for the {n}.", "{x}: {w}"])
    text = fill(text, {"x": x, "t": v.clock(rng), "w": v.nonsense(rng),
                       "n": v.TOPIC(rng, d.held_out)[0]})
    d.say("ipython", "%s:1: %s" % (file, text))
    d.call_named("read_file", {"path": file})
    more = text if rng.random() < .5 else text + "\n" + passages.dull(rng)
    d.say("ipython", more)
    d.say("assistant", "%s says: %s" % (file, more))
    return True


LIST_READ = lines("""
!read the only file in {p}
!read the file in {p}
!open the [only |]file in {p}
!show me the [only |]file in [the folder |]{p}
there is one file in {p}, [read|open] it
!look into {p} and read the file[ there|]
!list {p} and read the file[ in it|]
what does the [only |]file in {p} say
what is in the [only |]file in {p}
""")


def _list_and_read(d):
    rng = d.rng
    where = _folder(rng, d.held_out)
    _say(d, rng.choice(LIST_READ).pick(rng), {"p": where})
    d.call_named("list_files", {"path": where})
    file = v._file(rng, d.held_out)
    d.say("ipython", "%s\t%d" % (file, rng.randint(3, 900)))
    d.call_named("read_file", {"path": where + "/" + file})
    text = _short(rng, d.held_out)[0]
    d.say("ipython", text)
    d.say("assistant", "%s says: %s" % (file, text))
    return True


COPY = lines("""
!read {path} and [write|save|copy] it to {to}
!copy [the text of |]{path} [to|into] {to}
!put [the text of |what is in ]{path} into {to}
!save [the text of |]{path} as {to}
!write what {path} says to {to}
!make a copy of {path} [called|named] {to}
""")


def _copy(d):
    rng = d.rng
    a, b = path(rng, d.held_out), path(rng, d.held_out)
    text = _content(rng, d.held_out)
    _say(d, rng.choice(COPY).pick(rng), {"path": a, "to": b})
    d.call_named("read_file", {"path": a})
    d.say("ipython", text)
    d.call_named("write_file", {"path": b, "text": text})
    d.say("ipython", "wrote %d bytes to %s" % (len(text), b))
    d.say("assistant", rng.choice(["The text of %s is in %s.",
                                   "I copied %s to %s."]) % (a, b))
    return True


KEEP_SUM = lines("""
!calculate {sum} and [write|save] [it|the result] to {path}
!work out {sum} and [put|write] [it|the result] [in|into|to] {path}
!write the result of {sum} to {path}
!save the result of {sum} in {path}
""")


def _keep_sum(d):
    rng = d.rng
    spoken, expression, value = sums.draw(rng)
    where = path(rng, d.held_out)
    _say(d, rng.choice(KEEP_SUM).pick(rng), {"sum": spoken, "path": where})
    d.call_named("calculate", {"expression": expression})
    d.say("ipython", value)
    d.call_named("write_file", {"path": where, "text": value})
    d.say("ipython", "wrote %d bytes to %s" % (len(value), where))
    d.say("assistant", "%s is in %s." % (value, where))
    return True


KEEP_DATE = lines("""
!write [today's|the current] date to {path}
!write the date [of today |]into {path}
!save [today's|the] date in {path}
!put [today's|the current] date into {path}
!create [a file |]{path} with [today's|the current] date
""")


def _keep_date(d):
    rng = d.rng
    where, date = path(rng, d.held_out), v.DATE(rng)[0]
    _say(d, rng.choice(KEEP_DATE).pick(rng), {"path": where})
    d.call_named("now", {})
    d.say("ipython", '{"time":"%sT%02d:%02d:%02dZ","unix":%d,"weekday":"%s"}'
          % (date, rng.randint(0, 23), rng.randint(0, 59), rng.randint(0, 59),
             rng.randint(1500000000, 2000000000), rng.choice(v.DAYS[:7])))
    d.call_named("write_file", {"path": where, "text": date})
    d.say("ipython", "wrote 10 bytes to %s" % where)
    d.say("assistant", "%s is in %s." % (date, where))
    return True


QUERY_SUM = lines("""
what is {q} in {path} times {k} = {n} * {k}
!multiply {q} in {path} by {k} = {n} * {k}
!take {q} from {path} and multiply it by {k} = {n} * {k}
what is [twice|double] {q} in {path} = 2 * {n}
!double {q} in {path} = 2 * {n}
what is half of {q} in {path} = {n} / 2
!add {k} to {q} in {path} = {n} + {k}
what is {p} % of {q} in {path} = {p} / 100 * {n}
""")


def _query_and_count(d):
    rng = d.rng
    dotted = ".".join(rng.choice(KEYS) if rng.random() < .5 else
                      v.nonsense(rng, 1, 1)
                      for _ in range(rng.randint(1, 2)))
    file = v.nonsense(rng, 1, 2) + ".json"
    phrase, expression = rng.choice(QUERY_SUM).pick(rng).rsplit(" = ", 1)
    said = {"q": rng.choice([dotted, "." + dotted]), "path": file,
            "k": str(rng.randint(2, 99)), "p": str(rng.randint(1, 90)),
            "n": sums._operand(rng)}
    expression = fill(expression, said)
    _say(d, phrase, said)
    d.call_named("json_query", {"path": file, "query": "." + dotted})
    d.say("ipython", said["n"])
    d.call_named("calculate", {"expression": expression})
    value = sums.evaluate(expression)
    d.say("ipython", value)
    d.say("assistant", rng.choice(["It is %s.", "That is %s."]) % value)
    return True


TURNS = [(_read, 6, ["read_file"]), (_sum, 6, ["calculate"]),
         (_now, 4, ["now"]), (_list, 5, ["list_files"]),
         (_search, 5, ["search_files"]), (_write, 2.5, ["write_file"]),
         (_edit, 2, ["edit_file"]), (_remember, 2.5, ["remember"]),
         (_recall, 2.5, ["recall"]), (_query, 1.5, ["json_query"]),
         (_fetch, 1.5, ["http_fetch"]),
         (_read_and_count, 3, ["read_file", "calculate"]),
         (_find_and_read, 2, ["search_files", "read_file"]),
         (_list_and_read, 2, ["list_files", "read_file"]),
         (_copy, 1, ["read_file", "write_file"]),
         (_keep_sum, 1, ["calculate", "write_file"]),
         (_keep_date, 1, ["now", "write_file"]),
         (_query_and_count, 1, ["json_query", "calculate"])]
ALL = sorted(DEFINITIONS)


def tools(rng):
    """All of them, or some."""
    roll = rng.random()
    if roll < .55:
        return [Tool(n) for n in ALL]
    return [Tool(n) for n in sorted(rng.sample(ALL, rng.randint(
        2, len(ALL) - 1)))]


def turn(d):
    have = {t.name for t in d.tools}
    usable = [(t, w) for t, w, needs in TURNS if have.issuperset(needs)]
    if not usable:
        return False
    return d.rng.choices([t for t, _ in usable],
                         [w for _, w in usable])[0](d)
