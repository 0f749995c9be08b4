"""Requests whose second call needs what the first one gave."""
import sums
import values as v
from expand import fill, lines
from family import slots


class Chain:
    """first and second are keys of families; asks name the slots of both
    and {it}-free; give(rng, said) makes the first result: (text, value that
    goes on, slot it goes to)."""

    def __init__(self, first, second, asks, give, slot, answers,
                 through=None, kinds=None):
        self.first, self.second = first, second
        self.needs = [first, second]
        self.asks, self.answers = lines(asks), lines(answers)
        self.give, self.slot, self.through = give, slot, through
        self.kinds = kinds or {}

    def __call__(self, d, tools):
        rng = d.rng
        a, b = tools.get(self.first), tools.get(self.second)
        if not a or not b:
            return False
        from dialogue import dress
        phrase = rng.choice(self.asks).pick(rng)
        said, first, second = {}, {}, {}
        for name in slots(phrase):
            said[name] = self._value(rng, d, name, a, b, first, second)
            if said[name] is None:
                return False
        outcome, value = self.give(rng, said)
        said["v"] = value
        made = self.through(rng, said) if self.through else value
        if self.slot not in b.params:
            return False
        second[self.slot] = made
        if not self._complete(a, first) or not self._complete(b, second):
            return False
        d.say("user", fill(dress(rng, phrase), said))
        d.call(a, self._named(a, first))
        d.say("ipython", outcome)
        d.call(b, self._named(b, second))
        last, said["r"] = self._last(rng, made)
        d.say("ipython", last)
        answer = fill(rng.choice(self.answers).pick(rng), said)
        d.say("assistant", answer)
        return True

    def _value(self, rng, d, name, a, b, first, second):
        """A slot 1x belongs to the first tool, 2x to the second."""
        tool, into = (a, first) if name[0] == "1" else (b, second)
        slot = name[1:]
        if name[0] not in "12":
            return self.kinds[name](rng, d.held_out)[0]
        if slot not in tool.params:
            return None
        spoken, into[slot] = tool.family.params[slot].kind(rng, d.held_out)
        return spoken

    @staticmethod
    def _complete(tool, given):
        return all(s in given for s, p in tool.params.items() if p[3])

    @staticmethod
    def _named(tool, given):
        return {tool.params[s][0]: given[s] for s in tool.params
                if s in given}

    def _last(self, rng, made):
        if self.second == "calculate":
            text = sums.evaluate(made)
            return text, text
        if self.second in ("read_file", "http_fetch", "recall"):
            text = v.TEXT(rng)[0]
            return text, text
        if self.second == "translate":
            text = v.nonsense(rng) + " " + v.nonsense(rng)
            return text, text
        if self.second == "days_between":
            text = str(rng.randint(2, 900))
            return text, text
        return rng.choice(["ok", "done", "sent", "stored"]), ""


def _text(rng, said):
    text = v.TEXT(rng)[0]
    return text, text


def _number(rng, said):
    text = str(rng.randint(2, 900)) if rng.random() < .6 else str(
        round(rng.uniform(1, 400), 2))
    return text, text


def _price(rng, said):
    text = str(round(rng.uniform(1, 400), rng.choice([0, 1, 2])))
    if rng.random() < .5:
        return '{"price": %s, "currency": "%s"}' % (
            text, rng.choice(v.CURRENCIES)), text
    return text + " " + rng.choice(v.CURRENCIES), text


def _hit(rng, said):
    path = v.PATH(rng)[0]
    return "%s:%d: %s" % (path, rng.randint(1, 300), v.TEXT(rng)[0]), path


def _only_file(rng, said):
    name = v.FILE(rng)[0]
    return name, said["1folder"] + "/" + name


def _page(rng, said):
    url = v.URL(rng)[0]
    return "%s (%s)" % (v.TEXT(rng)[0], url), url


def _address(rng, said):
    mail = v.EMAIL(rng)[0]
    return '{"name": "%s", "role": "%s", "email": "%s"}' % (
        said["1name"], rng.choice(["admin", "guest", "owner"]), mail), mail


def _weather(rng, said):
    text = "%s, %d C" % (rng.choice(["sunny", "cloudy", "rainy", "clear"]),
                         rng.randint(-9, 33))
    return text, text


def _today(rng, said):
    date = v.DATE(rng)[0]
    return "%s %s %s" % (date, v.clock(rng), rng.choice(v.DAYS[:7])), date


TIMES = v.number(2, 60, False)

