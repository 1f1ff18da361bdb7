#!/usr/bin/env bash
# Expected: a schema of `schemathesis.pytest.from_fixture`, made when tests run, works with any pytest that pip takes.
# Happens: with pytest 9.2.0 each such test fails before its first case, an AttributeError; with 9.1.0 it passes.
# Source: schemathesis 4.32.5, pytest/lazy.py, uses `request.node._nodeid`, which pytest keeps to itself.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
python="$folder/venv/bin/python"
cat > "$folder/test_document.py" <<'PYTHON'
import pytest
import schemathesis

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "one address", "version": "1"},
    "paths": {"/items": {"get": {"responses": {"200": {"description": "some"}}}}},
}
schema = schemathesis.pytest.from_fixture("document")


@pytest.fixture
def document():
    return schemathesis.openapi.from_dict(DOCUMENT)


@schema.parametrize()
def test_a_case(case):
    assert case.path == "/items"
PYTHON
cd "$folder"
outcome() {
    "$python" -m pip install --quiet schemathesis==4.32.5 "pytest==$1" 2>/dev/null
    "$python" -m pytest -q -p no:cacheprovider test_document.py > "printed-$1" 2>&1 && echo passed || echo failed
}
older=$(outcome 9.1.0)
newer=$(outcome 9.2.0)
error=$(grep -o "AttributeError: 'Function' object has no attribute '_nodeid'" printed-9.2.0 | head -1 || true)
echo "schemathesis 4.32.5: pytest 9.1.0 $older; pytest 9.2.0 $newer: $error"
[ "$older" = passed ] && [ "$newer" = failed ] && [ -n "$error" ]
