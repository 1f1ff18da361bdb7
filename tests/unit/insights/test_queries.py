"""What queries answer: the written table, the documentation's own order of a sort, and what holds for any query."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insights import Event, QueryError, Result, Statistics, evaluate
from insights.evaluation import open_engine
from unit.insights.fixed_lines import EVENTS, MINUTE, NOW, START, TABLES


def read_table(name: str) -> list[tuple[str, list[dict[str, str]]]]:
    """Read a table of queries and their rows: a paragraph each."""
    cases = []
    for paragraph in Path(__file__).with_name(name).read_text("utf-8").strip().split("\n\n"):
        lines = paragraph.split("\n")
        query = "\n".join(line.removeprefix("> ") for line in lines if line.startswith("> "))
        if query:
            cases.append((query, [json.loads(line) for line in lines if line.startswith("{")]))
    return cases


def read_page_table() -> list[tuple[str, str, str]]:
    """Read the table of single expressions, conditions and refusals: the kind, the text and what it gives."""
    cases = []
    for line in Path(__file__).with_name("page_table.txt").read_text("utf-8").splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "!":
            code, _, query = rest.partition(" ")
            cases.append((kind, query, code))
        elif kind in {"=", "?"}:
            text, _, expected = rest.rpartition(" => ")
            cases.append((kind, text, expected))
    return cases


def ask(query: str) -> Result | QueryError:
    """Return a query's answer, or what it is refused with. Any other exception is a crash."""
    try:
        return evaluate(query, EVENTS, now_ms=NOW, tables=TABLES)
    except QueryError as error:
        return error


TABLE = read_table("query_table.txt")
HELD_OUT = read_table("held_out.txt")
PAGE_TABLE = read_page_table()


def test_tables_cover_the_language() -> None:
    """There are as many cases as were promised, and more."""
    assert len(TABLE) >= 90
    assert len(PAGE_TABLE) >= 300
    assert len(HELD_OUT) >= 25
    assert len(TABLE) + len(PAGE_TABLE) + len(read_samples()) >= 400


@pytest.mark.parametrize(("kind", "text", "expected"), PAGE_TABLE, ids=[text for _, text, _ in PAGE_TABLE])
def test_what_a_page_says(kind: str, text: str, expected: str) -> None:
    """An expression has its value, a condition its number of lines, and what is refused its code."""
    query = {"=": f"fields {text} as v | limit 1", "?": f"filter {text}", "!": text}[kind]
    answer = ask(query)
    if isinstance(answer, QueryError):
        assert (kind, expected) == ("!", answer.code), answer
    elif kind == "?":
        assert answer.statistics.matched == int(expected)
    else:
        assert (kind, answer.rows) == ("=", ({} if expected == "-" else {"v": expected},))


@pytest.mark.parametrize(("query", "rows"), TABLE + HELD_OUT, ids=[query for query, _ in TABLE + HELD_OUT])
def test_query_answers_its_rows(query: str, rows: list[dict[str, str]]) -> None:
    """A query of the tables answers exactly the rows written below it, in that order."""
    result = evaluate(query, EVENTS, now_ms=NOW, tables=TABLES)
    assert rows == list(result.rows)
    assert all(row.keys() <= set(result.columns) for row in rows)


def test_sort_orders_the_documented_example() -> None:
    """The values of the sort page's example come out in its order, and reversed when descending."""
    values = ["!", "#", "*%04", "0#", "5A", "111A", "2345_", "@", "@_", "A", "A9876fghj", "a12345hfh"]
    values += ["0", "01", "1", "2", "3"]
    events = [Event(START, value) for value in sorted(values, key=hash)]
    ascending = evaluate("fields @message | sort @message asc", events)
    descending = evaluate("fields @message | sort @message desc", events)
    assert values == [row["@message"] for row in ascending.rows]
    assert values[::-1] == [row["@message"] for row in descending.rows]


def test_events_without_a_sort_come_latest_first() -> None:
    """Events come in descending order of time, whatever order they were given in, ties in reverse order of arrival."""
    events = [Event(START + 1, "b"), Event(START, "a"), Event(START + 2, "c"), Event(START + 2, "d")]
    assert [row["@message"] for row in evaluate("fields @message", events).rows] == ["d", "c", "b", "a"]


