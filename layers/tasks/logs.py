"""Logging: one JSON line per event, the same field names in every function, never a circuit, a key or a result."""

from __future__ import annotations

from aws_lambda_powertools import Logger

logger = Logger(serialize_stacktrace=False)  # the traceback is in `exception` once; that is enough
