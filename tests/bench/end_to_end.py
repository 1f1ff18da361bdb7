"""Section 4: the whole local stack over sockets, in the way in which older designs of the service were measured.

Mixed tasks are Bell, GHZ-20 and QFT-10 in turn. A task's CPU includes one GET of its result. The load's own process is
not counted, but it runs on the same cores.
"""

from __future__ import annotations

import asyncio
import json
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import aiohttp
import stack as stacks
from figures import Figures
from programs import BELL, ghz, qft
from scale import LOCAL_RATES, steady

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from local_stack import Stack

MIXED = (BELL, ghz(20), qft(10))
PER_BATCH = 50
ASK_S = 0.02  # between the questions of one of many clients
PAUSE_S = 0.1  # between single tasks: longer than the stand-in waits before it looks at its queues again
DEPTH = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


def measure(*, quick: bool) -> Figures:
    """Run every kind of load on one stack."""
    with stacks.running() as stack:
        return asyncio.run(_measure(stack, tasks=60 if quick else 300, quick=quick))


async def _measure(stack: Stack, tasks: int, *, quick: bool) -> Figures:
    figures = Figures()
    async with aiohttp.ClientSession(
        stack.env["API_URL"],
        headers={"x-api-key": stack.env["API_KEY"]},
        connector=aiohttp.TCPConnector(limit=0),
    ) as session:
        await _load(stack, session, 60, clients=16)  # environments start, connections open
        await _load(stack, session, 100, clients=16, per_post=PER_BATCH)
        loads = [
            ("single posts, 16 clients", 16, 1),
            (f"posts of {PER_BATCH}, 16 clients", 16, PER_BATCH),
            ("single posts, 1 client", 1, 1),
            (f"posts of {PER_BATCH}, 1 client", 1, PER_BATCH),
        ]
        for name, clients, per_post in loads[: 2 if quick else None]:
            for figure, value in (
                await _load(stack, session, tasks * (3 if per_post > 1 else 1), clients, per_post)
            ).items():
                unit = "/s" if figure.endswith("/s") else "ms"
                figures.add(f"{name}: {figure}", unit, value)
        for _ in range(max(10, tasks // 10)):
            figures.add("one Bell task alone: submitted to result", "ms", await _alone(session, BELL))
        if quick:  # what follows is for the report and the model's validation
            return figures
        for number in range(tasks // 10):
            figures.add(_answered(1), "ms", await _alone(session, MIXED[number % len(MIXED)]))
        figures.add(_answered(16), "ms", *await _side_by_side(session, 16, tasks))
        for rate in LOCAL_RATES:
            await _paced(session, rate, 10, figures)
    return figures


def _answered(clients: int) -> str:
    return f"single tasks, {clients} client{'s' if clients > 1 else ''}: submitted to result"


async def _paced(session: aiohttp.ClientSession, rate: int, seconds: int, figures: Figures) -> None:
    """Send Bell tasks at random moments, `rate` a second, whatever the stack does; add what their histories say."""

    async def one(moment: float) -> str:
        await asyncio.sleep(moment)
        before = time.perf_counter()
        async with session.post("/tasks", json={"qc": BELL}) as answer:
            task_id = str((await answer.json())["task_id"])
        figures.add(f"POST at {rate}/s", "ms", (time.perf_counter() - before) * 1e3)
        return task_id

    ids = await asyncio.gather(*(one(moment) for moment, _ in steady(rate, seconds)))
    for task_id in ids:
        task: dict[str, Any] = {}
        while task.get("status", "pending") == "pending":
            async with session.get(f"/tasks/{task_id}") as answer:
                task = await answer.json()
        stored, claimed, ended = (
            datetime.fromisoformat(line["transitioned_at"]).timestamp() * 1e3 for line in task["status_history"]
        )
        figures.add(f"stored to ended at {rate}/s", "ms", ended - stored)
        figures.add(f"claimed to ended at {rate}/s", "ms", ended - claimed)


async def _load(
    stack: Stack, session: aiohttp.ClientSession, tasks: int, clients: int, per_post: int = 1
) -> dict[str, float]:
    """Send `tasks` tasks from `clients` clients at once, wait until all have ended, read each; return the figures."""
    todo = _posts(tasks, per_post)
    ids: list[str] = []
    took: list[float] = []

    async def submit() -> None:
        for path, body in todo:
            before = time.perf_counter()
            async with session.post(path, data=body, headers={"Content-Type": "application/json"}) as answer:
                accepted = await answer.json()
                if answer.status != 200:
                    raise SystemExit(f"{answer.status}: {accepted}")
            took.append((time.perf_counter() - before) * 1e3)
            ids.extend(task["task_id"] for task in accepted.get("tasks", [accepted]))

    async def read(unread: Iterator[str]) -> None:
        for task_id in unread:
            async with session.get(f"/tasks/{task_id}") as answer:
                task = await answer.json()
                if task["status"] != "completed":
                    raise SystemExit(f"not completed: {task}")

    spent = stacks.cpu(stack)
    started = time.perf_counter()
    await asyncio.gather(*(submit() for _ in range(clients)))
    submitted = time.perf_counter() - started
    await _drained(stack)
    completed = time.perf_counter() - started
    unread = iter(ids)
    await asyncio.gather(*(read(unread) for _ in range(clients)))
    parts = stacks.cpu(stack).since(spent, tasks)
    return {
        "submitted/s": tasks / submitted,
        "completed/s": tasks / completed,
        "POST ms": sorted(took)[len(took) // 2],
        "CPU ms a task": parts.pop("ours"),
        **{f"CPU ms a task, {part}": value for part, value in parts.items() if part != "sweeper"},
    }


def _posts(tasks: int, per_post: int) -> Iterator[tuple[str, str]]:
    bodies = [{"qc": MIXED[number % len(MIXED)]} for number in range(tasks)]
    if per_post == 1:
        yield from (("/tasks", json.dumps(body)) for body in bodies)
        return
    for start in range(0, tasks, per_post):
        yield "/tasks/batch", json.dumps({"tasks": bodies[start : start + per_post]})


async def _drained(stack: Stack) -> None:
    """Wait until the queue is empty: a message is deleted after its task has ended, so asking costs no GET a task."""
    sqs, url = stack.client("sqs"), stack.env["TASK_QUEUE_URL"]
    names: Sequence[str] = DEPTH
    while True:
        answer = await asyncio.to_thread(sqs.get_queue_attributes, QueueUrl=url, AttributeNames=names)
        if sum(int(number) for number in answer["Attributes"].values()) == 0:
            return
        await asyncio.sleep(0.02)


async def _alone(session: aiohttp.ClientSession, text: str) -> float:
    """Return the milliseconds that a task takes while nothing else is under way."""
    await asyncio.sleep(PAUSE_S)
    return await _until_result(session, text, 0.002)


async def _side_by_side(session: aiohttp.ClientSession, clients: int, tasks: int) -> list[float]:
    """Return the milliseconds of each of `tasks` tasks; each client sends its next one when it has a result."""
    todo = iter([MIXED[number % len(MIXED)] for number in range(tasks)])

    async def client() -> list[float]:
        return [await _until_result(session, text, ASK_S) for text in todo]

    return [took for each in await asyncio.gather(*(client() for _ in range(clients))) for took in each]


async def _until_result(session: aiohttp.ClientSession, text: str, pause_s: float) -> float:
    """Return the milliseconds from a task's POST to the answer that has its result, asked for every so often."""
    started = time.perf_counter()
    async with session.post("/tasks", json={"qc": text}) as answer:
        task: dict[str, Any] = await answer.json()
    task_id = task["task_id"]
    while task.get("status", "pending") == "pending":
        await asyncio.sleep(pause_s)
        async with session.get(f"/tasks/{task_id}") as answer:
            task = await answer.json()
    if task["status"] != "completed":
        raise SystemExit(f"not completed: {task}")
    return (time.perf_counter() - started) * 1e3
