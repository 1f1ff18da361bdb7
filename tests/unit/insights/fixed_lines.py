"""The log lines that the query table is answered from."""

from __future__ import annotations

import json

from insights import Event, Table

START = 1_795_219_200_000  # 2026-11-21 00:00:00 UTC
NOW = START + 2 * 3_600_000
SECOND = 1_000
MINUTE = 60_000
WORKER = "/aws/lambda/worker"
TABLES = {"owners": Table(("id", "name"), [("ada", "Ada Lovelace"), ("bob", "Bob"), ("bob", "rotated")])}
REQUEST = "0fc78b42-f6e0-400a-be91-71c5d1eadb9a"


def line(after_ms: int, log_stream: str, **fields: object) -> Event:
    """Make an event of a JSON line."""
    return Event(START + after_ms, json.dumps(fields, ensure_ascii=False), log_stream, WORKER)


def text(after_ms: int, log_stream: str, message: str) -> Event:
    """Make an event of any other line."""
    return Event(START + after_ms, message, log_stream, WORKER)


EVENTS = [
    line(
        0,
        "a",
        event="submitted",
        task_id="t1",
        owner="ada",
        shots=1024,
        qubits=2,
        tags={"team": "red", "labels": ["bell", {"id": 7}]},
        cold_start=True,
    ),
    line(30 * SECOND, "a", event="completed", task_id="t1", owner="ada", run_ms=12.5, qubits=2, cold_start=False),
    # Numbers in strings read as numbers.
    line(
        90 * SECOND,
        "a",
        event="failed",
        task_id="t2",
        owner="bob",
        run_ms="7",
        qubits="10",
        code="invalid_circuit",
        detail="line 3: Unexpected token",
    ),
    line(4 * MINUTE, "b", event="completed", task_id="t3", owner="ada", run_ms=250, qubits=20, code=""),
    # A null is a missing field, "slow" is no number.
    line(
        6 * MINUTE,
        "b",
        event="failed",
        task_id="t4",
        owner=None,
        run_ms="slow",
        qubits=5,
        code="time_limit",
        **{"code-v2": "TL"},
    ),
    # The two lines of the documentation's examples of `parse`.
    text(
        7 * MINUTE,
        "b",
        "25 May 2019 10:24:39,474 [ERROR] {foo=2, bar=data} The error was: DataIntegrityException",
    ),
    text(7 * MINUTE, "b", "25 May 2019 10:24:39,474 user=user1234, method=sampleMethod, latency := 216"),
    text(
        8 * MINUTE,
        "a",
        f"REPORT RequestId: {REQUEST}\tDuration: 1394.60 ms\tBilled Duration: 1395 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 79 MB\tInit Duration: 428.60 ms\t\nXRAY TraceId: 1-5e1b\tSegmentId: 5d2f\tSampled: true",
    ),
    text(
        9 * MINUTE,
        "a",
        f"REPORT RequestId: {REQUEST}\tDuration: 9.43 ms\tBilled Duration: 10 ms\tMemory Size: 128 MB\t"
        "Max Memory Used: 64 MB\t",
    ),
    # JSON after other text, keys with special characters, letters beyond ASCII.
    text(
        570 * SECOND,
        "b",
        f"2026-11-21T00:09:30.000Z\t{REQUEST}\tINFO\t"
        '{"event":"note","a.b":1,"@x":"at","padded":"  hi  ","name":"Zoë 👍"}',
    ),
    line(65 * MINUTE, "b", event="swept", task_id="t2"),
]
