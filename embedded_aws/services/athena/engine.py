"""Athena's API as moto has it, with queries that are really run."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from moto.athena.exceptions import InvalidArgumentException
from moto.athena.models import AthenaBackend, WorkGroup
from moto.athena.responses import AthenaResponse

from embedded_aws.server.server import AwsServer
from embedded_aws.services.athena.caller import Caller
from embedded_aws.services.athena.catalog import Catalog
from embedded_aws.services.athena.errors import QueryError
from embedded_aws.services.athena.execution import QueryExecution
from embedded_aws.services.athena.statements import kind_of, run
from embedded_aws.services.athena.warehouse import Warehouse

_PAGE = 1000
_LISTED = 50
_DEFAULT_WORKGROUP = "primary"


class AthenaEngine:
    """Runs what StartQueryExecution is given, before it answers.

    Args:
        server: whose Athena it is.
        folder: where working files may lie.
    """

    def __init__(self, server: AwsServer, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._patches = ExitStack()
        self._one_at_a_time = threading.RLock()
        self._warehouse: Warehouse | None = None

    def install(self) -> None:
        """Take the place of what moto only pretends to do."""
        engine = self

        def start_query_execution(
            backend: AthenaBackend,
            query: str,
            context: dict[str, str] | None,
            config: dict[str, Any] | None,
            workgroup: str | None,
            execution_parameters: list[str] | None,
        ) -> str:
            group = backend.work_groups[workgroup or _DEFAULT_WORKGROUP]
            return engine.start(backend, query, context or {}, config or {}, group, execution_parameters)

        def get_query_results(response: AthenaResponse) -> Any:
            return engine.results(response)

        replacements: dict[tuple[type, str], Any] = {
            (AthenaBackend, "start_query_execution"): start_query_execution,
            (AthenaResponse, "get_query_execution"): _get_query_execution,
            (AthenaResponse, "batch_get_query_execution"): _batch_get_query_execution,
            (AthenaResponse, "get_query_results"): get_query_results,
            (AthenaResponse, "list_query_executions"): _list_query_executions,
        }
        for (owner, name), replacement in replacements.items():
            # moto lacks BatchGetQueryExecution.
            self._patches.enter_context(patch.object(owner, name, replacement, create=name.startswith("batch_")))

    def close(self) -> None:
        """Give moto its own behaviour back and forget all data."""
        self._patches.close()
        if self._warehouse is not None:
            self._warehouse.close()
            self._warehouse = None

    def start(
        self,
        backend: AthenaBackend,
        query: str,
        context: dict[str, str],
        config: Mapping[str, Any],
        group: WorkGroup,
        parameters: list[str] | None,
    ) -> str:
        """Run a query to its end and return its id.

        Raises:
            InvalidArgumentException: there is no place for the result.
        """
        settings = group.configuration
        enforced = settings.get("EnforceWorkGroupConfiguration", True)
        of_group = (settings.get("ResultConfiguration") or {}).get("OutputLocation")
        of_query = config.get("OutputLocation")
        location = of_group if enforced and of_group else of_query or of_group
        if not location:
            raise InvalidArgumentException(
                "No output location provided. An output location is required either through the Workgroup result"
                " configuration setting or as an API input."
            )
        execution = QueryExecution(query, context, group, parameters, "")
        kind = kind_of(query)
        suffix = "csv" if kind == "DML" else "txt"
        execution.config = {"OutputLocation": f"{location.rstrip('/')}/{execution.id}.{suffix}"}
        backend.executions[execution.id] = execution
        with self._one_at_a_time:
            try:
                self._run(
                    execution, kind, context.get("Database") or "default", settings.get("BytesScannedCutoffPerQuery")
                )
            except QueryError as error:
                execution.fail(kind, str(error))
            except Exception as error:  # noqa: BLE001 - a query that breaks the engine has failed, like any other
                execution.fail(kind, f"GENERIC_INTERNAL_ERROR: {type(error).__name__}: {error}")
        return str(execution.id)

    def results(self, response: AthenaResponse) -> Any:
        """Answer GetQueryResults."""
        execution = _execution(response, response._get_param("QueryExecutionId"))  # noqa: SLF001 - how moto reads parameters
        if execution is None:
            return _unknown(response)
        if execution.result is None:
            return response.error(f"Query did not finish successfully. Final query state: {execution.status}", 400)
        address = urlsplit(execution.config["OutputLocation"])
        try:
            # Athena reads the result object on behalf of whoever asks.
            Caller.of_request(self._server).object("GetObject", address.netloc, address.path.lstrip("/"))
        except QueryError as error:
            return response.error(str(error), 400)
        start = int(response._get_param("NextToken") or 0)  # noqa: SLF001 - likewise
        size = min(int(response._get_param("MaxResults") or _PAGE), _PAGE)  # noqa: SLF001 - likewise
        shown, following = execution.result.page(start, size)
        answer: dict[str, Any] = {"UpdateCount": 0, "ResultSet": shown}
        if following is not None:
            answer["NextToken"] = str(following)
        return json.dumps(answer)

    def _run(self, execution: QueryExecution, kind: str, database: str, cutoff: int | None) -> None:
        if self._warehouse is None:
            # Only for the first query: DuckDB takes a while to start, and many an account is never asked anything.
            self._warehouse = Warehouse(self._server, self._folder)
        caller = Caller.of_request(self._server)
        address = urlsplit(execution.config["OutputLocation"])
        bucket, key = address.netloc, address.path.lstrip("/")
        buckets = self._server.backend("s3").buckets
        if bucket not in buckets:
            raise QueryError("INVALID_OUTPUT_LOCATION", f"The output location's bucket does not exist: s3://{bucket}")
        caller.bucket("GetBucketLocation", bucket)
        caller.object("PutObject", bucket, key)
        outcome = run(
            execution.query,
            database,
            execution.execution_parameters or (),
            Catalog(self._server, caller),
            self._warehouse,
        )
        ended = (outcome.kind, outcome.substatement)
        if cutoff is not None and outcome.scanned > int(cutoff):
            execution.cancel(
                ended, f"Query cancelled! : Bytes scanned limit was exceeded (limit {cutoff})", outcome.scanned
            )
            return
        content = outcome.result.csv() if kind == "DML" else outcome.result.text()
        self._server.backend("s3").put_object(bucket, key, content)
        execution.succeed(ended, outcome.result, outcome.scanned)


def _execution(response: AthenaResponse, identifier: str) -> QueryExecution | None:
    found = response.athena_backend.executions.get(identifier)
    return found if isinstance(found, QueryExecution) else None


def _unknown(response: AthenaResponse) -> Any:
    return response.error(f"QueryExecution {response._get_param('QueryExecutionId')} was not found", 400)  # noqa: SLF001 - how moto reads parameters


def _get_query_execution(response: AthenaResponse) -> Any:
    execution = _execution(response, response._get_param("QueryExecutionId"))  # noqa: SLF001 - likewise
    if execution is None:
        return _unknown(response)
    return json.dumps({"QueryExecution": execution.described()})


def _batch_get_query_execution(response: AthenaResponse) -> str:
    found, unknown = [], []
    for identifier in response._get_param("QueryExecutionIds"):  # noqa: SLF001 - likewise
        execution = _execution(response, identifier)
        if execution is None:
            missing = f"QueryExecution {identifier} was not found"
            unknown.append(
                {"QueryExecutionId": identifier, "ErrorCode": "INVALID_QUERY_EXECUTION_ID", "ErrorMessage": missing}
            )
        else:
            found.append(execution.described())
    return json.dumps({"QueryExecutions": found, "UnprocessedQueryExecutionIds": unknown})


def _list_query_executions(response: AthenaResponse) -> str:
    """List the newest first, a page at a time."""
    group = response._get_param("WorkGroup") or _DEFAULT_WORKGROUP  # noqa: SLF001 - likewise
    executions = response.athena_backend.executions.values()
    identifiers = [
        one.id for one in reversed(executions) if isinstance(one, QueryExecution) and one.group.name == group
    ]
    start = int(response._get_param("NextToken") or 0)  # noqa: SLF001 - likewise
    size = min(int(response._get_param("MaxResults") or _LISTED), _LISTED)  # noqa: SLF001 - likewise
    answer: dict[str, Any] = {"QueryExecutionIds": identifiers[start : start + size]}
    if start + size < len(identifiers):
        answer["NextToken"] = str(start + size)
    return json.dumps(answer)
