"""Reading requests to Athena, answering with its errors, and looking executions up."""

from __future__ import annotations

import json
from typing import Any

from moto.athena.responses import AthenaResponse

from embedded_aws.server.parameters import parameter
from embedded_aws.services.athena.errors import RequestError
from embedded_aws.services.athena.execution import QueryExecution

DEFAULT_WORKGROUP = "primary"

_LISTED = 50


def error_answer(error: RequestError) -> Any:
    """Return the answer to a request that is not accepted."""
    body = {"__type": error.kind, "Message": str(error), "AthenaErrorCode": error.code, "ErrorCode": error.code}
    return json.dumps(body), {"status": 400}


def unknown_workgroup(response: AthenaResponse, name: str) -> Any:
    """Return the answer to a request about a workgroup that does not exist."""
    return response.error(f"WorkGroup {name} is not found.", 400)


def execution_of(response: AthenaResponse) -> QueryExecution:
    """Return the execution that a request is about.

    Raises:
        RequestError: there is none.
    """
    identifier = parameter(response, "QueryExecutionId")
    found = response.athena_backend.executions.get(identifier)
    if not isinstance(found, QueryExecution):
        raise RequestError(f"QueryExecution {identifier} was not found", "QUERY_EXECUTION_NOT_FOUND")
    return found


def batch_get_query_execution(response: AthenaResponse) -> str:
    """Describe several executions."""
    found, unknown = [], []
    for identifier in parameter(response, "QueryExecutionIds"):
        execution = response.athena_backend.executions.get(identifier)
        if isinstance(execution, QueryExecution):
            found.append(execution.describe())
        else:
            missing = f"QueryExecution {identifier} was not found"
            unknown.append(
                {"QueryExecutionId": identifier, "ErrorCode": "INVALID_QUERY_EXECUTION_ID", "ErrorMessage": missing}
            )
    return json.dumps({"QueryExecutions": found, "UnprocessedQueryExecutionIds": unknown})


def list_query_executions(response: AthenaResponse) -> str:
    """List query ids, newest first, a page at a time."""
    group = parameter(response, "WorkGroup") or DEFAULT_WORKGROUP
    identifiers = [
        execution.id
        for execution in reversed(response.athena_backend.executions.values())
        if isinstance(execution, QueryExecution) and execution.group == group
    ]
    start = int(parameter(response, "NextToken") or 0)
    size = min(int(parameter(response, "MaxResults") or _LISTED), _LISTED)
    body: dict[str, Any] = {"QueryExecutionIds": identifiers[start : start + size]}
    if start + size < len(identifiers):
        body["NextToken"] = str(start + size)
    return json.dumps(body)
