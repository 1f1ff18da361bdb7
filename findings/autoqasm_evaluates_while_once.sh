#!/bin/sh
# Expected: the condition of a `while` is evaluated before each round, as in Python and in OpenQASM 3.
# Happens: AutoQASM writes it into a variable before the loop and never again, be it a comparison or a measurement: `while n < 2` with `n += 1` has no end.
# Source: autoqasm 0.6.2, aq.main and Program.to_ir.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet autoqasm==0.6.2 2>/dev/null
cat > "$folder/loop.py" <<'PYTHON'
import sys
from importlib.metadata import version

import autoqasm as aq
from autoqasm.instructions import measure, x


@aq.main(num_qubits=1)
def program():
    n = aq.IntVar(0)
    while n < 2:
        x(0)
        n += 1
    return measure(0)


print("autoqasm", version("autoqasm"))
text = program.build().to_ir()
print(text)
before, _, after = text.partition("while (")
name = after.partition(")")[0]
body = after.partition("}")[0]
sys.exit(f"{name} = n < 2;" not in before or f"{name} =" in body)
PYTHON
"$folder/env/bin/python" -W ignore "$folder/loop.py"
