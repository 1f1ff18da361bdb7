"""Names and tags of tasks: where they are shown, and what becomes of hostile ones, against moto."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from test_api import call, submit
from test_log_lines import delivered, work
from test_notifier import Listening
from test_worker import ScriptedChildren

from simulated_aws import BELL
from verdicts import Completed

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulated_aws import Aws

LABELS: dict[str, Any] = {"name": "run 7", "tags": ["chip 3", "calibration"]}
# What is printed as it stands, and means something to a page, a log, a query or a shell.
HOSTILE = [
    "<script>alert(1)</script>",
    '"}\\n{"level": "ERROR"',
    "' OR 1=1 --",
    "#name = :value",
    'SET "owner" = ?',
    "$(reboot) ${HOME} {{task}}",
    "量子 β €",
]
# What changes how a line reads: ends of lines, escapes, marks of direction, what is not seen, spaces at an end.
REFUSED = [
    "a\nb",
    "a\rb",
    "\x1b[31m",
    "\0",
    "\u202egnp",
    "\u200b",
    "\u2028",
    "\ud800",
    " a",
    "a ",
    "\t",
    "",
    "a\u00a0b",
]


def test_a_task_shows_its_name_and_tags(in_moto: Aws) -> None:
    """Alone, of a batch and of a sweep; without them there are no such fields."""
    sweep = {"qc": "input float a; qubit q; rx(a) q; measure q;", "inputs": [{"a": 0}, {"a": 1}]}
    batch = call("POST", "/tasks/batch", {"tasks": [{"qc": BELL, **LABELS}, {"qc": BELL}]})[2]["tasks"]
    for task_id in (submit({"qc": BELL, **LABELS}), submit({**sweep, **LABELS}), batch[0]["task_id"]):
        shown = call("GET", f"/tasks/{task_id}")[2]
        assert {field: shown[field] for field in LABELS} == LABELS
    assert not {"name", "tags"} & set(call("GET", f"/tasks/{batch[1]['task_id']}")[2])


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_what_it_is(
    in_moto: Aws, log_lines: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """In the answer, the list, every line of the log, the event and the callback it is the text that was sent."""
    listening = Listening(in_moto)
    tag = text.replace(",", ";")
    task_id = submit({"qc": BELL, "name": text, "tags": [tag], "callback_url": "https://hooks.example.com/"})
    work(monkeypatch, delivered(in_moto), ScriptedChildren(Completed({"result": {"00": 1024}, "execution": {}})))
    listening.tell()
    shown = call("GET", f"/tasks/{task_id}")[2]
    assert (shown["status"], shown["name"], shown["tags"]) == ("completed", text, [tag])
    assert [each["task_id"] for each in call("GET", "/tasks", query={"name": text, "tag": tag})[2]["tasks"]] == [
        task_id
    ]
    lines = {line["event"]: line for line in log_lines()}
    for event in ("task_submitted", "task_claimed", "task_completed"):
        assert (lines[event]["task_name"], lines[event]["tags"]) == (text, [tag])
    assert [(event["name"], event["tags"]) for event in listening.heard()] == [(text, [tag])] * 3
    (message,) = listening.asked()
    data = json.loads(message["body"])["data"]
    assert (data["name"], data["tags"]) == (text, [tag])


@pytest.mark.parametrize("text", REFUSED)
def test_what_would_change_how_a_line_reads_is_refused(in_moto: Aws, text: str) -> None:
    """By the field's name, as a name and as a tag; nothing is stored."""
    for body, field in (({"name": text}, "name"), ({"tags": ["good", text]}, "tags")):
        status, _, answer = call("POST", "/tasks", {"qc": BELL, **body})
        assert (status, answer["detail"][0]["loc"][1]) == (422, field), answer
    assert in_moto.rows() == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x" * 129}, "name"),
        ({"name": 7}, "name"),
        ({"tags": "a"}, "tags"),
        ({"tags": [str(number) for number in range(11)]}, "tags"),
        ({"tags": ["x" * 65]}, "tags"),
        ({"tags": ["a", "a"]}, "tags"),
        ({"tags": ["a,b"]}, "tags"),
        ({"tags": [7]}, "tags"),
        ({"tags": None}, "tags"),
    ],
)
def test_labels_beyond_their_bounds_are_refused(in_moto: Aws, body: dict[str, Any], field: str) -> None:
    """Too long, too many, twice, with a comma, no text."""
    status, _, answer = call("POST", "/tasks", {"qc": BELL, **body})
    assert (status, answer["code"], answer["detail"][0]["loc"][1]) == (422, "invalid_request", field)


def test_the_longest_labels_are_taken(in_moto: Aws) -> None:
    """128 characters of any alphabet, ten tags of 64."""
    labels = {"name": "𝛽" * 128, "tags": [f"{number}{'ü' * 63}" for number in range(10)]}
    shown = call("GET", f"/tasks/{submit({'qc': BELL, **labels})}")[2]
    assert {field: shown[field] for field in labels} == labels


def test_labels_are_part_of_what_a_key_stands_for(in_moto: Aws) -> None:
    """Another name under the same Idempotency-Key is another body; no tags are none, sent or omitted."""
    headers = {"Idempotency-Key": "key"}
    task_id = submit({"qc": BELL, "name": "a"}, headers=headers)
    assert submit({"qc": BELL, "name": "a", "tags": []}, headers=headers) == task_id
    for body in ({"name": "b"}, {"name": "a", "tags": ["t"]}, {}):
        assert call("POST", "/tasks", {"qc": BELL, **body}, headers=headers)[0] == 422
