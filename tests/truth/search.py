"""`make truth SECONDS=600`: judge generated tasks until the time is up; print how many, and whatever is wrong."""

from __future__ import annotations

import sys
import time
from collections import Counter
from random import randrange

from hypothesis import HealthCheck, Phase, given, seed, settings

from truth.comparison import RISK
from truth.programs import Case, cases
from truth.running import wrong

ROUND = 200  # programs between two looks at the clock


def main(seconds: float) -> int:
    """Return 1 if anything is wrong."""
    until = time.monotonic() + seconds
    judged: Counter[str] = Counter()
    found: dict[str, tuple[Case, list[str]]] = {}

    @settings(
        max_examples=ROUND,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    def judge(case: Case) -> None:
        if time.monotonic() > until:
            return
        judged.update(["programs", str(case.options["method"])])
        judged.update(
            name for name in ("noise", "memory", "observables", "inputs", "precision") if name in case.options
        )
        if (complaints := wrong(case)) and case.text not in found:
            found[case.text] = case, complaints
            print(f"\n{case}", *complaints[:5], sep="\n  ", flush=True)

    while time.monotonic() < until:
        print(f"{judged['programs']} programs, {len(found)} wrong", flush=True)
        seed(randrange(2**63))(judge)()
    print(f"judged: {dict(judged)}; by chance {RISK * judged['programs']:.4f} of them would be called wrong")
    print(f"\n{len(found)} wrong")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
