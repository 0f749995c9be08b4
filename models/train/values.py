"""Values that stand in requests and come back as arguments.

A kind draws (spoken, value): what the user types and what the argument must
be. Mostly they are equal, for copying is what a small model does best;
where they differ (a number in words, yes for true) the table here is all it
has to learn. Words come from pools with a part held out for evaluation, or
are made up on the spot.
"""
import zlib

CITIES = """London Paris Berlin Madrid Rome Vienna Prague Lisbon Dublin Oslo
Stockholm Helsinki Copenhagen Warsaw Budapest Athens Brussels Amsterdam Zurich
Geneva Munich Hamburg Cologne Milan Naples Turin Venice Florence Barcelona
Valencia Seville Porto Lyon Marseille Nice Bordeaux Glasgow Edinburgh Bristol
Leeds Manchester Liverpool Boston Chicago Denver Dallas Houston Miami Seattle
Portland Austin Phoenix Detroit Toronto Montreal Vancouver Ottawa Tokyo Osaka
Kyoto Seoul Beijing Shanghai Mumbai Delhi Bangkok Hanoi Manila Jakarta Sydney
Melbourne Perth Auckland Cairo Nairobi Lagos Accra Tunis Lima Bogota Quito
Santiago Havana Oxford Cambridge Bath York Salzburg Graz Bergen Tampere Gdansk
Krakow Riga Tallinn Vilnius Sofia Zagreb Belgrade Ankara Izmir Tbilisi""".split()

NAMES = """Anna Ben Carla David Emma Felix Grace Henry Irene Jack Karen Leo
Maria Noah Olivia Paul Quinn Rosa Sam Tina Uma Victor Wendy Xavier Yara Zoe
Alice Bob Clara Daniel Eva Frank Gina Hugo Ines Jonas Kim Laura Max Nina Oscar
Petra Robert Sara Tom Ursula Vera Will Yusuf Zara Amir Bella Chen Dora Elias
Fatima Georg Hana Ivan Julia Kenji Lena Marco Nadia Omar Priya Ravi Sofia
Tariq Lin Mei Pablo Ruth Sven Theo Wanda Adam Carol Erik Jane Peter Mark""".split()

SURNAMES = """Smith Jones Miller Brown Fischer Weber Novak Rossi Garcia Silva
Costa Martin Dubois Laurent Jensen Hansen Larsen Berg Lund Olsen Kovacs Horvat
Popescu Ivanov Petrov Tanaka Sato Suzuki Kim Park Lee Chen Wang Singh Patel
Khan Ali Hassan Cohen Levy Murphy Walsh Clark Lewis Young King Wright Hill
Green Adams Baker Nelson Carter Turner Parker Collins Reed Cook Bell""".split()

TOPICS = """garden kitchen budget holiday travel music history physics biology
chemistry football cooking painting reading cycling hiking sailing chess
coffee bread cheese wine tea honey bees birds trees rivers mountains oceans
planets stars robots engines bridges castles trains ships planes roads energy
wind solar water climate health sleep diet sport school language grammar
poetry novels films theatre dance photography design fashion law taxes rent
insurance savings loans invoices contracts meetings projects planning testing
security networks databases servers backups passwords printers cameras phones
batteries screens keyboards licences permits visas passports hotels flights
tickets museums markets farms forests deserts islands lakes snow rain storms
floods fires earthquakes volcanoes dinosaurs whales wolves horses cats dogs
rabbits""".split()

THINGS = """table chair lamp desk sofa shelf carpet mirror clock kettle toaster
oven fridge fan heater radio speaker laptop monitor mouse cable charger phone
tablet watch bike helmet tent backpack boots jacket scarf gloves hat umbrella
wallet bag suitcase notebook pencil marker stapler scissors glue tape hammer
drill saw wrench ladder paint brush bucket hose shovel rake seeds pot vase
candle blanket pillow towel soap bottle cup plate bowl spoon fork knife pan
basket box crate drum guitar piano violin flute camera tripod drone printer
scanner router""".split()

FOLDERS = """docs src notes data logs reports config tools scripts tests
images photos music backup archive drafts letters recipes invoices projects
shared public private old new tmp lib include""".split()

