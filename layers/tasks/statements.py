"""Several conditional writes in one call: BatchExecuteStatement, with the plainest PartiQL there is.

Each statement is carried out or refused by itself, and costs what UpdateItem would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tasks.errors import UnavailableError
from tasks.logs import Event, logger
from tasks.rows import seconds
from tasks.task import utc_now

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import BatchStatementRequestTypeDef, BatchStatementResponseTypeDef

    from tasks.rows import Change, Row
    from tasks.task import Status

    Answer: TypeAlias = BatchStatementResponseTypeDef | UnavailableError

_STATEMENTS = 25  # most statements in one BatchExecuteStatement
_UNDECIDED: BatchStatementResponseTypeDef = {"Error": {}}
# How DynamoDB would say that it takes no such batch at all; then there is still UpdateItem.
_NO_BATCHES = {"ValidationException", "AccessDeniedException"}


def statement(table: str, task_id: str, status: Status, attempt: int, change: Change) -> BatchStatementRequestTypeDef:
    """Return a change as a statement of PartiQL, if the task has this status and attempt and has not expired."""
    clauses, parameters = change.as_partiql()
    where = ' WHERE "task_id" = ? AND "status" = ? AND "attempt" = ? AND "expires_at" > ?'
    return {
        "Statement": f'UPDATE "{table}"{clauses}{where}',
        "Parameters": [*parameters, {"S": task_id}, {"S": str(status)}, {"N": str(attempt)}, seconds(utc_now())],
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def execute(client: DynamoDBClient, statements: Sequence[BatchStatementRequestTypeDef]) -> list[Answer]:
    """Execute the statements; one alone is left undecided, UpdateItem being its equal."""
    if len(statements) == 1:
        return [_UNDECIDED]
    answers: list[Answer] = []
    for start in range(0, len(statements), _STATEMENTS):
        part = statements[start : start + _STATEMENTS]
        try:
            answers += client.batch_execute_statement(Statements=part)["Responses"]
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and error.response["Error"]["Code"] in _NO_BATCHES:
                logger.warning("A batch was not carried out", event=Event.BATCH_REFUSED, exc_info=True)
                answers += [_UNDECIDED] * len(part)
            else:
                unavailable = UnavailableError("DynamoDB")
                unavailable.__cause__ = error
                answers += [unavailable] * len(part)
    errors = [answer["Error"] for answer in answers if not isinstance(answer, UnavailableError) and "Error" in answer]
    for code in {error["Code"] for error in errors if "Code" in error} - {"ConditionalCheckFailed"}:
        logger.warning("Statements of a batch were not carried out", event=Event.BATCH_REFUSED, code=code)
    return answers


def row_in(answer: Answer) -> Row:
    """Return the row that a statement changed, or that its condition refused to change; empty without one."""
    if isinstance(answer, UnavailableError):
        return {}
    row: Row = answer.get("Item") or answer.get("Error", {}).get("Item") or {}
    return row
