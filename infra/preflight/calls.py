"""Calls to AWS against roles: the integration tests that lead each function along all of its paths, and record."""

from __future__ import annotations

import contextlib
import io
import re
from typing import TYPE_CHECKING, Any

import pytest

from local.translate import ROOT
from preflight.finding import Finding, in_code, in_template
from preflight.roles import page_of
from release.package import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = "tests/integration/test_permissions.py"
PAGE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege"
EXTRA = re.compile(r"Extra items in the (left|right) set:((?:\s*E\s+\('[^']+', '[^']+'\))+)")
PAIR = re.compile(r"\('([^']+)', '([^']+)'\)")


class _Failures:
    """What pytest says of each test that failed."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: Any) -> None:  # noqa: ANN401 - pytest's
        if report.failed:
            self.texts[report.nodeid] = report.longreprtext


def check() -> Iterator[Finding]:
    """Yield the calls that a role does not allow, and the permissions that no call needs."""
    failures = _Failures()
    # Without the plugins that these tests have no use for, and that take long to load.
    without = ("cacheprovider", "hypothesispytest", "schemathesis", "xdist")
    options = (*(f"-pno:{each}" for each in without), "--config-file", str(ROOT / "pyproject.toml"))
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        status = pytest.main([*options, str(ROOT / TESTS)], plugins=[failures])
    if status not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
        raise ReleaseError(f"{TESTS} did not run:\n{printed.getvalue()}")
    for test, text in failures.texts.items():
        role = re.search(r'allowed\("(\w+)"\)', text)
        found = [(side, pair) for side, pairs in EXTRA.findall(text) for pair in PAIR.findall(pairs)]
        if role is None or not found:
            name = test.rpartition("::")[2]
            yield in_code(TESTS, f"def {name}", shown=name, sentence="this test failed; run it by itself.", page=PAGE)
            continue
        for side, (action, resource) in found:
            sentence = (
                f"called on {resource}, not allowed." if side == "left" else f"allowed on {resource}, never called."
            )
            where = ("Resources", role[1], "Properties", "Policies")
            yield in_template(*where, sentence=sentence, page=page_of(action), shown=f"{role[1]}, {action}")