STEMS = """readme notes todo report summary plan budget list index main config
settings changelog license guide manual letter draft invoice agenda minutes
recipe journal contacts inventory prices sales results data log errors users
orders schedule ideas design history outline paper thesis chapter story poem
song menu map overview install contributing faq glossary terms policy
contract""".split()

SUFFIXES = "txt md txt md csv json log py c h lua html yaml toml ini".split()

COLOURS = """red blue green yellow black white grey brown orange purple pink
gold silver""".split()

DAYS = """Monday Tuesday Wednesday Thursday Friday Saturday Sunday
today tomorrow""".split()

MONTHS = """January February March April May June July August September
October November December""".split()

LANGUAGES = """English French German Spanish Italian Portuguese Dutch Polish
Russian Greek Turkish Arabic Hindi Chinese Japanese Korean Swedish Danish
Norwegian Finnish Czech Hungarian""".split()

CURRENCIES = "USD EUR GBP JPY CHF SEK NOK DKK PLN CZK HUF CAD AUD INR".split()

NUMBER_WORDS = """zero one two three four five six seven eight nine ten eleven
twelve""".split()

ONSETS = """b c d f g h j k l m n p r s t v w z bl br ch cl cr dr fl fr gl gr
kr pl pr qu sh sk sl sm sn sp st str sw th tr tw""".split()
VOWELS = "a e i o u ai ea ee oo ou a e i o u".split()
CODAS = "b d f g k l m n p r s t x z ck ft ld lk mp nd nk nt rd rk rn sh st th"
CODAS = (CODAS + " rt ss ll").split() + [""] * 8


def is_held_out(word):
    """One word in eight never appears in training."""
    return zlib.crc32(word.encode()) % 8 == 0


def choose(rng, pool, held_out):
    """A word of the pool: of its held-out part, or of the rest."""
    for _ in range(100):
        word = pool[rng.randrange(len(pool))]
        if is_held_out(word) == held_out:
            return word
    return word


def nonsense(rng, least=1, most=3):
    """A word that nobody has seen."""
    out = ""
    for _ in range(rng.randint(least, most)):
        out += rng.choice(ONSETS) + rng.choice(VOWELS) + rng.choice(CODAS)
    return out


def same(draw):
    """A kind whose spoken form is the value."""
    def kind(rng, held_out=False):
        value = draw(rng, held_out)
        return value, value
    return kind


def pool(words):
    return same(lambda rng, held: choose(rng, words, held))


def cased(rng, word):
    return rng.choice([word, word, word.capitalize(), word.upper()])


def _identifier(rng, held):
    digits = "".join(rng.choice("0123456789")
                     for _ in range(rng.randint(2, 6)))
    letters = "".join(rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ")
                      for _ in range(rng.randint(1, 3)))
    return rng.choice([
        letters + "-" + digits, letters + digits, digits, "#" + digits,
        letters.lower() + digits, digits + letters, letters + "_" + digits,
        nonsense(rng, 1, 2) + "-" + digits,
    ])


def _file(rng, held):
    stem = choose(rng, STEMS, held) if rng.random() < .6 else nonsense(rng)
    stem = cased(rng, stem) if rng.random() < .3 else stem
    if rng.random() < .2:
        stem += rng.choice("_-") + rng.choice(
            [str(rng.randint(1, 2030)), nonsense(rng, 1, 1)])
    return stem + "." + rng.choice(SUFFIXES)


def _folder(rng, held):
    word = choose(rng, FOLDERS, held) if rng.random() < .6 \
        else nonsense(rng, 1, 2)
    if rng.random() < .25:
        word += "/" + nonsense(rng, 1, 2)
    return word


def _path(rng, held):
    path = _file(rng, held)
    if rng.random() < .45:
        path = _folder(rng, held) + "/" + path
    return ("./" if rng.random() < .05 else "") + path


def _url(rng, held):
    host = nonsense(rng, 1, 2) + rng.choice([".com", ".org", ".net", ".io"])
    if rng.random() < .3:
        host = rng.choice(["www.", "api.", "docs."]) + host
    url = rng.choice(["https://", "https://", "http://"]) + host
    for _ in range(rng.randint(0, 2)):
        url += "/" + rng.choice([nonsense(rng, 1, 2), rng.choice(STEMS)])
    return url


