"""Noise models: rules of which error follows which operation, as requests bring them, checked and ready to apply.

    request ── reading.py ── rules.py ── the reader's noisy.py, which puts the errors into the program

`channels.py` has the errors, `aer_dict.py` reads Qiskit Aer's own models, `named.py` has those that the service offers.
Nothing here imports NumPy or Qiskit.
"""
