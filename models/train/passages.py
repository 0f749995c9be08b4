"""Passages with facts, questions about them, and the sentence that answers.

Each fact is a sentence, with the ways to ask for it and the words to search
for. A passage is several facts about different things, so that the answer
has to be found.
"""
import values as v
from expand import Phrase, fill, lines
from family import slots

SUBJECTS = {
    "name": v.FIRST, "full": v.NAME, "city": v.CITY, "thing": v.THING,
    "topic": v.TOPIC, "time": v.TIME, "time2": v.TIME, "date": v.DATE,
    "n": v.number(2, 900, False), "day": v.pool(v.DAYS[:7]),
    "colour": v.COLOUR, "id": v.ID, "email": v.EMAIL, "url": v.URL,
    "price": v.amount(2, 900), "cur": v.CURRENCY, "w": v.WORD,
    "lang": v.LANGUAGE, "path": v.PATH, "month": v.pool(v.MONTHS),
}

# sentence | search words | questions
FACTS = [(Phrase(a), b.strip(), lines(c)) for a, b, c in [
    ("The {topic} office opens at {time} and closes at {time2}.",
     "{topic} office", """when does the {topic} office [open|close]
     what are the hours of the {topic} office
     until when is the {topic} office open"""),
    ("{full} is responsible for {topic}.", "{topic}",
     """who is responsible for {topic}
     who takes care of {topic}
     whom do I ask about {topic}"""),
    ("The {thing} costs {price} {cur}.", "{thing}",
     """how much is the {thing}
     what does the {thing} cost
     what is the price of the {thing}"""),
    ("The {topic} meeting is on {day} at {time}.", "{topic} meeting",
     """when is the {topic} meeting
     on which day is the {topic} meeting
     at what time is the {topic} meeting"""),
    ("{name} was born in {city} in {n}.", "{name}",
     """where was {name} born
     when was {name} born
     where does {name} come from"""),
    ("The {thing} in the {topic} room is {colour}.", "{thing} {topic} room",
     """what colour [is|has] the {thing} in the {topic} room
     which colour does the {thing} in the {topic} room have"""),
    ("The password for {w} is kept in {path}.", "{w} password",
     """where is the password for {w}
     in which file is the password of {w}"""),
    ("Orders above {price} {cur} are sent free of charge.", "orders",
     """when is an order sent free of charge
     from which amount on is sending free"""),
    ("The {w} server runs on port {n}.", "{w} server",
     """on which port does the {w} server run
     what is the port of {w}
     which port does {w} use"""),
    ("{full} lives in {city}.", "{full}",
     """where does {full} live
     in which city does {full} live"""),
    ("The {topic} course has {n} students.", "{topic} course",
     """how many students [has|are in] the {topic} course
     how large is the {topic} course"""),
    ("The {w} bridge is {n} metres long.", "{w} bridge",
     """how long is the {w} bridge
     what is the length of the {w} bridge"""),
    ("{name} speaks {lang} and reads about {topic}.", "{name}",
     """which language does {name} speak
     what does {name} read about"""),
    ("Questions about {topic} go to {email}.", "{topic} questions",
     """where do I send questions about {topic}
     what is the address for questions about {topic}
     whom do I write to about {topic}"""),
    ("The deadline for the {topic} report is {date}.", "{topic} report",
     """when is the {topic} report due
     what is the deadline [for|of] the {topic} report
     until when must I send the {topic} report"""),
    ("Version {n} of {w} was released on {date}.", "{w} version",
     """when was version {n} of {w} released
     which version of {w} came out on {date}
     when did version {n} of {w} come out"""),
    ("The {thing} must be cleaned every {n} days.", "{thing} cleaned",
     """how often must the {thing} be cleaned
     when do I have to clean the {thing}"""),
    ("{w} is the capital of {w2}.", "capital of {w2}",
     """what is the capital of {w2}
     which city is the capital of {w2}"""),
    ("The train to {city} leaves from platform {n}.", "train to {city}",
     """from which platform does the train to {city} leave
     where does the train to {city} leave"""),
    ("The guarantee of the {thing} lasts {n} months.", "{thing} guarantee",
     """how long is the guarantee of the {thing}
     how many months of guarantee has the {thing}"""),
    ("{full} founded the {w} company in {city}.", "{w} company",
     """who founded the {w} company
     where was the {w} company founded"""),
    ("The file {path} describes the {topic} settings.", "{topic} settings",
     """which file describes the {topic} settings
     where are the {topic} settings described"""),
    ("The {w} river is {n} km long and flows through {city}.", "{w} river",
     """how long is the {w} river
     through which city does the {w} river flow"""),
    ("Visitors need the code {id} to open the {topic} door.", "{topic} door",
     """what is the code [of|for] the {topic} door
     how do I open the {topic} door
     which code opens the {topic} door"""),
    ("The team of {name} won the {topic} prize in {city}.", "{topic} prize",
     """who won the {topic} prize
     where was the {topic} prize won"""),
    ("To reset the {thing}, hold the {colour} button for {n} seconds.",
     "reset {thing}", """how do I reset the {thing}
     which button resets the {thing}
     how long do I hold the button of the {thing}"""),
    ("Lunch in the {w} house is served from {time} to {time2}.",
     "lunch {w} house", """when is lunch in the {w} house
     from when on is lunch served in the {w} house"""),
    ("The {topic} budget for {month} is {price} {cur}.", "{topic} budget",
     """how large is the {topic} budget for {month}
     what is the {topic} budget in {month}"""),
]]

DULL = lines("""
The list is renewed [every week|every month|once a year].
More about this stands in {path}.
This page was written by {name}.
[Most people|Many] find this useful.
The work goes on.
It was a long and [cold|warm|quiet] [year|winter|summer].
{name} and {name2} agree on that.
There is a picture of it in the hall.
Nobody knows why.
""")


def _values(rng, held_out):
    values = {k: str(kind(rng, held_out)[0]) for k, kind in SUBJECTS.items()}
    values["w2"], values["name2"] = v.nonsense(rng), v.FIRST(rng)[0]
    values["w"], values["w2"] = (values["w"].capitalize(),
                                 values["w2"].capitalize())
    return values


def fact(rng, held_out=False):
    """(sentence, question, words to search for)."""
    sentence, search, questions = rng.choice(FACTS)
    values = _values(rng, held_out)
    question = rng.choice(questions).pick(rng)
    return (fill(sentence.pick(rng), values), fill(question, values),
            fill(search, values))


def dull(rng):
    return fill(rng.choice(DULL).pick(rng), _values(rng, False))


def text(rng, facts):
    """A text that holds the sentences, among others."""
    sentences = list(facts)
    for _ in range(rng.randint(0, 3)):
        sentences.insert(rng.randint(0, len(sentences)), dull(rng))
    return " ".join(sentences)


def summary(rng, held_out=False):
    """(text of one or two paragraphs, summary: what each begins with)."""
    paragraphs, firsts = [], []
    for _ in range(rng.choice([1, 2, 2, 3])):
        first = fact(rng, held_out)[0]
        rest = [dull(rng) for _ in range(rng.randint(1, 3))]
        if rng.random() < .3:
            rest.insert(0, fact(rng, held_out)[0])
        paragraphs.append(" ".join([first] + rest))
        firsts.append(first)
    return "\n".join(paragraphs), " ".join(firsts)
