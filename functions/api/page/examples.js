// The programs to pick from, some with options. Each runs as it stands; a test submits them all.
export const EXAMPLES = [
  {
    name: "Bell pair",
    program: `OPENQASM 3;
include "stdgates.inc";

qubit[2] q;
bit[2] c;

h q[0];
cx q[0], q[1];   // now both agree
c = measure q;
`,
  },
  {
    name: "GHZ state of five qubits",
    program: `OPENQASM 3;
include "stdgates.inc";

qubit[5] q;

h q[0];
for int i in [0:3] {
  cx q[i], q[i + 1];
}
measure q;
`,
  },
  {
    name: "Teleportation",
    program: `OPENQASM 3;
include "stdgates.inc";

qubit sender;
qubit[2] pair;
bit[2] message;
bit received;

ry(pi / 3) sender;              // what is sent: 1 with probability 1/4

h pair[0];
cx pair[0], pair[1];

cx sender, pair[0];
h sender;
message[0] = measure sender;
message[1] = measure pair[0];

if (message[1]) { x pair[1]; }  // two bits are all that travels
if (message[0]) { z pair[1]; }
received = measure pair[1];
`,
  },
  {
    name: "Grover search for 101",
    program: `OPENQASM 3;
include "stdgates.inc";

qubit[3] q;
bit[3] found;

def oracle(qubit[3] q) {        // marks 101
  x q[1];
  ctrl(2) @ z q[0], q[1], q[2];
  x q[1];
}

def diffuse(qubit[3] q) {
  h q;
  x q;
  ctrl(2) @ z q[0], q[1], q[2];
  x q;
  h q;
}

h q;
for int i in [1:2] {            // the best number of rounds for one of eight
  oracle(q);
  diffuse(q);
}
found = measure q;
`,
  },
  {
    name: "Bernstein–Vazirani, OpenQASM 2",
    program: `OPENQASM 2.0;
include "qelib1.inc";

qreg q[5];
creg secret[4];

x q[4];
h q[0]; h q[1]; h q[2]; h q[3]; h q[4];

cx q[0], q[4];   // the secret is 1011: bits 0, 1 and 3
cx q[1], q[4];
cx q[3], q[4];

h q[0]; h q[1]; h q[2]; h q[3];
measure q[0] -> secret[0];
measure q[1] -> secret[1];
measure q[2] -> secret[2];
measure q[3] -> secret[3];
`,
  },
  {
    name: "Repeat until success",
    program: `OPENQASM 3;
include "stdgates.inc";

qubit[2] q;
bit flag = true;
bit outcome;

while (flag) {                  // again until the flag is measured as 0
  reset q;
  h q[0];
  cx q[0], q[1];
  flag = measure q[1];
}
outcome = measure q[0];
`,
  },
  {
    name: "Sweep over an angle",
    program: `OPENQASM 3;
include "stdgates.inc";

input float theta;              // a value for each run, in the field Inputs
qubit[2] q;
bit[2] c;

ry(theta) q[0];
cx q[0], q[1];
c = measure q;
`,
    options: { inputs: Array.from({ length: 13 }, (_, index) => ({ theta: Number(((index * Math.PI) / 6).toFixed(4)) })) },
  },
  {
    name: "Observables of a GHZ state",
    program: `OPENQASM 3;
include "stdgates.inc";

qubit[3] q;

h q[0];
cx q[0], q[1];
cx q[1], q[2];
measure q;                      // the observables are those before
`,
    // Pauli strings of three qubits: X on each, Z on two, and a weighted sum.
    options: { observables: ["XXX", "ZZI", '{"ZII": 0.5, "IIZ": 0.5}'] },
  },
  {
    name: "Exact state of a W state",
    program: `OPENQASM 3;
include "stdgates.inc";

qubit[3] q;

ry(2 * arccos(1 / sqrt(3.0))) q[0];
ch q[0], q[1];
cx q[1], q[2];
cx q[0], q[1];
x q[0];
z q[2];                         // one of the three has another sign
measure q;
`,
    options: { results: ["counts", "probabilities", "statevector", "density_matrix"] },
  },
  {
    name: "Noisy Bell pair",
    program: `OPENQASM 3;
include "stdgates.inc";

qubit[2] q;
bit[2] c;

h q[0];
cx q[0], q[1];                  // gates and readout fail now and then
c = measure q;
`,
    options: { noise: { depolarizing: { one_qubit: 0.01, two_qubit: 0.05 }, readout: { prob_meas1_prep0: 0.02, prob_meas0_prep1: 0.04 } } },
  },
  {
    name: "Adder with gates of its own",
    program: `OPENQASM 3;
include "stdgates.inc";

gate majority a, b, c { cx c, b; cx c, a; ccx a, b, c; }
gate unmaj a, b, c { ccx a, b, c; cx c, a; cx a, b; }

qubit carry;
qubit[3] a;
qubit[3] b;
qubit overflow;
bit[4] sum;

x a[0]; x a[1];                 // 3
x b[0]; x b[2];                 // + 5
majority carry, b[0], a[0];     // click a gate in the picture to open it
majority a[0], b[1], a[1];
majority a[1], b[2], a[2];
cx a[2], overflow;
unmaj a[1], b[2], a[2];
unmaj a[0], b[1], a[1];
unmaj carry, b[0], a[0];
sum[0] = measure b[0];
sum[1] = measure b[1];
sum[2] = measure b[2];
sum[3] = measure overflow;      // 8: 1000
`,
  },
];
