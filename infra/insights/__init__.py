"""
The CloudWatch Logs Insights query language on this machine: the same queries, over the functions' own log lines.

    events = read_lines(open("worker.log"), log_group="/aws/lambda/worker", log_stream="1")
    result = evaluate("filter status = 'failed' | stats count(*) by code", events)
    print(as_table(result))

README.md here has a table of what is answered. Anything else is a `QueryError` that names the place.
"""

from insights.errors import QueryError
from insights.evaluation import Result, Statistics, check, evaluate
from insights.events import Event, read_lines
from insights.lookups import Table
from insights.rendering import as_csv, as_json, as_table, sparkline
from insights.saved import SavedQuery, saved_queries

__all__ = [
    "Event",
    "QueryError",
    "Result",
    "SavedQuery",
    "Statistics",
    "Table",
    "as_csv",
    "as_json",
    "as_table",
    "check",
    "evaluate",
    "read_lines",
    "saved_queries",
    "sparkline",
]
