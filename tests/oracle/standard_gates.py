"""The gates a program may use without defining them, each by its definition in OpenQASM 3 itself.

The first part is `stdgates.inc` of the specification. Two of its lines are given here by the mathematical text of
"Standard library" instead, where the file contradicts it: `pow(1/2)` (an integer division, which would be 0) as
`pow(0.5)`, and `CX` (which the text calls an alias of `cx`). For `cu` the file is followed, which is Qiskit's `cu` too.
"""

STANDARD_GATES = """
gate p(lambda) a { ctrl @ gphase(lambda) a; }
gate x a { U(pi, 0, pi) a; gphase(-pi/2); }
gate y a { U(pi, pi/2, pi/2) a; gphase(-pi/2); }
gate z a { p(pi) a; }
gate h a { U(pi/2, 0, pi) a; gphase(-pi/4); }
gate s a { pow(0.5) @ z a; }
gate sdg a { inv @ pow(0.5) @ z a; }
gate t a { pow(0.5) @ s a; }
gate tdg a { inv @ pow(0.5) @ s a; }
gate sx a { pow(0.5) @ x a; }
gate rx(theta) a { U(theta, -pi/2, pi/2) a; gphase(-theta/2); }
gate ry(theta) a { U(theta, 0, 0) a; gphase(-theta/2); }
gate rz(lambda) a { gphase(-lambda/2); U(0, 0, lambda) a; }
gate cx a, b { ctrl @ x a, b; }
gate cy a, b { ctrl @ y a, b; }
gate cz a, b { ctrl @ z a, b; }
gate cp(lambda) a, b { ctrl @ p(lambda) a, b; }
gate crx(theta) a, b { ctrl @ rx(theta) a, b; }
gate cry(theta) a, b { ctrl @ ry(theta) a, b; }
gate crz(theta) a, b { ctrl @ rz(theta) a, b; }
gate ch a, b { ctrl @ h a, b; }
gate swap a, b { cx a, b; cx b, a; cx a, b; }
gate ccx a, b, c { ctrl @ ctrl @ x a, b, c; }
gate cswap a, b, c { ctrl @ swap a, b, c; }
gate cu(theta, phi, lambda, gamma) a, b { p(gamma - theta/2) a; ctrl @ U(theta, phi, lambda) a, b; }
gate CX a, b { cx a, b; }
gate phase(lambda) q { U(0, 0, lambda) q; }
gate cphase(lambda) a, b { ctrl @ phase(lambda) a, b; }
gate id a { U(0, 0, 0) a; }
gate u1(lambda) q { U(0, 0, lambda) q; }
gate u2(phi, lambda) q { gphase(-(phi + lambda + pi/2)/2); U(pi/2, phi, lambda) q; }
gate u3(theta, phi, lambda) q { gphase(-(phi + lambda + theta)/2); U(theta, phi, lambda) q; }
"""

# Not in the specification's library, but known to every Qiskit user: with Qiskit's meaning.
QISKIT_GATES = """
gate u(theta, phi, lambda) q { U(theta, phi, lambda) q; gphase(-theta/2); }
gate r(theta, phi) q { u(theta, phi - pi/2, pi/2 - phi) q; }
gate sxdg a { inv @ sx a; }
gate rxx(theta) a, b { h a; h b; cx a, b; rz(theta) b; cx a, b; h a; h b; }
gate ryy(theta) a, b { rx(pi/2) a; rx(pi/2) b; cx a, b; rz(theta) b; cx a, b; rx(-pi/2) a; rx(-pi/2) b; }
gate rzz(theta) a, b { cx a, b; rz(theta) b; cx a, b; }
gate rzx(theta) a, b { h b; cx a, b; rz(theta) b; cx a, b; h b; }
gate iswap a, b { s a; s b; h a; cx a, b; cx b, a; h b; }
gate dcx a, b { cx a, b; cx b, a; }
gate ecr a, b { rzx(pi/4) a, b; x a; rzx(-pi/4) a, b; }
gate cs a, b { ctrl @ s a, b; }
gate csdg a, b { ctrl @ sdg a, b; }
gate csx a, b { ctrl @ sx a, b; }
gate ccz a, b, c { ctrl(2) @ z a, b, c; }
gate c3x a, b, c, d { ctrl(3) @ x a, b, c, d; }
gate c4x a, b, c, d, e { ctrl(4) @ x a, b, c, d, e; }
gate cu1(lambda) a, b { ctrl @ p(lambda) a, b; }
gate cu3(theta, phi, lambda) a, b { ctrl @ u(theta, phi, lambda) a, b; }
gate xx_minus_yy(theta, beta) a, b {
    rz(-beta) b; sdg a; sx a; s a; s b;
    cx a, b; ry(theta/2) a; ry(-theta/2) b; cx a, b;
    sdg b; rz(beta) b; sdg a; sxdg a; s a;
}
gate xx_plus_yy(theta, beta) a, b {
    rz(beta) a; sdg b; sx b; s b; s a;
    cx b, a; ry(-theta/2) b; ry(-theta/2) a; cx b, a;
    sdg a; rz(-beta) a; sdg b; sxdg b; s b;
}
"""