CHAINS = [
    Chain("read_file", "send_message",
          """!read {1path} and send it to {2to}
          !send {2to} what {1path} says
          !tell {2to} what is in {1path}
          !send the [text|content] of {1path} to {2to}
          !open {1path} and message its text to {2to}""", _text, "text",
          """I told {2to} what {1path} says: {v}
          {2to} has the text of {1path}."""),
    Chain("read_file", "send_email",
          """!read {1path} and mail it to {2to}
          !email the [text|content] of {1path} to {2to}
          !send what {1path} says to {2to}""", _text, "text",
          """I sent the text of {1path} to {2to}.
          {2to} has it: {v}"""),
    Chain("read_file", "write_file",
          """!copy the text of {1path} into {2path}
          !read {1path} and write it to {2path}
          !put what {1path} says into {2path}
          !save the content of {1path} as {2path}""", _text, "text",
          """The text of {1path} is in {2path} now.
          Done: {2path} says: {v}"""),
    Chain("read_file", "translate",
          """!translate {1path} [to|into] {2language}
          !read {1path} and translate it [to|into] {2language}
          what does {1path} say in {2language}""", _text, "text",
          """In {2language} it says: {r}
          The translation is: {r}"""),
    Chain("read_file", "remember",
          """!remember what {1path} says
          !read {1path} and keep it as a note
          !note the content of {1path}""", _text, "text",
          """I noted what {1path} says: {v}
          Noted: {v}"""),
    Chain("read_file", "calculate",
          """what is [twice|double] the number in {1path}
          !read {1path} and double the number
          !double the number in {1path}""", _number, "sum",
          """It is {r}.
          Twice the number in {1path} is {r}.""",
          through=lambda rng, said: "2 * " + said["v"]),
    Chain("read_file", "calculate",
          """what is the number in {1path} [times|multiplied by] {k}
          !multiply the number in {1path} by {k}
          !read {1path} and multiply it by {k}""", _number, "sum",
          """It is {r}.
          The result is {r}.""",
          through=lambda rng, said: said["v"] + " * " + said["k"],
          kinds={"k": TIMES}),
    Chain("json_query", "calculate",
          """what is {1query} [of|in] {1file} times {k}
          !take {1query} from {1file} and multiply it by {k}
          !multiply {1query} in {1file} by {k}""", _number, "sum",
          """It is {r}.
          {1query} times {k} is {r}.""",
          through=lambda rng, said: said["v"] + " * " + said["k"],
          kinds={"k": TIMES}),
    Chain("product_price", "calculate",
          """how much are {k} {1item}s
          what do {k} {1item}s cost
          what is the price of {k} {1item}s
          I need {k} {1item}s, what [do I pay|does that cost]""", _price,
          "sum", """{k} {1item}s cost {r}.
          That is {r} for {k} {1item}s.""",
          through=lambda rng, said: said["v"] + " * " + said["k"],
          kinds={"k": TIMES}),
    Chain("stock_price", "calculate",
          """what are {k} shares of {1symbol} worth
          how much are {k} shares of {1symbol}
          I have {k} shares of {1symbol}, what are they worth""",
          lambda rng, said: (lambda n: ('{"price": %s}' % n, n))(
              str(round(rng.uniform(1, 400), 2))), "sum",
          """{k} shares are worth {r}.
          They are worth {r}.""",
          through=lambda rng, said: said["v"] + " * " + said["k"],
          kinds={"k": TIMES}),
    Chain("search_files", "read_file",
          """!find the file that mentions {1text} and read it
          !read the file that [mentions|contains] {1text}
          !search for {1text} and show me the file
          !open the file with {1text} in it""", _hit, "path",
          """{v} says: {r}
          It is {v}: {r}"""),
    Chain("list_files", "read_file",
          """!read the only file in {1folder}
          !show me the file in {1folder}
          what does the file in {1folder} say""", _only_file, "path",
          """{v} says: {r}
          It says: {r}"""),
    Chain("web_search", "http_fetch",
          """!search for {1query} and open the [page|first page]
          !find a page on {1query} and read it
          !google {1query} and read the page""", _page, "url",
          """{v} says: {r}
          The page says: {r}"""),
    Chain("http_fetch", "write_file",
          """!fetch {1url} and save it as {2path}
          !download {1url} to {2path}
          !store the page {1url} in {2path}""", _text, "text",
          """The page is in {2path}.
          I saved {1url} as {2path}."""),
    Chain("user_info", "send_email",
          """!mail {2text} to the user {1name}
          !send the user {1name} an email: {2text}
          !write to the user {1name}: {2text}""", _address, "to",
          """I wrote to {1name} at {v}.
          {1name} has your mail at {v}."""),
    Chain("weather", "send_message",
          """!tell {2to} the weather in {1city}
          !send {2to} the weather in {1city}
          !let {2to} know how the weather is in {1city}""", _weather, "text",
          """I told {2to}: {v}
          {2to} knows now: {v}"""),
    Chain("recall", "send_message",
          """!send {2to} my note about {1text}
          !tell {2to} what I noted about {1text}""", _text, "text",
          """I told {2to}: {v}
          {2to} has your note: {v}"""),
    Chain("now", "days_between",
          """how many days [are there |]until {2to}
          how long is it until {2to}
          how many days are left until {2to}""", _today, "from",
          """It is {r} days until {2to}.
          There are {r} days left."""),
    Chain("now", "write_file",
          """!write [today's|the current] date to {2path}
          !save [today's|the] date in {2path}""", _today, "text",
          """The date {v} is in {2path}.
          I wrote {v} to {2path}."""),
]
