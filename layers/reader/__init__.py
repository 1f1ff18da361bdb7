"""Reads OpenQASM: text in, a Qiskit circuit or a located error out."""
