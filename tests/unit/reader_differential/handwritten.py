"""Programs written by hand, one construct each, by name: the text and the inputs."""

from __future__ import annotations

from typing import Any

# Three qubits in a state that hides no phase and no permutation, and how to look at it.
SPREAD = "qubit[3] q; bit[3] c; ry(0.7) q[0]; rx(1.1) q[1]; U(0.4, 0.5, 0.6) q[2]; cx q[0], q[2]; h q[1];"
LOOK = "ry(0.3) q; rx(0.5) q; c = measure q;"

_GATES = {
    "gphase-ctrl": "ctrl @ gphase(0.7) q[1];",
    "gphase-in-gate-ctrl": "gate g a { gphase(0.9); x a; } ctrl @ g q[0], q[1];",
    "u-ctrl": "ctrl @ U(0.8, 0.2, 0.3) q[0], q[1];",
    "u-pow": "pow(0.5) @ U(1.1, 0.2, 0.3) q[0];",
    "u2-ctrl": "ctrl @ u2(0.2, 0.3) q[0], q[1];",
    "u3-ctrl": "ctrl @ u3(0.8, 0.2, 0.3) q[0], q[1];",
    "cu": "cu(0.8, 0.2, 0.3, 0.4) q[0], q[1];",
    "rz-ctrl": "ctrl @ rz(0.8) q[0], q[1];",
    "p-ctrl-ctrl": "ctrl(2) @ p(0.8) q[0], q[1], q[2];",
    "negctrl": "negctrl @ rx(0.8) q[0], q[1];",
    "negctrl-ctrl": "negctrl @ ctrl @ x q[2], q[0], q[1];",
    "ctrl-negctrl": "ctrl @ negctrl @ x q[2], q[0], q[1];",
    "pow-negative": "pow(-2) @ t q[0];",
    "pow-zero": "pow(0) @ x q[0];",
    "pow-half-of-x": "pow(0.5) @ x q[0];",
    "pow-half-by-integer-division": "pow(1/2) @ x q[0];",
    "pow-third-of-swap": "pow(1.0/3) @ swap q[0], q[1];",
    "pow-of-user-gate": "gate g(t) a, b { rx(t) a; cx a, b; } pow(0.5) @ g(0.4) q[0], q[2];",
    "inv-pow-ctrl": "inv @ pow(0.5) @ ctrl @ y q[1], q[2];",
    "ctrl-inv-pow": "ctrl @ inv @ pow(1.5) @ s q[1], q[2];",
    "inv-user-gate": "gate g(t) a, b { rx(t) a; cu(0.1, 0.2, 0.3, 0.4) a, b; s b; } inv @ g(0.4) q[0], q[2];",
    "nested-user-gates": "gate f(t) a { rz(t / 2) a; sx a; } gate g(t) a, b { f(t * 2) b; ctrl @ f(-t) a, b; } "
    "g(0.4) q[1], q[2];",
    "gate-parameter-integer-halved": "gate g(t) a { rx(t / 2) a; } g(1) q[0];",
    "gate-empty": "gate g a, b { } g q[0], q[1];",
    "gate-with-constant": "const float t = 0.4; gate g a { rx(t) a; } g q[0];",
    "gate-broadcast": "gate g a, b { cx a, b; ry(0.2) a; } g q[0], q[1:2];",
    "rxx": "rxx(0.8) q[0], q[1];",
    "ryy": "ryy(0.8) q[0], q[1];",
    "rzz": "rzz(0.8) q[0], q[1];",
    "rzx": "rzx(0.8) q[0], q[1];",
    "iswap": "iswap q[0], q[1];",
    "ecr": "ecr q[0], q[1];",
    "dcx": "dcx q[0], q[1];",
    "csx": "csx q[0], q[1];",
    "sxdg": "sxdg q[0];",
    "CX": "CX q[0], q[1];",
    "phase-cphase": "phase(0.3) q[0]; cphase(0.8) q[0], q[1];",
    "cswap-ccx": "cswap q[0], q[1], q[2]; ccx q[1], q[2], q[0];",
    **{
        f"user-{name}": f"gate {name} a, b {{ ry(0.4) b; cx b, a; }} {name} q[0], q[1]; ctrl @ {name} q[2], q[0], q[1];"
        for name in ("ecr", "rzz", "iswap", "mcx", "unitary", "pauli", "kraus", "initialize", "snapshot", "multiplexer")
    },
    "user-gate-before-and-after": "gate f a, b { ecr a, b; } gate ecr a, b { x b; } f q[0], q[1]; ecr q[1], q[2];",
    "angle-parameter": "angle[5] a = 1.3; rx(a) q[0]; crz(a) q[0], q[1];",
    "angle-parameter-negative": "angle[5] a = -1.3; ctrl @ rx(a) q[0], q[1];",
    "angle-arithmetic": "angle[6] a = 1.3; angle[6] b = 2.9; a += b; a *= 3; a >>= 1; rx(-a / uint[6](3)) q[0];",
    "integer-parameter": "int[8] n = -3; rx(n) q[0]; ry(n * 0.1) q[1];",
    "integer-division": "rx(1 / 2) q[0]; ry(7 / 2) q[1]; rz(pi * 1 / 2) q[2]; ry(1 / 2 * pi) q[0];",
    "power-right-associative": "rx(2 ** 3 ** 2 / 1000.0) q[0]; ry(-2 ** 2 / 10.0) q[1];",
    "functions": "rx(arccos(0.3) + arcsin(0.2) - arctan(0.4)) q[0]; ry(exp(0.1) * log(2) + tan(0.2)) q[1];"
    " rz(sqrt(2) + ceiling(0.2) - floor(1.7) + mod(7, 3) + cos(1)) q[2]; h q[2];",
    "constants": "rx(tau / 7) q[0]; ry(euler) q[1]; rx(π / 7 + τ + ℇ) q[2];",
    "for-nested": "for int i in [0:1] { for int j in [i + 1:2] { cp(pi / (j + 2)) q[i], q[j]; } }",
    "for-down": "for uint i in [2:-1:1] { cx q[i], q[i - 1]; ry(i * 0.2) q[0]; }",
    "for-set": "for int i in {2, 0, 2} { ry(0.1 * i + 0.2) q[i]; sx q[i]; }",
    "for-array": "array[float[64], 3] a = {0.1, 0.5, 0.9}; int i = 0; for float[64] t in a { rx(t) q[i]; i += 1; }",
    "for-break-continue": "for int i in [0:9] { if (i == 1) { continue; } if (i > 2) { break; } rx(i + 1) q[i]; }",
    "while-constant": "int i = 3; while (i > 0) { i -= 1; ry(i * 0.3) q[i]; }",
    "array-two-dimensions": "array[float[64], 2, 2] a = {{0.1, 0.2}, {0.3, 0.4}}; a[1, 0] = 0.9; a[0] = a[1];"
    " rx(a[0, 0]) q[0]; ry(a[0][1]) q[1];",
    "alias": "let a = q[{2, 0}]; cx a[0], a[1]; let b = a ++ q[1]; ry(0.2) b[-1]; swap b[0], b[2];",
    "slice-with-step": "ry(0.3) q[0:2:2]; rx(0.4) q[2:-1:1]; sx q[:]; s q[1:]; t q[:1];",
    "def-gate": "def f(qubit a, qubit[2] b, angle[6] t) { crx(t) a, b[1]; let c = b[0]; ry(t) c;"
    " } f(q[1], q[{2, 0}], 0.9);",
    "def-shadowing": "int n = 1; def f(qubit a, int n) { n += 1; rx(n * 0.2) a; } f(q[0], 4); rx(n * 0.2) q[1];",
    "def-mutable-array": "array[float, 2] a = {0.2, 0.3}; def f(mutable array[float, 2] x) { x[0] = 0.9; } f(a);"
    " rx(a[0]) q[0];",
    "switch-constant": "int i = 5; switch (i) { case 1, 5 { x q[0]; } case 2 { y q[1]; } default { h q[2]; } }",
    "box-barrier-delay": "box { x q[0]; } barrier q; delay[20ns] q[1]; barrier; box [100ns] { ry(0.3) q[1]; }",
    "scopes": "int n = 1; { int n = 2; n += 1; rx(n) q[0]; } if (n == 1) { int m = n + 1; ry(m) q[1]; } rx(n) q[2];",
}

