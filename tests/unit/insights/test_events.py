"""Reading a function's lines into events."""

from __future__ import annotations

import pytest

from insights import Event, QueryError, evaluate, read_lines


@pytest.mark.parametrize(
    ("written", "milliseconds"),
    [
        ("2026-11-21 00:00:01,250+0000", 1_795_219_201_250),
        ("2026-11-21T00:00:01.250Z", 1_795_219_201_250),
        ("2026-11-21T02:00:01.250123+02:00", 1_795_219_201_250),
        ("2026-11-21T00:00:01.2", 1_795_219_201_200),
        ("2026-11-21T00:00:01", 1_795_219_201_000),
    ],
)
def test_line_tells_its_time(written: str, milliseconds: int) -> None:
    """The timestamp of a JSON line is read in Powertools' form and in ISO 8601."""
    line = f'{{"level": "INFO", "timestamp": "{written}"}}'
    assert [Event(milliseconds, line, "s", "g")] == list(read_lines([line + "\n"], "g", "s"))


def test_line_without_a_time_follows_the_one_before() -> None:
    """A line without a time, or with one that cannot be, happens when the line before it did; blank lines are none."""
    lines = ["START", '{"timestamp": "2026-11-21T00:00:00Z"}', "", "REPORT", '{"timestamp": "2026-13-41T00:00:00Z"}']
    times = [event.timestamp_ms for event in read_lines(lines, "g", "s", start_ms=5)]
    assert times == [5, 1_795_219_200_000, 1_795_219_200_000, 1_795_219_200_000]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('x\tINFO\tgot event {"level":"warn","n":5} from queue', {"level": "warn", "n": "5"}),
        ('{"n":1} {"level":"b"}', {"n": "1"}),
        ('{foo=2, bar=data} {"n":3}', {"n": "3"}),
        ('{"n": 1.5, "level": "\u00e9"} \u00e9', {"n": "1.5", "level": "\u00e9"}),
        ('{"n": 1', {}),
        ('{"n":' * 5_000, {}),
        ("{" * 5_000, {}),
        ('{"a":' * 400 + "[" + "1," * 300 + "1]" + "}" * 400 + " x", {}),
    ],
)
def test_first_json_of_a_line_is_found(line: str, found: dict[str, str]) -> None:
    """Fields are those of the first JSON object in a line, whatever stands before and after it."""
    assert evaluate("fields level, n", [Event(0, line)]).rows == (found,)


def test_two_hundred_fields_of_a_line_are_found() -> None:
    """As on CloudWatch the others are missing, and the answer says of how many lines."""
    numbers = ",".join(f'"n{number}":{number}.50' for number in range(250))
    result = evaluate("fields a.n199, a.n200, b", [Event(0, f'{{"a":{{{numbers}}},"b":1}}'), Event(1, '{"b":2}')])
    assert result.rows == ({"b": "2"}, {"a.n199": "199.5"})
    assert result.notes == ("1 log events have more than 200 fields: as on CloudWatch, only their first are found.",)


@pytest.mark.parametrize(
    ("query", "line", "kind"),
    [
        (
            "stats sum(bytes) by srcAddr",
            "2 123456789010 eni-1235b8ca 172.31.16.139 172.31.16.21 20641 22 6 20 4249 1418530010 1418530070 ACCEPT OK",
            "`srcAddr` in VPC flow logs",
        ),
        (
            "stats count(*) by queryType",
            "1.0 2017-12-13T08:16:02.130Z Z123412341234 example.com A NOERROR UDP FRA6 192.168.1.1 -",
            "`queryType` in Route 53 query logs",
        ),
    ],
)
def test_lines_of_other_services_are_not_answered_with_blanks(query: str, line: str, kind: str) -> None:
    """A field that CloudWatch finds in such lines is refused by name; where there are none it is any field."""
    with pytest.raises(QueryError, match=f"CloudWatch finds {kind} by itself") as refused:
        evaluate(query, [Event(0, line)])
    assert refused.value.code == "not_supported"
    assert evaluate(query, [Event(0, "{}")]).statistics.scanned == 1
