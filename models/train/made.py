"""Invented tools: what makes the model read descriptions.

A verb and a noun that no real tool has together, a name that may say them,
or half of them, or nothing at all; 0 to 3 parameters. The request says the
same thing with other words: each verb and noun stands in a row of synonyms.
"""
import values as v
from family import Family, Param

VERBS = """
create make add build set_up
delete remove erase get_rid_of
find look_up search_for locate
show display view
update change modify
open unlock
close shut
start launch begin
stop halt end
send deliver dispatch
count number tally
check verify inspect
clean wash tidy
repair fix mend
paint colour
measure gauge
sort arrange order
print output
copy duplicate clone
move shift relocate
lock seal
compare contrast
merge combine join
split divide separate
rename retitle
buy purchase
sell offer
rent lease
feed nourish
water sprinkle
cool chill
heat warm
weigh balance
archive store put_away
restore recover bring_back
approve accept
reject refuse turn_down
assign allot
schedule plan
cancel call_off
review evaluate
summarize sum_up
publish release
hide conceal
mix blend stir
scan read_in
calibrate adjust tune
charge load_up
label tag mark
encrypt cipher scramble
rotate turn spin
""".strip().splitlines()
VERBS = [[w.replace("_", " ") for w in row.split()] for row in VERBS]

NOUNS = """
invoice bill
customer client
machine device
room chamber
car vehicle
picture image photo
document paper
shipment delivery
door gate
tank container
plant flower
animal beast
contract agreement
player gamer
team group
channel stream
folder directory
record entry
sensor probe
window pane
engine motor
pump compressor
ticket voucher
gift present
bottle flask
field meadow
boat ship
valve tap
book volume
key password
map chart
song tune
recipe formula
table desk
student pupil
teacher tutor
course class
employee worker
store shop
warehouse depot
bridge crossing
satellite orbiter
robot automaton
cable wire
battery cell
garden yard
medicine drug
patient case
experiment trial
sample specimen
letter note
poll survey
coupon discount
account profile
camera lens
oven furnace
printer plotter
signal beacon
backup snapshot
license permit
""".strip().splitlines()
NOUNS = [row.split() for row in NOUNS]

KINDS = [
    ("id number code key ref", v.ID, "string", "the {n}'s id"),
    ("name title label", v.same(lambda r, h: v.nonsense(r, 1, 3)), "string",
     "name of the {n}"),
    ("person owner user author", v.NAME, "string", "the person"),
    ("count amount quantity size", v.number(2, 500), "integer",
     "how many"),
    ("level weight price speed", v.decimal(1, 90), "number", "the value"),
    ("path file source", v.PATH, "string", "the file"),
    ("colour color shade", v.COLOUR, "string", "the colour"),
    ("city place location", v.CITY, "string", "where"),
    ("date day", v.DATE, "string", "the day"),
    ("text message comment", v.TEXT, "string", "the text"),
    ("url link", v.URL, "string", "the address"),
    ("email contact", v.EMAIL, "string", "the email"),
    ("topic subject", v.QUERY, "string", "what it is about"),
]


def _snake(*words):
    return "_".join(w.replace(" ", "_") for w in words)


def _name(rng, verb, noun):
    roll = rng.random()
    if roll < .4:
        return _snake(verb, noun)
    if roll < .5:
        return _snake(noun, verb)
    if roll < .6:
        return _snake(verb)
    if roll < .7:
        return _snake(noun, v.nonsense(rng, 1, 1))
    if roll < .9:
        return v.nonsense(rng, 1, 3)
    return v.nonsense(rng, 1, 1) + "_" + str(rng.randint(1, 99))


def _describe(rng, verb, noun, names):
    verb = verb.capitalize()
    if verb[-1] not in "sxyh" and " " not in verb and rng.random() < .2:
        verb += "s"
    base = rng.choice(["%s a %s", "%s the %s", "%s one %s"]) % (verb, noun)
    if names and rng.random() < .4:
        base += rng.choice([" by ", " by its ", ", given the ", " with a "]) \
            + names[0]
    return base


def _mention(rng, names, slots, single):
    """How the request names its values."""
    if single and rng.random() < .65:
        return " {%s}" % slots[0]
    parts = []
    for name, slot in zip(names, slots):
        parts.append(rng.choice(["%s {%s}", "%s {%s}", "the %s {%s}"])
                     % (name, slot))
    joined = parts[0]
    if len(parts) > 1:
        joined = ", ".join(parts[:-1]) + rng.choice([" and ", ", "]) \
            + parts[-1]
    return rng.choice([" with %s", " with %s", ", %s", " (%s)", ": %s"]) \
        % joined


