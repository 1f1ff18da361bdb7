"""How a result is shown."""

from __future__ import annotations

import json

from insights import Event, Result, Statistics, as_csv, as_json, as_table, evaluate, sparkline
from insights.rendering import bars
from unit.insights.fixed_lines import EVENTS


def test_table_aligns_numbers_and_leaves_missing_values_blank() -> None:
    """Numbers stand to the right, text to the left, and the last line says how much matched."""
    table = as_table(evaluate("filter ispresent(task_id) | stats count(*) as n by owner", EVENTS))
    assert table.splitlines() == [
        "owner  n",
        "-----  -",
        "       2",
        "ada    3",
        "bob    1",
        "3 rows; 6 of 11 log events matched",
    ]


def test_table_draws_bars_beside_time_bins() -> None:
    """Each time bin has a bar of its first value, the greatest one twenty characters long."""
    table = as_table(evaluate("stats count(*), sum(run_ms) by bin(5m)", EVENTS))
    assert table.splitlines() == [
        "bin(5m)                  count(*)  sum(run_ms)",
        "-----------------------  --------  -----------  --------------------",
        "2026-11-21 00:00:00.000         4        269.5  █████████████▍",
        "2026-11-21 00:05:00.000         6               ████████████████████",
        "2026-11-21 01:05:00.000         1               ███▍",
        "3 rows; 11 of 11 log events matched",
    ]


def test_table_shows_control_characters_instead_of_obeying_them() -> None:
    """A log line cannot move the cursor, break the table or turn the writing around."""
    event = Event(0, "\x1b[2Jred\nline\u202etxt\t日本")
    table = as_table(evaluate("fields @message", [event]))
    assert table.splitlines()[2] == "\\x1b[2Jred\\nline\\u202etxt\\t日本"


def test_table_cuts_long_values() -> None:
    """A greatest width cuts values, marked by an ellipsis, and leaves titles whole."""
    table = as_table(evaluate("fields @message as a_long_title", [Event(0, "abcdefghij")]), widest=5)
    assert table.splitlines() == ["a_long_title", "------------", "abcd…", "1 row; 1 of 1 log events matched"]


def test_table_of_nothing_still_has_its_titles() -> None:
    """No rows are shown as such."""
    table = as_table(evaluate("fields a, b", []))
    assert table.splitlines() == ["a  b", "-  -", "0 rows; 0 of 0 log events matched"]


def test_json_has_rows_and_statistics() -> None:
    """JSON lacks missing values and keeps letters as they are."""
    result = evaluate("fields name, missing | filter event = 'note'", EVENTS)
    expected = {"results": [{"name": "Zoë 👍"}], "statistics": {"matched": 1, "scanned": 11}}
    assert expected == json.loads(as_json(result))
    assert "Zoë 👍" in as_json(result)


def test_csv_quotes_what_needs_it() -> None:
    """CSV has a header, empty cells for missing values, and quotes around commas, quotes and line breaks."""
    rows = ({"a": 'say "x", y', "b": "1"}, {"b": "two\nlines"})
    result = Result(("a", "b"), rows, Statistics(2, 2))
    assert as_csv(result) == 'a,b\r\n"say ""x"", y",1\r\n,"two\nlines"\r\n'


def test_sparkline_spans_least_to_greatest() -> None:
    """A sparkline runs from the lowest block to the highest, with a blank for a missing value."""
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert sparkline([5, None, 5]) == "▁ ▁"
    assert sparkline([None]) == " "
    assert sparkline([]) == ""


def test_bars_leave_out_what_is_not_above_zero() -> None:
    """A bar is as long as its share of the greatest value; the smallest share still shows."""
    assert bars([2, 1, 0, None, -1, 0.0001]) == ["█" * 20, "█" * 10, "", "", "", "▏"]
