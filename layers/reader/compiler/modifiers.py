"""Gate modifiers `inv @`, `pow(k) @`, `ctrl @` and `negctrl @` on lists of operations (spec, "Quantum gate modifiers").

Every function takes operations over places 0..n-1 and returns operations that mean exactly the modified gate, phase
included. Controls stand before the gate's own qubits.
"""

from __future__ import annotations

import cmath
from math import atan2, cos, isclose, pi, sin, sqrt
from typing import TYPE_CHECKING

from reader.compiler.values import LARGEST
from reader.limits import LIMITS
from reader.operations import Gate, Power, on_qubits

if TYPE_CHECKING:
    from reader.operations import Unitary

_SELF_INVERSE = frozenset(["id", "x", "y", "z", "h", "cx", "cy", "cz", "swap", "ccx", "cswap", "ecr", "mcx"])
_INVERSE = {"s": "sdg", "sdg": "s", "t": "tdg", "tdg": "t", "sx": "sxdg", "sxdg": "sx"}
_LINEAR = frozenset(
    ["p", "rx", "ry", "rz", "cp", "rxx", "ryy", "rzz", "rzx", "mcphase", "gphase"]
)  # inverse: the parameter's negative
_REPEAT = 64  # operations up to which an integer power is spelt out
_CLOSE = 1e-9
_ORDERS = {"s": 4, "sdg": 4, "t": 8, "tdg": 8, "sx": 4, "sxdg": 4}  # the power that is the identity
_EXACT = 2**53  # up to here, floats hold every integer
_LARGE = 1e3  # radians up to which a product of floats is close enough
_SIMPLE = 4_096  # largest denominator of a turn that is taken for what was meant
_MOST = 1e9  # radians of a power of what comes from a matrix
_ROUNDING = 4e-15  # turns that an angle may be off by where it comes from a matrix

# One-qubit gates as u(theta, phi, lambda) with a phase, after Qiskit's matrices.
_FIXED_ANGLES: dict[str, tuple[float, float, float, float]] = {
    "id": (0.0, 0.0, 0.0, 0.0),
    "x": (pi, 0.0, pi, 0.0),
    "y": (pi, pi / 2, pi / 2, 0.0),
    "z": (0.0, 0.0, pi, 0.0),
    "h": (pi / 2, 0.0, pi, 0.0),
    "s": (0.0, 0.0, pi / 2, 0.0),
    "sdg": (0.0, 0.0, -pi / 2, 0.0),
    "t": (0.0, 0.0, pi / 4, 0.0),
    "tdg": (0.0, 0.0, -pi / 4, 0.0),
    "sx": (pi / 2, -pi / 2, pi / 2, pi / 4),
    "sxdg": (-pi / 2, -pi / 2, pi / 2, -pi / 4),
}
# Gates that are a one-qubit gate under controls.
_CONTROLLED = {"cx": ("x", 1), "cy": ("y", 1), "cz": ("z", 1), "cp": ("p", 1), "ccx": ("x", 2)}


def inverse(operations: list[Unitary]) -> list[Unitary]:
    """Return the inverse: every operation inverted, in reverse order."""
    return [_invert(operation) for operation in reversed(operations)]


def _invert(operation: Unitary) -> Unitary:
    if isinstance(operation, Power):
        return Power(-operation.exponent, operation.operations, operation.qubits)
    name, parameters, qubits = operation
    if name in _SELF_INVERSE:
        return operation
    if name in _INVERSE:
        return Gate(_INVERSE[name], parameters, qubits)
    if name == "u":
        theta, phi, lam = parameters
        return Gate("u", (-theta, -lam, -phi), qubits)
    # A rotation is left; of `r` the second parameter is the axis.
    assert name in _LINEAR or name == "r", name  # noqa: S101 - every native gate is one of these
    return Gate(name, (-parameters[0], *parameters[1:]), qubits)


