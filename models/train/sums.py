"""Arithmetic as people ask for it, the expression to call with, the result.

What is spoken decides the expression, symbol by symbol and in the order it
was said, so that a small model can copy it.
"""
from expand import Phrase


def number_text(value):
    """As the calculate tool prints it: no trailing zeros."""
    if isinstance(value, int) or value == int(value):
        return str(int(value))
    return "%.15g" % value


def _operand(rng):
    roll = rng.random()
    if roll < .45:
        return str(rng.randint(2, 99))
    if roll < .8:
        return str(rng.randint(100, 9999))
    return str(round(rng.uniform(.1, 99.9), rng.randint(1, 2)))


BINARY = [
    (["+", "plus", "and", "added to"], "+"),
    (["-", "minus", "less"], "-"),
    (["*", "x", "times", "multiplied by"], "*"),
    (["/", "divided by", "over"], "/"),
]

# {a}, {b}, {c} are numbers; the expression is what the tool gets.
FORMS = [(Phrase(spoken), expression) for spoken, expression in [
    ("{a} [%|percent] of {b}", "{a} / 100 * {b}"),
    ("{a} percent of {b}", "{a} / 100 * {b}"),
    ("{a}% of {b}", "{a} / 100 * {b}"),
    ("the square root of {a}", "sqrt({a})"),
    ("[|the ]root of {a}", "sqrt({a})"),
    ("sqrt({a})", "sqrt({a})"),
    ("{a} [squared|to the square]", "{a}^2"),
    ("{a} cubed", "{a}^3"),
    ("{a} to the power [of |]{p}", "{a}^{p}"),
    ("{a}^{p}", "{a}^{p}"),
    ("half of {a}", "{a} / 2"),
    ("half {a}", "{a} / 2"),
    ("a third of {a}", "{a} / 3"),
    ("a quarter of {a}", "{a} / 4"),
    ("[twice|double|two times] {a}", "2 * {a}"),
    ("three times {a}", "3 * {a}"),
    ("the sum of {a} and {b}", "{a} + {b}"),
    ("the sum of {a}, {b} and {c}", "{a} + {b} + {c}"),
    ("the product of {a} and {b}", "{a} * {b}"),
    ("the difference between {a} and {b}", "{a} - {b}"),
    ("the [average|mean] of {a} and {b}", "({a} + {b}) / 2"),
    ("the [average|mean] of {a}, {b} and {c}", "({a} + {b} + {c}) / 3"),
    ("({a} + {b}) * {c}", "({a} + {b}) * {c}"),
    ("({a} - {b}) / {c}", "({a} - {b}) / {c}"),
    ("{a} * ({b} + {c})", "{a} * ({b} + {c})"),
    ("{n} factorial", "{n}!"),
    ("the factorial of {n}", "{n}!"),
    ("{a} plus {b} [times|*] {c}", "{a} + {b} * {c}"),
    ("{a} [items|pieces|tickets|boxes|books] at {b} each", "{a} * {b}"),
    ("{a} [hours|days] at {b} [an hour|a day|each]", "{a} * {b}"),
    ("{a} plus {q} percent", "{a} + {a} * {q} / 100"),
    ("{a} minus {q} percent", "{a} - {a} * {q} / 100"),
    ("{a} with {q}% off", "{a} - {a} * {q} / 100"),
    ("{a} with {q}% tax", "{a} + {a} * {q} / 100"),
    ("{a} split [between|among|by] {s}[| people]", "{a} / {s}"),
    ("{a} shared by {s}[| people]", "{a} / {s}"),
    ("the remainder of {a} divided by {s}", "{a} % {s}"),
    ("{a} mod {s}", "{a} % {s}"),
]]


def _chain(rng):
    """a op b [op c ...]: spoken with signs or with words."""
    spoken = expression = _operand(rng)
    words = rng.random() < .5
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        names, sign = rng.choice(BINARY)
        name = rng.choice(names[1:] if words else names[:1])
        right = _operand(rng)
        tight = "" if not words and rng.random() < .25 else " "
        spoken += tight + name + tight + right
        expression += " " + sign + " " + right
    return spoken, expression


def draw(rng):
    """(spoken, expression, result as text)."""
    while True:
        if rng.random() < .45:
            spoken, expression = _chain(rng)
        else:
            phrase, expression = rng.choice(FORMS)
            spoken = phrase.pick(rng)
            values = {
                "a": _operand(rng), "b": _operand(rng), "c": _operand(rng),
                "p": str(rng.randint(2, 12)), "n": str(rng.randint(3, 20)),
                "q": str(rng.randint(2, 60)), "s": str(rng.randint(2, 12)),
            }
            for name, value in values.items():
                spoken = spoken.replace("{%s}" % name, value)
                expression = expression.replace("{%s}" % name, value)
        result = evaluate(expression)
        if result is not None and len(result) <= 18:
            return spoken, expression, result


def evaluate(expression):
    import math
    text = expression.replace("^", "**")
    if text.endswith("!"):
        text = "factorial(%s)" % text[:-1]
    try:
        value = eval(text, {"__builtins__": {}}, {
            "sqrt": math.sqrt, "factorial": math.factorial})
        return number_text(value)
    except (ZeroDivisionError, OverflowError, ValueError, TypeError):
        return None
