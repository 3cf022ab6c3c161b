"""EXECUTE: running a prepared statement of the workgroup.

Source: https://docs.aws.amazon.com/athena/latest/ug/querying-with-prepared-statements.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from embedded_aws.services.athena.errors import QueryError
from embedded_aws.services.athena.sql.parsing import Athena3

_EXECUTE = re.compile(
    r"\s*EXECUTE\s+\"?(?P<name>\w+)\"?(?:\s+USING\s+(?P<values>.+?))?\s*;?\s*", re.IGNORECASE | re.DOTALL
)


class UnknownStatementError(Exception):
    """The workgroup has no prepared statement of that name."""


def prepared(
    sql: str, parameters: Sequence[str], statements: dict[str, Any], workgroup: str
) -> tuple[str, Sequence[str]]:
    """Return the query and the parameters that EXECUTE stands for; any other statement as it is.

    Args:
        sql: the statement.
        parameters: `ExecutionParameters` of the request; used without USING.
        statements: moto's prepared statements by name.
        workgroup: where the statement runs.

    Raises:
        UnknownStatementError: there is no such prepared statement.
        QueryError: the values after USING cannot be parsed.
    """
    execute = _EXECUTE.fullmatch(sql)
    if execute is None:
        return sql, parameters
    found = statements.get(execute["name"])
    if found is None or found.workgroup != workgroup:
        raise UnknownStatementError(f"PreparedStatement {execute['name']} was not found in workGroup {workgroup}")
    return found.query_statement, parameters if execute["values"] is None else _values(execute["values"])


def _values(text: str) -> list[str]:
    problem = QueryError("SYNTAX_ERROR", f"mismatched input after USING: {text}")
    try:
        tree = sqlglot.parse_one(f"SELECT {text}", read=Athena3)
    except (ParseError, TokenError) as error:
        raise problem from error
    if not isinstance(tree, exp.Select) or tree.args.get("from_") is not None:
        raise problem
    return [value.sql(Athena3, normalize_functions=False) for value in tree.expressions]
