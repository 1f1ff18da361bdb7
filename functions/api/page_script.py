"""Joins a script with the modules that it imports into one, each in a scope of its own.

It knows the two forms that the page's modules use: `import { a, b } from "./name.js";` on a line of its own, and
`export` before a function, a class or a constant. No module may wait at its top level but the first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_IMPORT = re.compile(r'^import (\{[^}]+\}) from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function|class|const) (\w+|\$)", re.MULTILINE)


def joined(first: Path) -> str:
    """Return the script with everything that it imports, in an order in which each comes after what it needs."""
    written: dict[str, str] = {}

    def add(path: Path) -> str:
        text = path.read_text(encoding="utf-8")
        for _, name in _IMPORT.findall(text):
            if name not in written:
                needed = add(path.with_name(f"{name}.js"))
                exported = ", ".join(name for _, name in _EXPORT.findall(needed))
                body = _EXPORT.sub(r"\1 \2", needed)
                written[name] = f"const module_{name} = (() => {{\n{body}return {{ {exported} }};\n}})();\n"
        return _IMPORT.sub(r"const \1 = module_\2;", text)

    last = add(first)
    return "".join(written.values()) + last
