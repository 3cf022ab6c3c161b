"""Checks of a query's tokens, for what its syntax tree no longer tells."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from sqlglot.tokenizer_core import Token, TokenType

from embedded_aws.services.athena.errors import QueryError, not_supported

_LARGEST = 2**63 - 1


def check_tokens(tokens: Sequence[Token]) -> None:
    """Check what Trino's grammar refuses and sqlglot accepts.

    Raises:
        QueryError: it is not Trino SQL.
    """
    limits: list[bool] = [False]
    for token in tokens:
        if token.token_type == TokenType.L_PAREN:
            limits.append(False)
        elif token.token_type == TokenType.R_PAREN and len(limits) > 1:
            limits.pop()
        elif token.token_type == TokenType.LIMIT:
            limits[-1] = True
        elif token.token_type == TokenType.OFFSET and limits[-1]:
            raise QueryError("SYNTAX_ERROR", f"{_place(token)}: mismatched input 'OFFSET': it comes before LIMIT")
        elif token.token_type == TokenType.NUMBER and token.text.isdigit() and int(token.text) > _LARGEST:
            raise QueryError("SYNTAX_ERROR", f"{_place(token)}: Invalid numeric literal: {token.text}")
    for number, following in pairwise(tokens):
        if number.token_type == TokenType.NUMBER and following.start == number.end + 1 and following.text[:1] == "_":
            raise not_supported(f"The number {number.text}{following.text} with an underscore")


def _place(token: Token) -> str:
    return f"line {token.line}:{token.col - len(token.text) + 1}"