_CLASSICAL = {
    "bit-logic": "bit[3] a; bit b; bit d; ry(1) q; a = measure q; b = a[0] ^ a[1]; d = !a[2] && (a[0] || b);",
    "bit-arithmetic": "bit[3] a; uint[3] n; ry(1) q; a = measure q; n = uint[3](a); n = n * 3 + 1; bit[3] d = n;",
    "register-compare": "bit[3] a; ry(1) q; a = measure q; if (a == 5) x q[0]; if (a >= 6) { y q[1]; }",
    "register-operators": 'bit[3] a; ry(1) q; a = measure q; a = (a << 1) ^ ~(a >> 2); a &= "110"; a |= rotl(a, 1);',
    "if-else-chain": "bit[2] a; ry(1) q; a = measure q[0:1]; if (a == 0) x q[2];"
    " else if (a == 1) h q[2]; else rx(1) q[2];",
    "if-on-bool": "bool t; bit a; ry(1) q; a = measure q[0]; t = a; if (!t) { x q[1]; }",
    "integer-from-measurement": "int[4] n = 0; bit a; for int i in [0:2] { ry(1) q[i]; a = measure q[i]; n += a; }"
    " if (n == 2) x q[0]; bit[2] d = uint[4](n)[0:1];",
    "signed-compare": "int[4] n = 2; bit a; ry(1) q[0]; a = measure q[0]; n -= 3 * int[4](a); if (n < 0) x q[1];",
    "uint-wraps": "uint[2] n = 3; bit a; ry(1) q[0]; a = measure q[0]; n += a; if (n == 0) x q[1];",
    "while-until": "bit a = 1; uint[3] n = 0; while (a == 1) { h q[0]; a = measure q[0]; n += 1;"
    " } bit d = uint[3](n)[0];",
    "while-two-conditions": "bit a = 1; int n = 0; while (a && n < 3) { n += 1; h q[0]; a = measure q[0]; }",
    "while-break": "bit a; while (true) { ry(2) q[0]; a = measure q[0]; if (a) { break; } x q[1]; }",
    "while-continue": "bit a; int n = 0; while (n < 3) { n += 1; h q[0]; a = measure q[0];"
    " if (a) { continue; } x q[1]; }",
    "for-measured-break": "bit a; for int i in [0:2] { ry(1) q[i]; a = measure q[i]; if (a) break; }",
    "for-over-measured-bits": "bit[3] a; ry(1) q; a = measure q; uint[2] n = 0;"
    " for bit b in a { n += b; } if (n == 2) x q;",
    "switch-on-measured": "bit[2] a; ry(1) q; a = measure q[0:1]; switch (uint[2](a)) { case 0 { x q[2]; }"
    " case 1, 2 { h q[2]; } default { rx(1) q[2]; } }",
    "end-in-branch": "bit a; ry(1) q; a = measure q[0]; if (a) { end; } x q[1];",
    "reset-entangled": "ry(1) q[0]; cx q[0], q[1]; reset q[0]; cx q[1], q[2];",
    "reset-register": "ry(1) q; reset q; x q[1];",
    "measure-into-slice": "bit[4] a; ry(1) q; a[1:2] = measure q[0:1]; a[-1] = measure q[2];",
    "measure-arrow": "bit[3] a; ry(1) q; measure q -> a;",
    "measure-alias-of-bits": "bit[4] a; let low = a[0:1]; ry(1) q; low[1] = measure q[0]; a[3] = low[1];",
    "measure-to-integer-bit": "uint[4] n = 0; ry(1) q; n[2] = measure q[0]; n += 1; bit[4] d = n;",
    "mid-circuit": "bit a; bit b; ry(1) q[0]; a = measure q[0]; ry(1) q[0]; b = measure q[0]; if (a != b) x q[1];",
    "def-measures": "bit a; def f(qubit one) -> bit { h one; return measure one; } a = f(q[0]); if (a) x q[1];",
    "def-returns-register": "def f(qubit[2] two) -> bit[2] { bit[2] r; r = measure two; r[0] = !r[0]; return r; }"
    " ry(1) q; bit[2] a = f(q[1:2]);",
    "def-early-return": "def f(qubit one) -> bit { bit r = measure one; if (r) { return 0; } x one; return 1; }"
    " ry(1) q; bit a = f(q[0]);",
    "def-in-expression": "def f(bit[3] a) -> uint[2] { uint[2] n = 0; for bit b in a { n += b; } return n; }"
    " bit[3] a; ry(1) q; a = measure q; if (f(a) == 2) x q[0];",
    "array-of-measured": "array[uint[2], 3] a = {0, 0, 0}; bit b; for int i in [0:2] { ry(1) q[i]; b = measure q[i];"
    " a[i] = uint[2](b) + 1; } uint[3] n = a[0] + a[1] + a[2]; if (n == 4) x q;",
    "angle-from-measurement": "angle[3] a = 0.0; ry(1) q; a[2] = measure q[0]; a[1] = measure q[1]; rx(a) q[2];",
    "angle-branches": "angle[4] a = 0.0; bit b; ry(1) q[0]; b = measure q[0]; if (b) { a = pi / 2; } rx(a) q[1];",
    "index-from-measurement": "bit b; int i = 0; ry(1) q[0]; b = measure q[0]; if (b) { i = 1; } x q[i + 1];",
    "gate-parameter-from-measurement": "bit b; ry(1) q[0]; b = measure q[0]; rx(0.5 * int[4](b) + 0.2) q[1];",
    "phase-feedback": "bit[2] a; h q[0]; a[0] = measure q[0]; if (a[0]) { p(pi / 2) q[1]; } h q[1];"
    " a[1] = measure q[1];",
    "measure-into-set": "bit[3] a; ry(1) q; x q[0]; a[{2, 0}] = measure q[{0, 1}];",
    "old-value-kept": "bit a; bit old; ry(1) q; a = measure q[0]; old = a; a = measure q[1]; if (old) x q[2];",
    "swap-of-variables": "bit a; bit b; bit t; ry(1) q[0]; a = measure q[0]; t = a; a = b; b = t; if (b) x q[1];",
    "condition-changed-inside": "bit a; ry(1) q[0]; a = measure q[0]; if (a) { a = 0; x q[1]; } else { a = 1;"
    " x q[2]; }",
    "range-from-measurement": "bit a; int n = 0; ry(1) q[0]; a = measure q[0]; if (a) { n = 1; }"
    " for int i in [0:n] { x q[i + 1]; }",
    "power-from-measurement": "bit a; int n = 1; ry(1) q[0]; a = measure q[0]; if (a) { n = 3; }"
    " pow(n) @ rx(0.4) q[1];",
    "break-in-switch-in-loop": "bit[2] a; for int i in [0:2] { ry(1) q[0]; a[0] = measure q[0]; switch (uint[2](a))"
    " { case 1 { break; } default { x q[1]; continue; } } x q[2]; }",
    "break-in-else": "bit a; int n = 0; while (n < 3) { n += 1; h q[0]; a = measure q[0]; if (a) { x q[1]; }"
    " else { break; }"
    " x q[2]; }",
    "loops-nested-break": "bit a; for int i in [0:1] { for int j in [0:2] { h q[0]; a = measure q[0]; if (a) break;"
    " x q[1]; }"
    " x q[2]; }",
    "while-in-if": "bit a; h q[0]; a = measure q[0]; if (a) { int n = 0; while (a) { n += 1; h q[0]; a = measure q[0];"
    " if (n == 2) { break; } } x q[1]; }",
    "def-local-starts-afresh": "def f(qubit one) -> uint[2] { uint[2] n; bit r = measure one; n += r; return n; }"
    " uint[2] s = 0; for int i in [0:2] { ry(1) q[i]; s += f(q[i]); } if (s == 2) x q;",
    "def-return-in-loop": "def f(qubit[3] all) -> uint[2] { for uint[2] i in [0:2] { bit r = measure all[i];"
    " if (r) { return i; } } return 3; } ry(1) q; uint[2] n = f(q); bit[2] d = n;",
    "def-return-in-while": "def f(qubit one) -> bit { int n = 0; while (n < 3) { n += 1; h one; bit r = measure one;"
    " if (r) { return 1; } } return 0; } bit d = f(q[1]);",
    "def-calls-def": "def f(qubit one, float t) { rx(t) one; } def g(qubit[2] two) -> bit { f(two[0], 0.9);"
    " cx two[0], two[1];"
    " return measure two[1]; } bit d = g(q[{2, 0}]);",
    "def-resets": "def f(qubit one) { reset one; h one; } ry(1) q; f(q[0]); bit a = measure q[0]; if (a) { f(q[1]); }",
    "end-in-loop": "bit a; for int i in [0:2] { ry(1) q[i]; a = measure q[i]; if (a) { end; } } x q[0];",
    "end-in-def": "def f(qubit one) { bit r = measure one; if (r) { end; } } ry(1) q; f(q[0]); x q[1];",
    "shift-by-measured": "bit[2] a; uint[4] n = 3; ry(1) q; a = measure q[0:1]; n <<= uint[2](a); bit[4] d = n;",
    "shift-right-by-measured": "bit[2] a; uint[4] n = 13; ry(1) q; a = measure q[0:1]; n = n >> uint[2](a);"
    " bit[4] d = n;",
    "rotate-measured": 'bit[4] a = "0010"; ry(1) q; a[0:2] = measure q; a = rotl(a, 1); a = rotr(a, 2);'
    " a = rotl(a, -1);",
    "popcount-measured": "bit[3] a; ry(1) q; a = measure q; if (popcount(a) == 2) x q[0]; uint[2] n = popcount(a);",
    "divide-by-measured": "bit[2] a; uint[4] n = 13; ry(1) q; a = measure q[0:1]; n = n / (uint[4](uint[2](a)) + 1);"
    " bit[4] d = n;",
    "signed-division-of-measured": "bit a; int[4] n = -7; ry(1) q[0]; a = measure q[0]; n += 2 * int[4](a);"
    " int[4] m = n / 2; int[4] r = n % 3; bit[4] d = m; bit[4] e = r;",
    "power-of-measured": "bit[2] a; uint[4] n; ry(1) q; a = measure q[0:1]; n = uint[2](a); n = n ** 2; bit[4] d = n;",
    "product-of-measured": "bit[2] a; uint[4] n; ry(1) q; a = measure q[0:1]; n = uint[2](a); n = (n + 1) * (n + 2);"
    " bit[4] d = n;",
    "negative-of-unsigned": "bit a; uint[4] n; ry(1) q[0]; a = measure q[0]; n = a; n = -n; bit[4] d = n;",
    "slice-from-slice": "bit[3] a; bit[4] d; ry(1) q; a = measure q; d[1:2] = a[1:2]; d[3] ^= a[0]; d[0:1] = d[2:3];",
    "slice-reversed": "bit[3] a; ry(1) q; a = measure q; a = a[2:-1:0]; a[0] = a[1] & a[2];",
    "alias-of-bits-joined": "bit[2] a; bit b; let j = b ++ a; ry(1) q; j = measure q; if (j == 5) x q[0]; j[1] = 1;",
    "float-from-measurement": "bit a; float t = 0.2; ry(1) q[0]; a = measure q[0]; if (a) { t = 1.3; } rx(t) q[1];",
    "float-compare-from-measurement": "bit a; float t = 0.2; ry(1) q[0]; a = measure q[0]; if (a) { t += 0.5; }"
    " if (t > 0.5) x q[1];",
    "array-read-at-measured": "array[float[64], 4] t = {0.1, 0.5, 0.9, 1.3}; bit[2] a; ry(1) q; a = measure q[0:1];"
    " rx(t[uint[2](a)]) q[2];",
    "array-written-at-measured": "array[uint[2], 3] t = {0, 0, 0}; bit a; ry(1) q[0]; a = measure q[0]; t[a] = 3;"
    " t[2 - a] += 1;"
    " bit[2] d = t[0]; bit[2] e = t[1]; bit[2] f = t[2];",
    "bit-at-measured-index": "bit[3] a; bit b; ry(1) q[0]; b = measure q[0]; int n = 1; if (b) { n = 2; } a[n] = 1;"
    " if (a[n - 1]) x q[1];",
    "integer-bit-at-index": "uint[4] n = 5; bit b; ry(1) q[0]; b = measure q[0]; n[1] = b; n[0:1] = n[2:3];"
    " bit[4] d = n;",
    "loop-variable-changed-inside": "bit a; uint[3] s = 0; for uint[3] i in [0:2] { ry(1) q[0]; a = measure q[0];"
    " if (a) { i += 1; } s += i; } bit[3] d = s;",
    "alias-in-block": "bit a; ry(1) q; a = measure q[0]; let w = q[0]; if (a) { let w = q[2]; x w; } x w;",
    "constant-in-block": "const int n = 1; bit a; ry(1) q; a = measure q[0]; if (a) { const int n = 2; x q[n]; }"
    " x q[n];",
    "switch-negative-labels": "bit a; int[4] n = 1; ry(1) q[0]; a = measure q[0]; if (a) { n = -2; } switch (n)"
    " { case -2 { x q[1]; } case 1 { x q[2]; } }",
    "switch-in-switch": "bit[2] a; ry(1) q; a = measure q[0:1];"
    " switch (uint[2](a)) { case 1 { switch (int(a[0])) { case 1 { x q[2]; } } }"
    " case 2, 3 { h q[2]; a = 0; } default { y q[2]; } }",
    "angle-compare-measured": "angle[4] a = pi; bit b; ry(1) q[0]; b = measure q[0]; if (b) { a += pi / 2; }"
    " if (a > angle[4](pi)) x q[1]; bit[4] d = a;",
    "angle-to-function": "angle[4] a = pi / 4; bit b; ry(1) q[0]; b = measure q[0]; if (b) { a *= 3; }"
    " rx(sin(a)) q[1];",
    "bool-operators": "bool s = true; bool t; bit a; ry(1) q[0]; a = measure q[0]; t = a ^ s; s = !t && (a || s);"
    " if (s == t) x q[1];",
    "comparison-kept": "bit[2] a; bool less; ry(1) q; a = measure q[0:1]; less = a < 2; bit d = less;"
    " if (less != (a > 0)) x q[2];",
    "two-variables-compared": "bit[2] a; uint[2] n; uint[2] m = 2; ry(1) q; a = measure q[0:1]; n = uint[2](a);"
    " if (n >= m) x q[2];"
    " while (n < m) { n += 1; y q[2]; }",
    "measured-twice-in-loop": "bit[2] a; for int i in [0:1] { h q[0]; a[i] = measure q[0];"
    " if (a[0]) { ry(0.4) q[1]; } }",
    "conditional-reset": "bit a; ry(1) q; a = measure q[0]; if (a) { reset q[1]; } else { reset q[2]; }",
    "conditional-measure": "bit a; bit b; ry(1) q; a = measure q[0]; if (a) { b = measure q[1]; if (b) x q[2]; }",
    "gate-in-loop-with-measured-angle": "angle[4] t = 0.0; bit b; for int i in [0:1] { ry(1) q[i];"
    " b = measure q[i]; t[3 - i] = b; }"
    " p(t) q[2]; h q[2]; crx(t) q[0], q[2];",
    "block-variable-is-new-each-round": "bit a; for int i in [0:1] { bit fresh = 0; h q[i]; a = measure q[i];"
    " if (a) { fresh = 1; } if (fresh) { x q[2]; } }",
}