def as_u(name: str, parameters: tuple[float, ...]) -> tuple[float, float, float, float] | None:  # noqa: PLR0911 a dispatch over the language
    """Return a one-qubit gate's theta, phi, lambda and phase; None for any other gate."""
    if name in _FIXED_ANGLES:
        return _FIXED_ANGLES[name]
    if name == "u":
        theta, phi, lam = parameters
        return theta, phi, lam, 0.0
    if name == "p":
        return 0.0, 0.0, parameters[0], 0.0
    if name == "rx":
        return parameters[0], -pi / 2, pi / 2, 0.0
    if name == "ry":
        return parameters[0], 0.0, 0.0, 0.0
    if name == "rz":
        return 0.0, 0.0, parameters[0], -parameters[0] / 2
    if name == "r":
        return parameters[0], parameters[1] - pi / 2, pi / 2 - parameters[1], 0.0
    return None


def _spread(gate: Gate) -> list[Gate]:
    """Return a gate of several qubits in terms of one-qubit gates, their controlled forms and swap."""
    name, parameters, qubits = gate
    if name in ("rxx", "ryy", "rzz", "rzx"):
        a, b = qubits
        around: list[Gate] = []
        back: list[Gate] = []
        if name == "rxx":
            around = back = [Gate("h", (), (a,)), Gate("h", (), (b,))]
        elif name == "ryy":
            around = [Gate("rx", (pi / 2,), (a,)), Gate("rx", (pi / 2,), (b,))]
            back = [Gate("rx", (-pi / 2,), (a,)), Gate("rx", (-pi / 2,), (b,))]
        elif name == "rzx":
            around = back = [Gate("h", (), (b,))]
        return [*around, Gate("cx", (), (a, b)), Gate("rz", parameters, (b,)), Gate("cx", (), (a, b)), *back]
    if name == "ecr":
        a, b = qubits
        return [
            *_spread(Gate("rzx", (pi / 4,), (a, b))),
            Gate("x", (), (a,)),
            *_spread(Gate("rzx", (-pi / 4,), (a, b))),
        ]
    return [gate]


def controlled(operations: list[Unitary], count: int) -> list[Unitary]:
    """Return the gate under `count` controls, which come first; its own places move up by as many."""
    controls = tuple(range(count))
    result: list[Unitary] = []
    for operation in operations:
        moved = tuple(qubit + count for qubit in operation.qubits)
        if isinstance(operation, Power):
            # Controls commute with powers: ctrl of U to the k is ctrl U to the k, principal values included.
            inner = tuple(controlled(list(operation.operations), count))
            result.append(Power(operation.exponent, inner, controls + moved))
            continue
        for part in _spread(Gate(operation.name, operation.parameters, moved)):
            _control(result, controls, part)
    return result


def _control(result: list[Unitary], controls: tuple[int, ...], gate: Gate) -> None:
    """Append one gate under the controls."""
    name, parameters, qubits = gate
    if name in _CONTROLLED:
        name, own = _CONTROLLED[name]
        controls += qubits[:own]
        qubits = qubits[own:]
    if name == "id":
        return
    if name == "gphase":
        result.append(phase_on(controls, parameters[0]))
    elif name in ("mcx", "mcphase"):
        result.append(Gate(name, parameters, controls + qubits))
    elif name in ("swap", "cswap"):
        controls += qubits[:-2]
        a, b = qubits[-2:]
        if len(controls) == 1:
            result.append(Gate("cswap", (), (*controls, a, b)))
        else:
            result += [Gate("cx", (), (b, a)), flip((*controls, a), b), Gate("cx", (), (b, a))]
    elif name == "x":
        result.append(flip(controls, qubits[0]))
    elif name == "z" or name == "p":  # noqa: PLR1714 - the second has a parameter
        result.append(phase_on(controls + qubits, parameters[0] if parameters else pi))
    elif name == "y" and len(controls) == 1:
        result.append(Gate("cy", (), controls + qubits))
    else:
        angles = as_u(name, parameters)
        assert angles is not None  # noqa: S101 - every other native gate was spread above
        _control_u(result, controls, qubits[0], angles)


def flip(controls: tuple[int, ...], target: int) -> Gate:
    """Return x under controls."""
    names = {0: "x", 1: "cx", 2: "ccx"}
    return Gate(names.get(len(controls), "mcx"), (), (*controls, target))


