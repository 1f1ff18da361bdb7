"""Noise models that the service offers by name, made of what the makers of two devices published about them.

Of each qubit: T1 and T2, the error of a pulse, and both readout errors. Of all pairs: the median error and duration of
cx, on any two qubits, so that a program need not be laid out for the device. The rules are what a request may have, so
that they can be copied and changed; `rz` and other turns about z take no time on these devices and have no error.

An error rate is that of the average fidelity. What relaxation does in the gate's time is part of it; the rest is
depolarizing, as in Qiskit Aer's `NoiseModel.from_backend`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from tasks.noise.rule_list import read_rule
from tasks.noise.rules import ONE_QUBIT, TWO_QUBIT, Rules
from tasks.noise.values import Room

PULSES = ("h", "id", "r", "rx", "ry", "sx", "sxdg", "u", "x", "y")


@dataclass(frozen=True)
class Device:
    """What was published: of each qubit (T1, T2 in microseconds, pulse error, 1 for 0, 0 for 1), and of its pairs."""

    name: str
    source: str
    date: str
    license: str
    qubits: tuple[tuple[float, float, float, float, float], ...]
    pulse_s: float
    pair_error: float
    pair_s: float

    def as_dict(self) -> dict[str, Any]:
        """Return the model as the service lists it."""
        return {
            "name": self.name,
            "num_qubits": len(self.qubits),
            "source": self.source,
            "date": self.date,
            "license": self.license,
            "rules": rules_in(self),
        }


def rules_in(device: Device) -> list[dict[str, Any]]:
    """Return a device's rules, as a request may have them."""
    rules: list[dict[str, Any]] = []
    decays = []
    for index, (t1, t2, error, one_for_0, zero_for_1) in enumerate(device.qubits):
        # Rounded figures may say that a T2 is more than twice its T1, which none is.
        times = (t1 * 1e-6, min(t2, 2 * t1) * 1e-6)
        rules.append(
            {
                "channel": "thermal_relaxation",
                "t1": times[0],
                "t2": times[1],
                "time": {ONE_QUBIT: device.pulse_s, TWO_QUBIT: device.pair_s},
                "gates": [*PULSES, TWO_QUBIT],
                "qubits": [index],
            }
        )
        rest = _rest(error, _fidelity(times, device.pulse_s), 2)
        if rest:
            rules.append({"channel": "depolarizing", "probability": rest, "gates": [*PULSES], "qubits": [index]})
        decays.append(_fidelity(times, device.pair_s))
        rules.append(
            {
                "channel": "readout",
                "prob_meas1_prep0": one_for_0,
                "prob_meas0_prep1": zero_for_1,
                "qubits": [index],
            }
        )
    typical = sorted(decays)[len(decays) // 2] ** 2
    rest = _rest(device.pair_error, typical, 4)
    if rest:
        rules.append({"channel": "depolarizing", "probability": rest, "gates": [TWO_QUBIT]})
    return rules


def _fidelity(times: tuple[float, float], seconds: float) -> float:
    """Return the process fidelity of relaxation on one qubit."""
    return (1 + math.exp(-seconds / times[0]) + 2 * math.exp(-seconds / times[1])) / 4


def _rest(error: float, process_fidelity: float, size: int) -> float:
    """Return the depolarizing parameter that is missing to an average gate error; 0 where relaxation does it all."""
    average = (size * process_fidelity + 1) / (size + 1)
    return round(max(0.0, (error - (1 - average)) / (average - 1 / size)), 8)


_LIMA = (
    (59.7, 93.6, 1.92e-04, 0.0118, 0.0404),
    (83.1, 115.5, 3.31e-04, 0.0112, 0.0288),
    (103.8, 94.8, 1.81e-04, 0.0072, 0.026),
    (43.6, 46.5, 3.93e-04, 0.0248, 0.0782),
    (17.5, 16.4, 6.79e-04, 0.0192, 0.0958),
)
_MUMBAI = (
    (159.9, 161.2, 2.01e-04, 0.0182, 0.0236),
    (172.7, 36.5, 4.39e-04, 0.0166, 0.0238),
    (71.8, 124, 2.20e-04, 0.0098, 0.0184),
    (112.4, 188, 3.07e-04, 0.0292, 0.045),
    (95.7, 70, 2.40e-04, 0.0056, 0.0246),
    (93.6, 125.6, 2.16e-04, 0.0152, 0.0222),
    (97.4, 125.2, 2.20e-04, 0.0072, 0.0188),
    (121.2, 149.2, 1.86e-04, 0.0144, 0.0268),
    (83.9, 55.2, 2.71e-04, 0.0596, 0.0624),
    (123.9, 59.7, 2.60e-04, 0.0258, 0.0332),
    (111.9, 140.9, 2.38e-04, 0.0336, 0.0464),
    (124.4, 95.6, 2.49e-04, 0.0126, 0.022),
    (124.7, 71.8, 2.07e-04, 0.0458, 0.0424),
    (100.1, 92.6, 2.49e-04, 0.0112, 0.0232),
    (107.9, 204.6, 1.78e-04, 0.1022, 0.1002),
    (108.1, 140.5, 1.65e-04, 0.0766, 0.0802),
    (98.9, 121.6, 3.21e-04, 0.0056, 0.0234),
    (84.4, 44.4, 2.41e-04, 0.0132, 0.0294),
    (117.2, 54.6, 2.67e-04, 0.0192, 0.0256),
    (133.2, 170.5, 1.71e-04, 0.0152, 0.022),
    (91.4, 143, 2.11e-04, 0.028, 0.0292),
    (55.5, 93.3, 3.04e-04, 0.0172, 0.026),
    (171.1, 192.1, 1.93e-04, 0.0216, 0.0388),
    (109.8, 156.2, 3.10e-04, 0.0134, 0.026),
    (161.3, 69.4, 2.36e-04, 0.031, 0.0306),
    (154.1, 83.8, 1.84e-04, 0.0404, 0.0476),
    (118.3, 169.6, 1.96e-04, 0.0218, 0.0318),
)

MODELS = {
    device.name: device
    for device in (
        Device(
            name="ibmq_lima",
            source=(
                "The calibration of IBM's device ibmq_lima that qiskit-ibm-runtime 0.51.0 records "
                "(fake_provider/backends/lima/props_lima.json), rounded."
            ),
            date="2021-03-15",
            license="Apache-2.0",
            qubits=_LIMA,
            pulse_s=3.556e-8,
            pair_error=9.070e-03,
            pair_s=4.018e-07,
        ),
        Device(
            name="ibmq_mumbai",
            source=(
                "The calibration of IBM's device ibmq_mumbai that qiskit-ibm-runtime 0.51.0 records "
                "(fake_provider/backends/mumbai/props_mumbai.json), rounded."
            ),
            date="2021-03-13",
            license="Apache-2.0",
            qubits=_MUMBAI,
            pulse_s=3.556e-8,
            pair_error=6.541e-03,
            pair_s=4.018e-07,
        ),
    )
}


@cache
def rules_of(name: str) -> Rules:
    """Return the rules of a model of this name."""
    found = Rules()
    for index, rule in enumerate(rules_in(MODELS[name])):
        one = read_rule(rule, f"noise.model {name} rules[{index}]", Room())
        found = Rules(
            found.rules + tuple(replace(each, own=False) for each in one.rules),
            found.readouts + tuple(replace(each, own=False) for each in one.readouts),
        )
    return found