def _email(rng, held):
    user = choose(rng, NAMES, held).lower() if rng.random() < .6 \
        else nonsense(rng, 1, 2)
    return user + "@" + nonsense(rng, 1, 2) + rng.choice(
        [".com", ".org", ".net"])


def _name(rng, held):
    name = choose(rng, NAMES, held)
    return name + " " + choose(rng, SURNAMES, held) \
        if rng.random() < .3 else name


def _words(rng, held):
    """A few words on something: a query, a title, a subject."""
    topic = choose(rng, TOPICS, held)
    other = choose(rng, TOPICS + THINGS, held)
    return rng.choice([
        topic, topic, topic + " " + other, other + " and " + topic,
        rng.choice(COLOURS) + " " + choose(rng, THINGS, held),
        nonsense(rng), nonsense(rng, 1, 2) + " " + topic,
        topic + " in " + choose(rng, CITIES, held),
    ])


def _sentence(rng, held):
    """A short text: a note, a message."""
    name = choose(rng, NAMES, held)
    thing = choose(rng, THINGS, held)
    return rng.choice([
        "buy a new " + thing, "call " + name + " back",
        "the " + thing + " is broken", "the " + thing + " is " +
        rng.choice(COLOURS), "meet " + name + " at " + clock(rng),
        name + " likes " + choose(rng, TOPICS, held),
        "pay the " + choose(rng, TOPICS, held) + " bill",
        "the code is " + str(rng.randint(100, 9999)),
        "my " + thing + " is in the " + rng.choice(
            ["cellar", "garage", "office", "car", "kitchen"]),
        "the " + choose(rng, TOPICS, held) + " meeting is on " +
        rng.choice(DAYS[:7]), "I will be late",
        "see you at " + clock(rng), "bring the " + thing,
        "order " + str(rng.randint(2, 40)) + " of the " + thing,
        nonsense(rng) + " " + nonsense(rng) + " " + nonsense(rng),
    ])


def clock(rng):
    return "%d:%02d" % (rng.randint(0, 23), rng.choice(
        [0, 15, 30, 45, rng.randint(0, 59)]))


def _date(rng, held):
    return "%d-%02d-%02d" % (
        rng.randint(2019, 2031), rng.randint(1, 12), rng.randint(1, 28))


def number(low, high, words=True):
    """An integer; small ones now and then in words."""
    def kind(rng, held_out=False):
        value = rng.randint(low, high)
        if words and 0 <= value <= 12 and rng.random() < .3:
            return NUMBER_WORDS[value], value
        return str(value), value
    return kind


def decimal(low, high, places=2):
    def kind(rng, held_out=False):
        value = round(rng.uniform(low, high), rng.randint(1, places))
        return repr(value), value
    return kind


def amount(low, high):
    """Whole or decimal."""
    whole, part = number(low, high, words=False), decimal(low, high)

    def kind(rng, held_out=False):
        return (whole if rng.random() < .7 else part)(rng, held_out)
    return kind


def enum(*values):
    """One of a few words; a pair (spoken, value) where they differ."""
    pairs = [v if isinstance(v, tuple) else (v, v) for v in values]

    def kind(rng, held_out=False):
        return rng.choice(pairs)
    kind.values = sorted({value for _, value in pairs})
    return kind


CITY = pool(CITIES)
NAME = same(_name)
FIRST = pool(NAMES)
TOPIC = pool(TOPICS)
THING = pool(THINGS)
COLOUR = pool(COLOURS)
DAY = pool(DAYS)
LANGUAGE = pool(LANGUAGES)
CURRENCY = pool(CURRENCIES)
ID = same(_identifier)
FILE = same(_file)
FOLDER = same(_folder)
PATH = same(_path)
URL = same(_url)
EMAIL = same(_email)
QUERY = same(_words)
TEXT = same(_sentence)
DATE = same(_date)
TIME = same(lambda rng, held: clock(rng))
WORD = same(lambda rng, held: nonsense(rng))