def phase_on(qubits: tuple[int, ...], angle: float) -> Gate:
    """Return the phase that the state with all these qubits set takes."""
    if len(qubits) == 2 and abs(abs(angle) - pi) <= 1e-15 * pi:  # noqa: PLR2004 - cz keeps a Clifford circuit one
        return Gate("cz", (), qubits)
    names = {0: "gphase", 1: "p", 2: "cp"}
    return Gate(names.get(len(qubits), "mcphase"), (angle,), qubits)


def _control_u(
    result: list[Unitary], controls: tuple[int, ...], target: int, angles: tuple[float, float, float, float]
) -> None:
    theta, phi, lam, gamma = angles
    total = gamma + (phi + lam) / 2
    if abs(total) > 0:
        result.append(phase_on(controls, total))
    result += [
        Gate("p", ((lam - phi) / 2,), (target,)),
        flip(controls, target),
        Gate("u", (-theta / 2, 0.0, -(phi + lam) / 2), (target,)),
        flip(controls, target),
        Gate("u", (theta / 2, phi, 0.0), (target,)),
    ]


def power(operations: list[Unitary], exponent: float, qubits: int) -> list[Unitary] | None:
    """Return the gate to a power: an integer one is exact however large, any other is the principal power.

    None when that takes the whole matrix and the gate has more qubits than the caller wants to allow; see `whole`.
    """
    if exponent == 0 or not operations:
        return []
    whole_number = isinstance(exponent, int)
    if whole_number and abs(exponent) * len(operations) <= _REPEAT:
        once = operations if exponent > 0 else inverse(operations)
        return once * int(abs(exponent))
    if len(operations) == 1:
        alone = power_of_one_operation(operations[0], exponent)
        if alone is not None:
            return alone
    matrix = _product(operations) if qubits == 1 else None
    if matrix is not None:
        return _power_of_one_qubit(matrix, exponent)
    return whole(operations, exponent, qubits)


def power_of_one_operation(operation: Unitary, exponent: float) -> list[Unitary] | None:  # noqa: PLR0911 one for each rule
    """Return the power of a single operation where a rule gives it; None where its matrix must."""
    if isinstance(operation, Power):
        if isinstance(exponent, int) and (isinstance(operation.exponent, int) or abs(exponent) < _EXACT):
            return [operation._replace(exponent=operation.exponent * exponent)]
        return None
    name, parameters, places = operation
    if isinstance(exponent, int):
        if (order := 2 if name in _SELF_INVERSE else _ORDERS.get(name)) is not None:
            return [operation] * (exponent % order)
        if name in _LINEAR:
            return [Gate(name, (multiple(parameters[0], exponent, LARGEST),), places)]
    elif name in ("p", "cp", "mcphase", "gphase"):
        return [Gate(name, (principal(parameters[0]) * exponent,), places)]
    if name in _CONTROLLED:
        base, own = _CONTROLLED[name]
        inner = power([Gate(base, parameters, (0,))], exponent, 1)
        if inner is not None:
            return [on_qubits(part, places) for part in controlled(inner, own)]
    return None


class TooLargeError(Exception):
    """A gate to so large a power that floats do not know its angle."""


def multiple(angle: float, factor: float, most: float | None = None) -> float:
    """Return the product as an angle; that with a large integer reduced to (-2 pi, 2 pi], exactly as a fraction of pi.

    Raises TooLargeError where it is over that many radians, in which the angle does not count as one of the fractions.

    An angle within rounding of a simple fraction of a turn counts as that fraction, as it was meant: 2**60 times
    rx(pi / 3) is a whole number of turns and a third of one. All periods of rotations, 2 pi and 4 pi, are kept.
    """
    if not isinstance(factor, int) or (abs(factor) < _EXACT and abs(factor * angle) < _LARGE):
        return angle * factor
    from fractions import Fraction  # noqa: PLC0415 - few programs have such powers

    turns = angle / (2 * pi)
    fraction = Fraction(turns).limit_denominator(_SIMPLE)
    if not isclose(fraction, turns, rel_tol=0.0, abs_tol=_ROUNDING):
        if most is not None:
            return _exactly(angle, factor, most)
        fraction = Fraction(turns)
    reduced = fraction * factor % 2
    return float(reduced if reduced <= 1 else reduced - 2) * 2 * pi