def test_time_range_includes_both_ends() -> None:
    """The time range includes its start and its end, and statistics count the events in it only."""
    result = evaluate("filter event = 'completed'", EVENTS, START + 30_000, START + 4 * MINUTE)
    assert [row["@timestamp"] for row in result.rows] == ["2026-11-21 00:04:00.000", "2026-11-21 00:00:30.000"]
    assert Statistics(matched=2, scanned=3) == result.statistics


def test_matched_counts_events_not_rows() -> None:
    """Statistics count the events that passed the filters, before they are grouped, deduplicated or cut off."""
    assert Statistics(4, 11) == evaluate("filter ispresent(owner) | stats count(*) by owner", EVENTS).statistics
    assert Statistics(4, 11) == evaluate("filter ispresent(owner) | dedup owner | limit 1", EVENTS).statistics
    assert Statistics(11, 11) == evaluate("limit 1", EVENTS).statistics


def test_rows_stop_at_ten_thousand() -> None:
    """Without a limit a query returns 10,000 rows, and with one up to 100,000."""
    events = [Event(START + number, "x") for number in range(10_001)]
    assert len(evaluate("fields @timestamp", events).rows) == 10_000
    assert len(evaluate("fields @timestamp | limit 100000", events).rows) == 10_001


def test_bins_are_told_from_other_groups() -> None:
    """A result names its groups, and which of them holds time bins."""
    result = evaluate("stats count(*) by event, bin(5m) as t", EVENTS)
    assert result.groups == ("event", "t")
    assert result.time_column == "t"
    assert result.columns == ("event", "t", "count(*)")


def test_long_integers_are_exact() -> None:
    """Integers that no double tells apart are compared, ordered and returned as they stand in their lines."""
    ids = ["1234567890123456787", "1234567890123456788", "1234567890123456789", "0071"]
    events = [Event(START + at, f'{{"id": {n if at < 3 else json.dumps(n)}}}') for at, n in enumerate(ids)]

    def answer(query: str) -> list[str]:
        return [value for row in evaluate(query, events).rows for value in row.values()]

    assert answer("stats max(id), min(id)") == [ids[2], "0071"]
    assert answer("filter id = 1234567890123456788 | fields id") == [ids[1]]
    assert answer("filter id > 1234567890123456787 | fields id | sort id asc") == [ids[1], ids[2]]
    assert answer("filter id in [1234567890123456787] | fields id") == [ids[0]]
    assert answer("filter id = 71 | fields id") == ["0071"]


def test_no_events_answer_no_rows() -> None:
    """A query over nothing answers nothing, also where it counts."""
    assert evaluate("fields a.b.c, @duration | filter a like /x/", []).rows == ()
    assert evaluate("stats count(*)", []).rows == ()


def test_line_that_is_no_json_has_no_fields() -> None:
    """Broken JSON, arrays, bare values and odd characters are lines like any other, without fields."""
    lines = ['{"a": 1', "[1, 2]", '"a"', "", "\x00", '{"a": "\ud83d"}'.encode("utf-8", "replace").decode(), "{}"]
    result = evaluate("filter ispresent(a) | fields a", [Event(START, line) for line in lines])
    assert result.rows == ({"a": "?"},)


def test_dots_are_nesting_or_part_of_a_key() -> None:
    """A name with dots finds a value however the line nests it, and takes array items by number."""
    lines = [
        '{"a":{"b":{"c":1}}}',
        '{"a.b":{"c":2}}',
        '{"a":{"b.c":3}}',
        '{"a.b.c":4}',
        '{"a":{"b":[5]}}',
        '{"a":{"b":6}}',
    ]
    events = [Event(START + number, line) for number, line in enumerate(lines)]
    result = evaluate("fields a.b.c, a.b.0, a.b | sort @timestamp asc", events)
    assert result.rows == ({"a.b.c": "1"}, {"a.b.c": "2"}, {"a.b.c": "3"}, {"a.b.c": "4"}, {"a.b.0": "5"}, {"a.b": "6"})


