"""The workflow of GitHub Actions: of its schema, with the functions' own Python, actions pinned by commit."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import yaml
from jsonschema import Draft7Validator

from local.translate import ROOT, load
from preflight.finding import Finding, in_code

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKFLOW = ".github/workflows/ci.yml"
PAGE = "https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax"
PINNED = re.compile(r"[\w./-]+@[0-9a-f]{40}")


def check() -> Iterator[Finding]:
    """Yield what GitHub would refuse of the workflow, and where it would deploy something else than was tested."""
    text = (ROOT / WORKFLOW).read_text()
    workflow: dict[Any, Any] = yaml.safe_load(text)
    workflow["on"] = workflow.pop(True)  # YAML 1.1 reads `on` so
    schema = json.loads((files("check_jsonschema") / "builtin_schemas/vendor/github-workflows.json").read_text())
    for error in Draft7Validator(schema).iter_errors(workflow):
        keys = ".".join(map(str, error.absolute_path))
        yield in_code(WORKFLOW, f"{keys.rsplit('.', 1)[-1]}:", shown=keys, sentence=error.message[:200], page=PAGE)
    runtime = load()["Resources"]["ApiFunction"]["Properties"]["Runtime"]
    for job in workflow["jobs"].values():
        for step in job["steps"]:
            uses, version = step.get("uses", ""), step.get("with", {}).get("python-version")
            if uses and not PINNED.fullmatch(uses):
                yield in_code(WORKFLOW, uses, shown="uses", sentence=f"{uses} is not pinned by a commit.", page=PAGE)
            if version and f"python{version}" != runtime:
                sentence = f"{version}; the functions run on {runtime}."
                yield in_code(WORKFLOW, f'"{version}"', shown="python-version", sentence=sentence, page=PAGE)
