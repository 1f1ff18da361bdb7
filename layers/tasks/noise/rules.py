"""What a noise model comes to: rules, each an error and the operations that it follows or comes before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tasks.errors import ErrorCode, TaskError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from tasks.noise.channels import Error

MEASURE, RESET, DELAY, IDLE = "measure", "reset", "delay", "idle"
NO_GATES = frozenset({MEASURE, RESET, DELAY, IDLE})  # what a rule without names does not mean
ONE_QUBIT, TWO_QUBIT = "one_qubit", "two_qubit"  # names for all gates of a width


@dataclass(frozen=True, eq=False)
class Rule:
    """One error and where it applies; `label` is how notes name it.

    `gates` are names of gates, `measure`, `reset`, `delay`, `idle`, or the names of a width; None means every gate on
    one or two qubits. `qubits` has whole lists of a gate's qubits in their order, and single qubits, which mean gates
    on these; None means all. `error` makes the error of a gate's name, number of qubits and seconds; None where there
    is none. An error on one qubit acts on each qubit of a wider gate; of single qubits, on those. `but` are lists of
    qubits that another rule has taken.
    """

    label: str
    error: Callable[[str, int, float], Error | None]
    gates: frozenset[str] | None = None
    qubits: frozenset[int | tuple[int, ...]] | None = None
    before: bool = False
    but: frozenset[tuple[int, ...]] = frozenset()
    own: bool = False  # the request's own, which must fit the circuit; a device has more qubits and gates

    def names(self, name: str, width: int, *, by_name: bool = False) -> bool:
        """Tell whether the rule is about such a gate; `by_name` if it must name it."""
        if by_name:
            return self.gates is not None and name in self.gates
        if self.gates is None:
            return name not in NO_GATES and width <= 2  # noqa: PLR2004 - wider gates are decomposed, or named
        if name in self.gates:
            return True
        return name not in NO_GATES and (ONE_QUBIT, TWO_QUBIT)[width - 1] in self.gates if width in (1, 2) else False


@dataclass(frozen=True, eq=False)
class Readout:
    """The chances of reading 1 for a 0 and 0 for a 1, of some qubits' measurements or of all."""

    label: str
    flips: tuple[float, float]
    qubits: frozenset[int] | None = None
    own: bool = False


@dataclass(frozen=True, eq=False)
class Rules:
    """All rules of a model, in the order in which they act on one operation.

    Of several readouts for one qubit the last one counts. `durations` are seconds by name, for waiting qubits.
    """

    rules: tuple[Rule, ...] = ()
    readouts: tuple[Readout, ...] = ()
    durations: Mapping[str, float] = field(default_factory=dict)

    @property
    def on_gates(self) -> bool:
        """Whether anything but readout errs."""
        return bool(self.rules)

    @property
    def on_readout(self) -> bool:
        """Whether measurements read wrongly."""
        return any(readout.flips != (0.0, 0.0) for readout in self.readouts)

    def refuse_unknown(self, num_qubits: int, gates: Collection[str]) -> None:
        """Raise TaskError if a rule of the request's own is for a qubit or gate that there is not."""
        every: tuple[Rule | Readout, ...] = (*self.rules, *self.readouts)
        for rule in every:
            if not rule.own:
                continue
            mentioned = {q for each in rule.qubits or () for q in ((each,) if isinstance(each, int) else each)}
            if mentioned and max(mentioned) >= num_qubits:
                raise TaskError(
                    ErrorCode.INVALID_INPUTS,
                    f"{rule.label} is for qubit {max(mentioned)}; the circuit has {num_qubits} qubits.",
                    limit=num_qubits - 1,
                    actual=max(mentioned),
                    hint="Qubits are counted from 0 over all registers, in the order of their declaration.",
                )
            if isinstance(rule, Rule):
                for name in sorted(rule.gates or ()):
                    if name not in gates and name not in NO_GATES and name not in (ONE_QUBIT, TWO_QUBIT):
                        raise TaskError(
                            ErrorCode.INVALID_INPUTS,
                            f"{rule.label} is for {name[:40]!r}, which is not a gate of the standard library.",
                            hint="A gate that the program defines is replaced by its parts, which have the noise.",
                        )