@pytest.mark.parametrize(
    "hostile",
    [
        "fields a'; DROP TABLE events; --",
        "filter a = \"'; COPY events TO '/tmp/stolen'; --\"",
        "fields `a'; ATTACH '/etc/passwd'; --`",
        'fields concat("x", "read_text(\'/etc/passwd\')") as `"; SELECT 1; --` | limit 1',
        'parse @message "*{previous}*" as `c1, (SELECT 1)`, b | fields `{previous}`, `$p1`',
        "stats count(*) as `x\") FROM events; --` by `';`",
        "filter @message like /'; SELECT * FROM duckdb_settings(); --/",
    ],
)
def test_hostile_text_stays_text(hostile: str) -> None:
    """Text that would be SQL elsewhere is a field, a string, a pattern or an error here, and changes nothing."""
    answer = ask(hostile)
    assert isinstance(answer, QueryError) or answer.statistics.scanned == len(EVENTS)


WORDS = [
    "fields", "display", "filter", "stats", "sort", "limit", "dedup", "parse", "by", "as", "and", "or", "not", "in",
    "like", "asc", "desc", "any", "|", "|", ",", ",", "(", ")", "[", "]", "=", "!=", "<", ">=", "=~", "+", "-", "*",
    "/", "%", "^", "@timestamp", "@message", "@duration", "@type", "event", "run_ms", "owner", "tags.labels.0", "`a b`",
    "missing", "1", "0", "2.5", "1e300", "5m", "1h", "1mo", '"ada"', "'*'", '"x*y"', "/a(?<n>b)/", "/(/", "count(*)",
    "count(", "sum(", "avg(run_ms)", "min(", "max(@timestamp)", "pct(run_ms, 95)", "latest(", "sortsFirst(", "bin(5m)",
    "strlen(", "concat(", "substr(", "greatest(", "log(", "sqrt(", "datefloor(", "fromMillis(", "toMillis(", "now()",
    "coalesce(", "isempty(", "replace(", "trim(", "jsonParse(", "stats count(*) by", "filter event =", "sort run_ms",
]  # fmt: skip


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.text(), st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join)))
def test_any_text_is_answered_or_refused(query: str) -> None:
    """No query text ends in anything but an answer or a `QueryError` with a place in that text."""
    answer = ask(query)
    if isinstance(answer, Result):
        assert all(isinstance(value, str) for row in answer.rows for value in row.values())
    else:
        lines = query.split("\n")
        assert 1 <= answer.line <= len(lines)
        assert 1 <= answer.column <= len(lines[answer.line - 1]) + 1
        assert str(answer) == f"line {answer.line}, column {answer.column}: {answer.problem}"


