"""What differs between the bindings of a sweep, worked out for each of them by what works it out for one."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from reader.compiler.values import Value
from reader.errors import SourceError
from reader.swept import Swept, UnalikeError, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reader.compiler.machine import Machine

SHARE = 2  # a number for each of four bindings costs a unit, as 2**SHARE says
LIFTED = 2  # units that a function of the compiler costs for a binding


def inputs_of_all(bindings: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """Return the values of each input, as a `Swept` where they differ; raises UnalikeError where one is missing."""
    names = bindings[0].keys()
    if any(binding.keys() != names for binding in bindings):
        raise UnalikeError
    return {name: Swept([binding[name] for binding in bindings]) for name in names}


def each(m: Machine, function: Callable[[Any], Any], swept: Swept) -> Any:  # noqa: ANN401 - a number
    """Return the function of each binding's number, joined; raises UnalikeError where it refuses one."""
    m.budget.spend(LIFTED * len(swept.values), m.here)
    steps, notes = m.steps, len(m.notes.sentences)
    try:
        found = joined([function(value) for value in swept.values])
    except SourceError:
        raise UnalikeError from None
    if m.large or len(m.notes.sentences) != notes:
        raise UnalikeError
    m.steps = steps
    return found


def lifted(m: Machine, function: Callable[..., Value], *values: Value) -> Value:
    """Return a function of values some of which differ between bindings."""
    kinds = set()
    numbers = [value.data.values for value in values if type(value.data) is Swept]

    def of_one(given: tuple[Any, ...]) -> Any:  # noqa: ANN401 - a number
        rest = iter(given)
        found = function(
            *(Value(value.type, next(rest)) if type(value.data) is Swept else value for value in values),
        )
        kinds.add(found.type)
        return found.data

    data = each(m, of_one, Swept(list(zip(*numbers, strict=True))))
    if len(kinds) > 1:
        raise UnalikeError
    return Value(kinds.pop(), data)


def finite(values: Sequence[Any]) -> bool:
    """Tell whether all are finite floats, which need no conversion."""
    return all(type(value) is float for value in values) and all(map(isfinite, values))
