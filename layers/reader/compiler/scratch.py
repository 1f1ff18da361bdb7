"""Scratch bits of one piece of arithmetic: worked out in many, it is given as few as are in use at a time.

The simulator's time for a program grows with the product of its stores and its classical bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from reader.operations import Bit, Node, Store, cells, replaced

if TYPE_CHECKING:
    from reader.compiler.machine import Machine

_FEW = 8  # scratch bits that are left as they are


class Scratch:
    """Where a piece of arithmetic begins: what it stores from here on goes into scratch bits, each of them once."""

    def __init__(self, m: Machine) -> None:
        self.operations = len(m.ops)
        self.held = len(m.temporaries)

    def reuse(self, m: Machine, result: tuple[Bit, ...]) -> tuple[Bit, ...]:
        """Return the result, the stores since the beginning made to share scratch bits where one is done with.

        Stores that the result does not need are left out. What is there before is read as it was.
        """
        own = m.temporaries[self.held :]
        if len(own) <= _FEW:
            return result
        stores = cast("list[Store]", m.ops[self.operations :])  # arithmetic emits nothing else
        m.budget.spend(len(stores) * 6, m.here)
        temporary = set(own)
        last: dict[int, int] = {cell: len(stores) for bit in result for cell in cells(bit)}
        needed: list[int] = []
        for index in range(len(stores) - 1, -1, -1):
            target, bit = stores[index]
            if target in last:
                needed.append(index)
                for cell in cells(bit):
                    last.setdefault(cell, index)
        free = own[::-1]
        places: dict[int, Bit] = {}
        kept = []
        for index in reversed(needed):
            target, bit = stores[index]
            moved = replaced(bit, places)
            for cell in dict.fromkeys(cells(bit)):
                if cell in temporary and last[cell] == index:
                    free.append(places[cell].cell)  # type: ignore[union-attr]  # a bit of a cell, see below
            cell = free.pop()
            places[target] = Node("bit", cell)
            kept.append(Store(cell, moved))
        m.ops[self.operations :] = kept
        m.operations -= len(stores) - len(kept)
        used = {store.cell for store in kept}
        m.temporaries[self.held :] = [cell for cell in own if cell in used]
        m.free += [cell for cell in own if cell not in used]
        return tuple(replaced(bit, places) for bit in result)