FIELDS = [
    "run_ms",
    "owner",
    "qubits",
    "missing",
    "@timestamp",
    "@duration",
    "cold_start",
    "2",
    "0",
    '"7"',
    '"x"',
    "-1e308",
]
UNARY = ["abs({})", "log({})", "strlen({})", "tolower({})", "trim({})", "isempty({})", "-{}", "fromMillis({})", "({})"]
UNARY += ["substr({}, 1)", "ispresent({})", "not ({} = 1)", "toMillis({})", "datefloor({}, 1h)"]
BINARY = ["{} + {}", "{} / {}", "{} ^ {}", "{} % {}", "({} < {})", "({} = {})", "concat({}, {})", "coalesce({}, {})"]
BINARY += [
    "greatest({}, {})",
    "strcontains({}, {})",
    "({} != {})",
    "replace({}, {}, 'y')",
    "({} in [1, 'x'] or {} = 1)",
]
EXPRESSIONS = st.recursive(
    st.sampled_from(FIELDS),
    lambda inner: st.one_of(
        st.builds(str.format, st.sampled_from(UNARY), inner),
        st.builds(str.format, st.sampled_from(BINARY), inner, inner),
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EXPRESSIONS, st.sampled_from(["fields {0} as x", "filter {0}", "sort {0}", "stats max({0}), count(*) by {0}"]))
def test_any_expression_is_answered_or_refused(expression: str, command: str) -> None:
    """Well-formed expressions of any types are answered, or refused where they make no sense."""
    answer = ask(command.format(expression))
    assert answer.problem if isinstance(answer, QueryError) else len(answer.rows) <= len(EVENTS)


@given(st.lists(st.integers(-1000, 1000), min_size=1, max_size=30))
@settings(max_examples=30, deadline=None)
def test_aggregates_agree_with_arithmetic(numbers: list[int]) -> None:
    """Counts, sums and extremes are those of the numbers in the lines."""
    events = [Event(START, json.dumps({"n": number})) for number in numbers]
    result = evaluate(
        "stats count(n) as c, sum(n) as s, min(n) as least, max(n) as most, count_distinct(n) as d", events
    )
    expected = [len(numbers), sum(numbers), min(numbers), max(numbers), len(set(numbers))]
    assert [str(number) for number in expected] == list(result.rows[0].values())


def read_samples() -> list[str]:
    """Read queries of the AWS documentation."""
    text = Path(__file__).with_name("documented_samples.txt").read_text("utf-8")
    return [query.strip() for query in text.split("\n\n")[1:]]


@pytest.mark.parametrize("query", read_samples())
def test_documented_sample_is_understood(query: str) -> None:
    """A query from the documentation is answered, here without anything it is about in the lines."""
    assert evaluate(query, EVENTS, now_ms=NOW).statistics.scanned == len(EVENTS)


def test_glob_has_as_many_wildcards_as_it_needs() -> None:
    """Lines of many columns, such as a VPC flow log, are taken apart whole."""
    names = [f"column{number}" for number in range(1, 15)]
    query = f'parse @message "{" ".join("*" for _ in names)}" as {", ".join(names)} | display {", ".join(names)}'
    result = evaluate(query, [Event(START, " ".join(str(number) for number in range(14)))])
    assert result.rows == ({name: str(number) for number, name in enumerate(names)},)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM read_csv('https://example.com/x.csv')",
        "COPY events TO '/tmp/stolen.csv'",
        "ATTACH '/tmp/stolen.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET memory_limit = '100GB'",
        "SET enable_external_access = true",
        "SELECT * FROM EVENTS_OUTSIDE",
    ],
)
def test_engine_reaches_nothing_but_the_events(statement: str) -> None:
    """Even SQL of its own could not read or write a file, reach the network or lift a bound."""
    import duckdb

    with open_engine(EVENTS) as engine, pytest.raises(duckdb.Error):
        engine.execute(statement)


VALUES = st.sampled_from(
    ["run_ms", "owner", "qubits", "missing", "code", "@duration", "cold_start", "7", '"7"', '"ada"']
)
CONDITIONS = st.one_of(
    st.builds("{} {} {}".format, VALUES, st.sampled_from(["=", "!=", "<", ">=", "<=", ">"]), VALUES),
    st.builds(
        "{} {} {}".format, VALUES, st.sampled_from(["like", "not like", "=~"]), st.sampled_from(["'a'", "/\\d/"])
    ),
    st.builds(
        "{} {} [{}]".format, VALUES, st.sampled_from(["in", "not in"]), st.sampled_from(["7", "'ada', 7", "'7'"])
    ),
    st.builds("{}({})".format, st.sampled_from(["ispresent", "isempty", "isblank"]), VALUES),
)


@settings(max_examples=40, deadline=None)
@given(CONDITIONS, CONDITIONS)
def test_a_condition_and_its_negation_part_the_events(first: str, second: str) -> None:
    """Every event meets a condition or its negation, never both or none, whatever it lacks."""
    met = evaluate(f"filter {first} and {second}", EVENTS).statistics.matched
    unmet = evaluate(f"filter not ({first} and {second})", EVENTS).statistics.matched
    either = evaluate(f"filter not {first} or not {second}", EVENTS).statistics.matched
    assert (met + unmet, unmet) == (len(EVENTS), either)


@settings(max_examples=20, deadline=None)
@given(VALUES, VALUES)
def test_comparisons_have_their_opposites(left: str, right: str) -> None:
    """`!=` is not `=`, `a < b` is `b > a`, and for two numbers or two texts one of `<`, `=` and `>` holds."""
    holds = {
        operator: evaluate(f"filter {left} {operator} {right}", EVENTS).statistics.matched
        for operator in ("=", "!=", "<", "<=", ">", ">=")
    }
    assert holds["="] + holds["!="] == len(EVENTS)
    assert holds["<"] == evaluate(f"filter {right} > {left}", EVENTS).statistics.matched
    assert holds["<="] >= holds["<"]
    assert holds[">="] >= holds[">"]
