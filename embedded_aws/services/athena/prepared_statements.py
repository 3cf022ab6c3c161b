"""EXECUTE: running a prepared statement of the workgroup.

Source: https://docs.aws.amazon.com/athena/latest/ug/querying-with-prepared-statements.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import TokenType

from embedded_aws.services.athena.errors import QueryError
from embedded_aws.services.athena.sql.parsing import Athena3

_EXECUTE = re.compile(
    r"\s*EXECUTE\s+(?P<name>\w+|\"[^\"]+\")(?:\s+USING\s+(?P<values>.+?))?\s*;?\s*", re.IGNORECASE | re.DOTALL
)


class ExecuteError(Exception):
    """EXECUTE of a statement that does not exist, or with other than its parameters.

    Athena accepts it; the query then fails with this reason, which has no code.
    """


def prepared(
    sql: str, parameters: Sequence[str], statements: Mapping[Any, Any], workgroup: str
) -> tuple[str, Sequence[str]]:
    """Return the query and the parameters that EXECUTE stands for; any other statement as it is.

    Args:
        sql: the statement.
        parameters: `ExecutionParameters` of the request; used without USING.
        statements: moto's prepared statements.
        workgroup: where the statement runs.

    Raises:
        ExecuteError: there is no such prepared statement, or it has another number of parameters.
        QueryError: the values after USING cannot be parsed.
    """
    execute = _EXECUTE.fullmatch(sql)
    if execute is None:
        return sql, parameters
    name = execute["name"].strip('"')
    found = find(statements, workgroup, name)
    if found is None:
        raise ExecuteError(not_found(workgroup, name))
    values = parameters if execute["values"] is None else _values(execute["values"])
    expected = _placeholders(found.query_statement)
    if len(values) != expected:
        raise ExecuteError(f"Incorrect number of parameters: expected {expected} but found {len(values)}")
    return found.query_statement, values


def find(statements: Mapping[Any, Any], workgroup: str, name: str) -> Any:
    """Return a prepared statement of a workgroup from moto's; None if there is none."""
    of_workgroup = (one for one in statements.values() if one.workgroup == workgroup)
    return next((one for one in of_workgroup if one.statement_name == name), None)


def not_found(workgroup: str, name: str) -> str:
    """Return Athena's sentence about a statement that does not exist."""
    return f"PreparedStatement {name} was not found in workGroup {workgroup}"


def _placeholders(sql: str) -> int:
    """Return how many `?` a statement has; parsing it later refuses what has no tokens."""
    try:
        return sum(token.token_type == TokenType.PLACEHOLDER for token in Athena3().tokenize(sql))
    except TokenError:
        return 0


def _values(text: str) -> list[str]:
    problem = QueryError("SYNTAX_ERROR", f"mismatched input after USING: {text}")
    try:
        tree = sqlglot.parse_one(f"SELECT {text}", read=Athena3)
    except (ParseError, TokenError) as error:
        raise problem from error
    if not isinstance(tree, exp.Select) or tree.args.get("from_") is not None:
        raise problem
    return [value.sql(Athena3, normalize_functions=False) for value in tree.expressions]
