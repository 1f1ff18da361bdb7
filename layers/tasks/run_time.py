"""How long a run takes: the one model by which the api chooses a lane and the worker an engine.

Fitted to runs of Aer 0.18.2 on one core of 2026. Typical circuits take between a third and three times as long; those
whose entanglement stays below what their gates allow take much less.
"""

from __future__ import annotations

START = 1e-3  # seconds, of any run
NOISE_START = 4e-3  # of one with noise on gates
GATE = 16e-6  # of a gate, whatever the state
AMPLITUDE = 1.5e-9  # of a gate and an amplitude
SHOT = 0.7e-6  # of a shot that is sampled from one state
SHOT_ANEW = 45e-6  # of a shot that runs the circuit anew
NOISY_GATE = 1.2e-6  # of drawing an error, in each shot


def run_seconds(  # noqa: PLR0913 - the properties of a circuit that decide
    method: str,
    qubits: int,
    gates: int,
    shots: int,
    *,
    noisy: bool = False,
    mid_circuit: bool = False,
    branching: bool = False,
    crossings: int = 0,
) -> float:
    """Return the seconds that a circuit takes on one core.

    `noisy` is noise on gates, `mid_circuit` a measurement or reset that shots cannot be sampled after; with either,
    every shot runs the circuit anew. Where shots are `branching` they share their gates. `crossings` bounds log2 of a
    matrix product state's bond dimension.
    """
    every_shot = mid_circuit or noisy
    anew = (SHOT_ANEW if every_shot else 0.0) + (NOISY_GATE * gates if noisy else 0.0)
    if method == "stabilizer":
        once = gates * (GATE + 3e-8 * qubits)
        shot = 1.1e-8 * qubits**2 + 5e-11 * qubits**3 + anew
    elif method == "matrix_product_state":
        bond = 2.0 ** min(crossings, qubits // 2, 20)
        applied = gates * (8e-6 + 3e-10 * bond**3)
        once = GATE * gates + applied
        shot = qubits * (2e-6 + 4e-9 * bond**2) + anew + every_shot * applied
    else:
        # A density matrix is held as the statevector of twice the qubits, and noise is one more gate after each.
        exact = method == "density_matrix"
        amplitudes = 2.0 ** min(1_000, qubits * (2 if exact else 1))
        once = gates * (GATE + AMPLITUDE * amplitudes * (2 if exact and noisy else 1))
        shot = SHOT
        if branching:
            shot = anew + 1e-8 * amplitudes
        elif mid_circuit or (noisy and not exact):
            shot = anew + 0.5e-6 * gates + AMPLITUDE * (gates + 4 * qubits) * amplitudes
    return START + noisy * NOISE_START + once + shots * shot
