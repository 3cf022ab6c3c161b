"""Where a report gets the answers of its named queries from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import duckdb
from botocore.exceptions import BotoCoreError, ClientError

from cli.athena_queries import run_queries
from cli.duckdb_file import QUERIES_SCHEMA
from cli.errors import CommandError
from cli.report.rows import Rows
from cli.text import quoted

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient


class QuerySource(Protocol):
    """Anything that answers the project's named queries."""

    def answers(self, queries: Sequence[str], on_query: Callable[[str], None]) -> dict[str, Rows]:
        """Return the answers of named queries.

        Args:
            queries: their names.
            on_query: called with each name before its answer is waited for.

        Raises:
            CommandError: there is no such query, or one failed.
        """


class DuckdbFile:
    """A file that `write_duckdb_file` has written.

    Args:
        path: of the file.

    Raises:
        CommandError: the file cannot be read, or is something else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._database = duckdb.connect(str(path), read_only=True)
            found = self._database.execute(
                "SELECT count(*) FROM duckdb_schemas() WHERE schema_name = ?", [QUERIES_SCHEMA]
            ).fetchone()
        except duckdb.Error as error:
            raise CommandError(f"Cannot read {path} ({quoted(error)}): pass the spotify.duckdb of a demo.") from error
        if found != (1,):
            raise CommandError(f"{path} has no named queries: pass the spotify.duckdb of a demo.")

    def answers(self, queries: Sequence[str], on_query: Callable[[str], None]) -> dict[str, Rows]:
        """Return the answers of named queries; see `QuerySource`."""
        found: dict[str, Rows] = {}
        for query in queries:
            on_query(query)
            found[query] = self.rows(query)
        return found

    def rows(self, query: str) -> Rows:
        """Return the answer of a named query.

        Raises:
            CommandError: the file has no such query, or it failed.
        """
        try:
            # A cast to text gives what Athena gives.
            answer = self._database.execute(f'SELECT COLUMNS(*)::VARCHAR FROM {QUERIES_SCHEMA}."{query}"')  # noqa: S608 - a name of the project's own
        except duckdb.Error as error:
            raise CommandError(
                f"{self._path} does not answer {query} ({quoted(error)}): write it again with this version."
            ) from error
        names = [column[0] for column in answer.description or ()]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


class AthenaWorkgroup:
    """A stack's named queries in its workgroup.

    Args:
        athena: a client of the stack's account and region.
        outputs: of the stack.
    """

    def __init__(self, athena: AthenaClient, outputs: Mapping[str, Any]) -> None:
        self._athena = athena
        self._outputs = outputs

    def answers(self, queries: Sequence[str], on_query: Callable[[str], None]) -> dict[str, Rows]:
        """Return the answers of named queries, which run beside each other; see `QuerySource`."""
        identifiers = self._outputs["named_queries"]
        missing = [query for query in queries if query not in identifiers]
        if missing:
            raise CommandError(f"The stack has no query {missing[0]}: deploy this version with `pulumi up`.")
        try:
            found = run_queries(
                self._athena,
                {
                    query: self._athena.get_named_query(NamedQueryId=identifiers[query])["NamedQuery"]["QueryString"]
                    for query in queries
                },
                database=self._outputs["glue_database_name"],
                workgroup=self._outputs["athena_workgroup_name"],
                on_query=on_query,
            )
        except (BotoCoreError, ClientError) as error:
            raise CommandError(
                f"AWS refused a request or did not respond ({quoted(error)}): check your credentials and region."
            ) from error
        return {
            query: [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
            for query, answer in found.items()
        }
