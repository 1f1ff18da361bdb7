"""
How `parseDate` reads a date: a pattern of Java's DateTimeFormatter as a regular expression, and its parts as SQL.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-operations-functions.html names the patterns,
https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/time/format/DateTimeFormatter.html has their rules.
"""

from __future__ import annotations

import re

# Runs of the same letter, quoted text (two quotes are one), and anything else by itself.
_TOKEN = re.compile(r"([A-Za-z])\1*|'(?:[^']|'')*'|.", re.DOTALL)
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December")  # fmt: skip
_SHORT_MONTHS = tuple(month[:3] for month in _MONTHS)

# What each part of a pattern is and matches. Where numbers may have one digit or two, a digit must not follow.
_PARTS = {
    "yyyy": ("year", "[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9]"),  # of the era: there is no year 0
    "uuuu": ("year", "[0-9]{4}"),
    **dict.fromkeys(("yy", "uu"), ("short_year", "[0-9]{2}")),
    "MMMM": ("month_name", "|".join(_MONTHS)),
    "MMM": ("month_name", "|".join(_SHORT_MONTHS)),
    "MM": ("month", "0[1-9]|1[0-2]"),
    "M": ("month", "0?[1-9]|1[0-2]"),
    "dd": ("day", "0[1-9]|[12][0-9]|3[01]"),
    "d": ("day", "0?[1-9]|[12][0-9]|3[01]"),
    "HH": ("hour", "[01][0-9]|2[0-3]"),
    "H": ("hour", "[01]?[0-9]|2[0-3]"),
    "hh": ("half_day_hour", "0[1-9]|1[0-2]"),
    "h": ("half_day_hour", "0?[1-9]|1[0-2]"),
    "a": ("half", "AM|PM"),
    "mm": ("minute", "[0-5][0-9]"),
    "m": ("minute", "[0-5]?[0-9]"),
    "ss": ("second", "[0-5][0-9]"),
    "s": ("second", "[0-5]?[0-9]"),
    **{"S" * digits: ("fraction", f"[0-9]{{{digits}}}") for digits in range(1, 10)},
    "X": ("offset", "Z|[+-][0-9]{2}(?:[0-9]{2})?"),
    "XX": ("offset", "Z|[+-][0-9]{4}"),
    "XXX": ("offset", "Z|[+-][0-9]{2}:[0-9]{2}"),  # three letters of the pattern, as +02:00
    "x": ("offset", "[+-][0-9]{2}(?:[0-9]{2})?"),
    "xx": ("offset", "[+-][0-9]{4}"),
    "xxx": ("offset", "[+-][0-9]{2}:[0-9]{2}"),
    **dict.fromkeys(("Z", "ZZ", "ZZZ"), ("offset", "[+-][0-9]{4}")),
}
_RESERVED = frozenset("[]{}#'")
_ALTERNATIVES = (("year", "short_year"), ("month", "month_name"), ("hour", "half_day_hour"))


def expression_of(pattern: str) -> tuple[str, list[str]] | None:
    """
    Return a regular expression for the dates of a pattern, and the names of its groups in their order.

    None for a pattern that has another letter, that names a part twice, or no whole date.
    """
    expression, names, after_short_number = "", [], False
    for token in (match[0] for match in _TOKEN.finditer(pattern)):
        if token[0].isascii() and token[0].isalpha():
            if token not in _PARTS:
                return None
            name, matched = _PARTS[token]
            if after_short_number and "[0-9]" in matched:
                return None  # Java shares the digits out by rules of its own
            names.append(name)
            expression += f"({matched})"
            after_short_number = token in {"M", "d", "H", "h", "m", "s"}
            continue
        literal = token if len(token) == 1 else token[1:-1].replace("''", "'") or "'"
        if token in _RESERVED:
            return None
        expression += re.escape(literal)
        after_short_number = after_short_number and not literal
    there = set(names)
    one_each = len(there) == len(names) and all(not {*either} <= there for either in _ALTERNATIVES)
    dated = there & {"year", "short_year"} and there & {"month", "month_name"} and "day" in there
    halves = ("half" in there) == ("half_day_hour" in there)
    return (f"^(?:{expression})$", names) if one_each and dated and halves else None


def milliseconds(parts: str, names: list[str]) -> str:
    """Return SQL for the milliseconds since 1970 of a date whose parts are a struct; what is not a date is missing."""

    def number(name: str, default: str = "0") -> str:
        return f"TRY_CAST({parts}['{name}'] AS INTEGER)" if name in names else default

    year = number("year") if "year" in names else f"2000 + {number('short_year')}"
    month = number("month")
    if "month_name" in names:
        listed = ", ".join(f"'{month}'" for month in _SHORT_MONTHS)
        month = f"list_position([{listed}], left({parts}['month_name'], 3))"
    hour = number("hour")
    if "half_day_hour" in names:
        hour = f"{number('half_day_hour')} % 12 + CASE WHEN {parts}['half'] = 'PM' THEN 12 ELSE 0 END"
    # As Java does by default: the 30th of February is its last day.
    day = f"least({number('day')}, day(last_day(make_date({year}, {month}, 1))))"
    date = f"epoch_ms(make_timestamp({year}, {month}, {day}, {hour}, {number('minute')}, {number('second')}::DOUBLE))"
    if "fraction" in names:
        date += f" + rpad(left({parts}['fraction'], 3), 3, '0')::INTEGER"
    if "offset" in names:
        digits = f"replace({parts}['offset'], ':', '')"
        minutes = f"(substr({digits}, 2, 2)::INTEGER * 60 + coalesce(TRY_CAST(substr({digits}, 4, 2) AS INTEGER), 0))"
        sign = f"CASE left({digits}, 1) WHEN '-' THEN -1 ELSE 1 END"
        date += f" - CASE WHEN {digits} = 'Z' THEN 0 ELSE {sign} * {minutes} * 60000 END"
    return f"CASE WHEN {parts}['day'] <> '' THEN ({date})::DOUBLE END"
