"""Makes an SVG file of a drawing: one that stands alone, in a paper or a README, in light and in dark."""

from __future__ import annotations

import re
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from circuit_drawing import Drawing

PAGE = Path(__file__).parent / "page"  # whose style the file has
_COLOUR = re.compile(r"(--[\w-]+): light-dark\(([^,]+), ([^)]+)\);")
_FIELDS = {
    "rect": ("x", "y", "width", "height"),
    "dot": ("cx", "cy", "r"),
    "path": ("d",),
    "text": ("x", "y"),
}
_TAGS = {"dot": "circle"}


def svg_of(drawing: Drawing) -> str:
    """Return the file's text."""
    size = f'width="{drawing.width}" height="{drawing.height}" viewBox="0 0 {drawing.width} {drawing.height}"'
    description = escape(drawing.description)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="circuit" {size} role="img" aria-label="{description}">'
        f"<title>{description}</title><style>{_style()}</style>"
        '<rect class="ground" width="100%" height="100%"/>'
        f"{''.join(map(_element, drawing.shapes))}</svg>\n"
    )


def _element(shape: list[Any]) -> str:
    kind, look, *values = shape
    fields = _FIELDS.get(kind)
    if fields is None:  # what a click does is the page's
        return ""
    tag = _TAGS.get(kind, kind)
    given = "".join(f' {name}="{escape(str(value))}"' for name, value in zip(fields, values, strict=False))
    content = f">{escape(values[-1])}</{tag}>" if kind == "text" else "/>"
    return f'<{tag} class="{look}"{given}{content}'


@cache
def _style() -> str:
    """Return the page's style with its colours written out: few programs that show SVG know variables."""
    rules = (PAGE / "circuit.css").read_text(encoding="utf-8").partition("*/")[2]
    colours = _COLOUR.findall((PAGE / "style.css").read_text(encoding="utf-8"))
    light, dark = ({name: values[index] for name, *values in colours} for index in (0, 1))
    text = f"{_written(rules, light)}@media (prefers-color-scheme: dark) {{{_written(rules, dark)}}}"
    return escape(" ".join(text.split()), quote=False)


def _written(rules: str, colours: Mapping[str, str]) -> str:
    return re.sub(r"var\((--[\w-]+)\)", lambda match: colours[match[1]], rules)