def _exactly(angle: float, factor: int, most: float) -> float:
    """Return the product of the float that the angle is, modulo 4 pi."""
    from fractions import Fraction  # noqa: PLC0415 - few programs have such powers

    from reader.compiler.exact_numbers import Real, reduced  # noqa: PLC0415 - the same

    product = Fraction(angle) * factor
    if abs(product) > most:
        raise TooLargeError
    return reduced(Real(product))


def whole(operations: list[Unitary], exponent: float, qubits: int) -> list[Unitary] | None:
    """Return the power as one operation whose matrix the circuit builder computes; None if it has too many qubits."""
    if qubits > LIMITS.power_qubits:
        return None
    return [Power(exponent, tuple(operations), tuple(range(qubits)))]


def principal(angle: float) -> float:
    """Return the angle in (-pi, pi], an angle within rounding of -pi as pi."""
    angle = angle - 2 * pi * round(angle / (2 * pi))
    return angle + 2 * pi if angle <= -pi + _CLOSE else angle


_Matrix = tuple[complex, complex, complex, complex]


def _product(operations: list[Unitary]) -> _Matrix | None:
    """Return the matrix of a sequence of one-qubit gates; None if it has others."""
    a, b, c, d = 1 + 0j, 0j, 0j, 1 + 0j
    for operation in operations:
        if isinstance(operation, Power):
            return None
        if operation.name == "gphase":
            turn = cmath.exp(1j * operation.parameters[0])
            a, b, c, d = a * turn, b * turn, c * turn, d * turn
            continue
        angles = as_u(operation.name, operation.parameters)
        if angles is None:
            return None
        theta, phi, lam, gamma = angles
        turn = cmath.exp(1j * gamma)
        e = turn * cos(theta / 2)
        f = -turn * cmath.exp(1j * lam) * sin(theta / 2)
        g = turn * cmath.exp(1j * phi) * sin(theta / 2)
        h = turn * cmath.exp(1j * (phi + lam)) * cos(theta / 2)
        a, b, c, d = e * a + f * c, e * b + f * d, g * a + h * c, g * b + h * d
    return a, b, c, d


def _power_of_one_qubit(matrix: _Matrix, exponent: float) -> list[Unitary]:
    """Return the principal power of a unitary 2x2 matrix as a phase and a u gate."""
    a, b, c, d = matrix
    alpha = cmath.phase(a * d - b * c) / 2
    back = cmath.exp(-1j * alpha)
    a, b, c, d = a * back, b * back, c * back, d * back
    # Now cos(w) - i sin(w) (x X + y Y + z Z), w in [0, pi].
    cosine = (a + d).real / 2
    x, y, z = -(b + c).imag / 2, (c - b).real / 2, (d - a).imag / 2
    sine = sqrt(x * x + y * y + z * z)
    w = atan2(sine, cosine)
    if sine < _CLOSE:
        x, y, z, sine = 0.0, 0.0, 1.0, 1.0
    low, high = (multiple(principal(phase), exponent, _MOST) for phase in (alpha - w, alpha + w))
    alpha, w = (low + high) / 2, (high - low) / 2
    x, y, z = x / sine, y / sine, z / sine
    a, c = complex(cos(w), -sin(w) * z), complex(sin(w) * y, -sin(w) * x)
    d = complex(cos(w), sin(w) * z)
    theta = 2 * atan2(abs(c), abs(a))
    # u(theta, phi, lam) has a real first entry; its phase goes to gphase.
    if abs(a) < _CLOSE:
        # Here u's off-diagonal is exp(i phi), -exp(i lam): choose lam = pi - phi's mirror with phase zero.
        return [
            Gate("gphase", (alpha,), ()),
            Gate("u", (pi, cmath.phase(c), cmath.phase(-complex(-sin(w) * y, -sin(w) * x))), (0,)),
        ]
    first = cmath.phase(a)
    phi = cmath.phase(c) - first if abs(c) > _CLOSE else 0.0
    lam = cmath.phase(d) - first - phi
    return [Gate("gphase", (alpha + first,), ()), Gate("u", (theta, phi, lam), (0,))]