def _rows(rng, held_out):
    return (v.choose(rng, [" / ".join(r) for r in VERBS], held_out),
            v.choose(rng, ["/".join(r) for r in NOUNS], held_out))


def kin(rng, held_out):
    """A verb and a noun that several tools of a dialogue share, one or the
    other, so that half a description does not tell them apart."""
    return _rows(rng, held_out)


def family(rng, held_out=False, kin=None):
    """An invented family of one tool."""
    if rng.random() < .12:
        return _nonsense_family(rng)
    verbs, nouns = _rows(rng, held_out)
    if kin and rng.random() < .35:
        verbs = kin[0]
    elif kin and rng.random() < .6:
        nouns = kin[1]
    verbs, nouns = verbs.split(" / "), nouns.split("/")
    told, noun_told = rng.choice(verbs), rng.choice(nouns)
    name = _name(rng, told, noun_told)
    kinds = rng.sample(KINDS, rng.choice([0, 1, 1, 1, 2, 2, 3]))
    if rng.random() < .15:
        words = [v.nonsense(rng, 1, 1) for _ in range(rng.randint(2, 4))]
        kinds.append(("mode kind type", v.enum(*words), "string", "one of"))
    params, names, slots = {}, [], []
    for i, (pnames, kind, type_, desc) in enumerate(kinds[:3]):
        pname = rng.choice(pnames.split())
        if pname in names:
            continue
        slot = "p%d" % i
        params[slot] = Param(pname, kind, desc.replace("{n}", noun_told),
                             type_)
        names.append(pname)
        slots.append(slot)
    asks = []
    for _ in range(6):
        verb = rng.choice(verbs) if rng.random() < .5 else told
        noun = rng.choice(nouns) if rng.random() < .4 else noun_told
        ask = "!%s %s %s" % (verb, rng.choice(["the", "a", "the", "my"]),
                             noun)
        if slots:
            ask += _mention(rng, names, slots, len(slots) == 1)
        asks.append(ask)
    return Family(name, name, _describe(rng, told, noun_told, names), params,
                  "\n".join(asks), _results(rng, told, noun_told, slots),
                  out=OUT)


def _nonsense_family(rng):
    verb, noun = v.nonsense(rng, 1, 2), v.nonsense(rng, 1, 2)
    kind = rng.choice(KINDS)
    pname = rng.choice(kind[0].split())
    name = rng.choice([_snake(verb, noun), verb, v.nonsense(rng, 1, 2)])
    asks = ["!%s the %s {p0}" % (verb, noun), "!%s %s {p0}" % (verb, noun),
            "!%s the %s with %s {p0}" % (verb, noun, pname)]
    return Family(name, name, "%s the %s" % (verb.capitalize(), noun),
                  {"p0": Param(pname, kind[1], kind[3].replace(
                      "{n}", noun), kind[2])},
                  "\n".join(asks), _results(rng, verb, noun, ["p0"]),
                  out=OUT)


OUT = {"code": v.ID, "n": v.number(1, 900, False), "w": v.WORD,
       "t": v.TEXT, "state": v.enum("ready", "open", "closed", "new", "busy",
                                    "done", "empty", "full", "waiting")}


def _results(rng, verb, noun, slots):
    """Results in text and JSON, with answers that quote them."""
    key, key2 = v.nonsense(rng, 1, 1), rng.choice(
        ["status", "state", "result", "value", "total", "reply"])
    forms = [
        ("ok", "Done.\nDone: %s, %s." % (verb, noun)),
        ("done, %s {code}" % rng.choice(["id", "code", "number", "ref"]),
         "Done, it is {code}.\nThe %s is {code}." % noun),
        ("{n}", "The result is {n}.\nIt is {n}."),
        ("{w}", "The result is {w}.\nThe %s says {w}.\nIt is {w}." % noun),
        ("{t}", "It says: {t}\nThe result is: {t}"),
        ({key2: "{n}"}, "The %s is {n}.\nIt is {n}." % key2),
        ({key2: "{w}", "id": "{code}"},
         "The %s is {w} and the id {code}.\nIt is {w} ({code})." % key2),
        ({key: "{w}", key2: "{n}"},
         "The %s is {n} and %s is {w}." % (key2, key)),
        ({"state": "{state}", "count": "{n}"},
         "The %s is {state}, the count {n}.\nIt is {state} (count {n})."
         % noun),
        ("the %s is {state}" % noun, "The %s is {state}." % noun),
    ]
    return rng.sample(forms, 3)
