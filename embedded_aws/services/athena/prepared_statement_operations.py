"""Operations on prepared statements; moto lacks most, and keeps one statement of a name in all workgroups together.

Source: https://docs.aws.amazon.com/athena/latest/APIReference/API_PreparedStatement.html
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from moto.athena.models import PreparedStatement
from moto.athena.responses import AthenaResponse

from embedded_aws.server.parameters import parameter
from embedded_aws.services.athena.prepared_statements import find, not_found
from embedded_aws.services.athena.responses import unknown_workgroup

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_@:]{0,255}")
_LISTED = 50


def _create(response: AthenaResponse) -> Any:
    backend = response.athena_backend
    group, name = parameter(response, "WorkGroup"), parameter(response, "StatementName")
    if group not in backend.work_groups:
        return unknown_workgroup(response, group)
    if _NAME.fullmatch(name) is None:
        return response.error(f"{name} is no name of a prepared statement: {_NAME.pattern}", 400)
    if find(backend.prepared_statements, group, name) is not None:
        return response.error(f"PreparedStatement {name} already exists in workGroup {group}", 400)
    statement = PreparedStatement(
        name, group, parameter(response, "QueryStatement"), parameter(response, "Description") or ""
    )
    statement.last_modified_time = datetime.now(UTC)
    backend.prepared_statements[f"{group}/{name}"] = statement
    return "{}"


def _get(response: AthenaResponse) -> Any:
    statement = _found(response)
    if statement is None:
        return _missing(response)
    return json.dumps({"PreparedStatement": _described(statement)})


def _batch_get(response: AthenaResponse) -> Any:
    group = parameter(response, "WorkGroup")
    found, unknown = [], []
    for name in parameter(response, "PreparedStatementNames"):
        statement = find(response.athena_backend.prepared_statements, group, name)
        if statement is None:
            missing = {"ErrorCode": "STATEMENT_NOT_FOUND", "ErrorMessage": not_found(group, name)}
            unknown.append({"StatementName": name, **missing})
        else:
            found.append(_described(statement))
    return json.dumps({"PreparedStatements": found, "UnprocessedPreparedStatementNames": unknown})


def _update(response: AthenaResponse) -> Any:
    statement = _found(response)
    if statement is None:
        return _missing(response)
    statement.query_statement = parameter(response, "QueryStatement")
    if (description := parameter(response, "Description")) is not None:
        statement.description = description
    statement.last_modified_time = datetime.now(UTC)
    return "{}"


def _delete(response: AthenaResponse) -> Any:
    statement = _found(response)
    if statement is None:
        return _missing(response)
    statements = response.athena_backend.prepared_statements
    del statements[next(key for key, one in statements.items() if one is statement)]
    return "{}"


def _list(response: AthenaResponse) -> Any:
    group = parameter(response, "WorkGroup")
    if group not in response.athena_backend.work_groups:
        return unknown_workgroup(response, group)
    statements = [one for one in response.athena_backend.prepared_statements.values() if one.workgroup == group]
    token = parameter(response, "NextToken") or "0"
    if not token.isdecimal():
        return response.error("NextToken is invalid.", 400)
    start = int(token)
    end = start + min(int(parameter(response, "MaxResults") or _LISTED), _LISTED)
    listed = [
        {"StatementName": one.statement_name, "LastModifiedTime": one.last_modified_time.timestamp()}
        for one in sorted(statements, key=lambda one: str(one.statement_name))
    ]
    body: dict[str, Any] = {"PreparedStatements": listed[start:end]}
    if end < len(listed):
        body["NextToken"] = str(end)
    return json.dumps(body)


def _found(response: AthenaResponse) -> Any:
    statements = response.athena_backend.prepared_statements
    return find(statements, parameter(response, "WorkGroup"), parameter(response, "StatementName"))


def _missing(response: AthenaResponse) -> Any:
    message = not_found(parameter(response, "WorkGroup"), parameter(response, "StatementName"))
    return json.dumps({"__type": "ResourceNotFoundException", "Message": message}), {"status": 400}


def _described(statement: Any) -> dict[str, Any]:
    return {
        "StatementName": statement.statement_name,
        "QueryStatement": statement.query_statement,
        "WorkGroupName": statement.workgroup,
        "Description": statement.description or "",
        "LastModifiedTime": statement.last_modified_time.timestamp(),
    }


REPLACEMENTS: dict[tuple[type, str], Any] = {
    (AthenaResponse, "batch_get_prepared_statement"): _batch_get,
    (AthenaResponse, "create_prepared_statement"): _create,
    (AthenaResponse, "delete_prepared_statement"): _delete,
    (AthenaResponse, "get_prepared_statement"): _get,
    (AthenaResponse, "list_prepared_statements"): _list,
    (AthenaResponse, "update_prepared_statement"): _update,
}
"""Class of moto and name of its method → what replaces it."""
