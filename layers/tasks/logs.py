"""Logging: one JSON line per event, the same field names in every function, never a circuit, a key or a result."""

from __future__ import annotations

from aws_lambda_powertools import Logger

logger = Logger()
