"""Methods and origins as API Gateway passes them on: HEAD, OPTIONS, wrong methods, browsers of another origin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_stack import ORIGIN

if TYPE_CHECKING:
    from local_stack import Stack


def test_every_method_reaches_the_function(stack: Stack) -> None:
    """HEAD answers as GET does, OPTIONS needs no key, and a refused method is answered with those that work."""
    with stack.http() as http, stack.http("") as stranger:
        assert (http.head("/tasks").status_code, http.head("/tasks").content) == (200, b"")
        assert stranger.head("/limits").status_code == 200
        assert stranger.head("/tasks").status_code == 403
        assert stranger.options("/tasks").headers["allow"] == "GET, HEAD, OPTIONS, POST"
        refused = http.patch("/tasks/batch")
        assert (refused.status_code, refused.headers["allow"]) == (405, "OPTIONS, POST")
        assert refused.json()["code"] == "method_not_allowed"
        asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
        assert "access-control-allow-origin" not in stranger.options("/tasks", headers=asked).headers


def test_another_origin_can_be_let_in(telling: Stack) -> None:
    """The preflight without a key, the request, and API Gateway's own refusal carry what a browser asks for."""
    with telling.http() as http, telling.http("") as stranger:
        asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
        granted = stranger.options("/tasks", headers=asked | {"Access-Control-Request-Headers": "x-api-key"})
        assert (granted.status_code, granted.headers["access-control-allow-origin"]) == (200, ORIGIN)
        assert http.get("/tasks", headers={"Origin": ORIGIN}).headers["access-control-allow-origin"] == ORIGIN
        refused = stranger.get("/tasks", headers={"Origin": ORIGIN})
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (403, ORIGIN)