HANDWRITTEN: dict[str, tuple[str, dict[str, Any] | None]] = {
    **{name: (f"OPENQASM 3.0;\n{SPREAD}\n{text}\n{LOOK}\n", None) for name, text in _GATES.items()},
    **{
        name: (f'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[3] q;\n{text}\nbit[3] c = measure q;\n', None)
        for name, text in _CLASSICAL.items()
    },
    "sum-of-a-bit-and-a-uint": (
        """
        qubit[2] q; bit c; bit d; x q[0]; c = measure q[0]; uint[4] b = 15; int[8] a = b + c;
        if (a == 0) { x q[1]; } d = measure q[1];
        """,
        None,
    ),
    "sum-of-a-bit-and-an-int": (
        """
        qubit[2] q; bit c; bit d; x q[0]; c = measure q[0]; int[4] b = 7;
        if (b + c == -8) { x q[1]; } d = measure q[1];
        """,
        None,
    ),
    "sum-of-a-register-and-a-bool": (
        'qubit q; bit[4] b = "1111"; bit d; int[8] a = b + true; if (a == 0) { x q; } d = measure q;',
        None,
    ),
    "sum-of-two-bits": (
        "qubit[2] q; bit c; bit d; x q[0]; c = measure q[0]; if (c + c == 2) { x q[1]; } d = measure q[1];",
        None,
    ),
    "no-version-no-include": ("qubit q; bit c; h q; c = measure q;", None),
    "old-registers": ("OPENQASM 3; qreg q[2]; creg c[2]; x q[1]; measure q -> c;", None),
    "measure-without-target": (
        "qubit[3] q; bit c; x q[2]; h q[0]; measure q[2]; measure q[0]; c = measure q[1];",
        None,
    ),
    "measure-without-target-only": ("qubit[2] q; h q[0]; cx q[0], q[1]; measure q;", None),
    "physical-qubits": ("bit[2] c; h $3; cx $3, $1; x $1; c[0] = measure $1; c[1] = measure $3;", None),
    "several-registers": ("qubit[2] q; bit a; bit[2] b; bit d; x q[0]; a = 1; b = measure q; d = b[0];", None),
    "output-variables": ("output uint[2] n; bit a; output bool t; qubit q; h q; a = measure q; n = 2; t = a;", None),
    "output-with-unassigned": ("output bit a; qubit[2] q; h q[0]; a = measure q[0]; x q[1]; measure q[1];", None),
    "integer-outputs": ("qubit[2] q; uint[3] n; int[4] m = 3; h q[0]; n[2] = measure q[0]; n += 1;", None),
    "angle-output": ("qubit q; angle[3] a; h q; a[0] = measure q; a <<= 1;", None),
    "bool-output": ("qubit q; bool t; h q; t = measure q;", None),
    "end-sure-keeps-the-keys": ("qubit q; bit c = 1; bit d = measure q; if (c) { end; } measure q;", None),
    "end-sure-before-a-value": ("qubit q; bit c; h q; c = measure q; end; bit d = 1; x q;", None),
    "end-measured-before-a-value": ("qubit q; bit c; h q; c = measure q; if (c) end; bit d = 1;", None),
    "end-sure-before-a-fault": (
        "qubit[2] q; bit c; int n = 5; c = measure q[0]; if (n > 3) end; x q[n]; bit[2] e; e[n] = 1; c = measure q[1];",
        None,
    ),
    "input-float": ("input float[64] t; qubit q; bit c; rx(t) q; c = measure q;", {"t": 0.7}),
    "input-angle": ("input angle[8] t; qubit q; bit c; rx(t) q; c = measure q;", {"t": 2.1}),
    "input-integer": (
        "input int[8] n; input uint[2] m; qubit q; bit c; rx(n * 0.1 + m) q; c = measure q;",
        {"n": -7, "m": 3},
    ),
    "input-bits": (
        'input bit[2] b; input bool t; qubit[2] q; bit[2] c; if (b == "01") x q[0]; if (t) x q[1]; c = measure q;',
        {"b": "01", "t": True},
    ),
    "phase-estimation": (
        """
        const float t = 3 * pi / 8;
        qubit q; qubit r; angle[3] c; uint[3] power = 1;
        x r;
        for uint i in [0:2] {
            reset q;
            h q;
            ctrl @ pow(power) @ phase(t) q, r;
            inv @ phase(c) q;
            h q;
            measure q -> c[0];
            c <<= 1;
            power <<= 1;
        }
        """,
        None,
    ),
}
