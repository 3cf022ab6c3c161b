"""Athena's API: moto's, with queries that actually run."""

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
from embedded_aws.services.athena.administration import REPLACEMENTS
from embedded_aws.services.athena.catalog import CallerCatalog
from embedded_aws.services.athena.errors import QueryError
from embedded_aws.services.athena.execution import QueryExecution
from embedded_aws.services.athena.permissions import CallerPermissions
from embedded_aws.services.athena.statements import kind_of, run
from embedded_aws.services.athena.warehouse import Warehouse

_PAGE = 1000
_LISTED = 50
_DEFAULT_WORKGROUP = "primary"


class AthenaEngine:
    """Runs queries within the StartQueryExecution request that submits them.

    Args:
        server: the server whose Athena this is.
        folder: folder for working files.
    """

    def __init__(self, server: AwsServer, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._patches = ExitStack()
        self._lock = threading.RLock()
        self._warehouse: Warehouse | None = None

    def install(self) -> None:
        """Replace the parts of moto that only pretend to run queries."""
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
        for (owner, name), replacement in (replacements | REPLACEMENTS).items():
            # moto does not implement all of them.
            self._patches.enter_context(patch.object(owner, name, replacement, create=not hasattr(owner, name)))

    def close(self) -> None:
        """Restore moto's behaviour and drop all data."""
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
        """Run a query to completion and return its id.

        Raises:
            InvalidArgumentException: no output location is set.
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
        # Whoever waits for the lock, or runs a long query, must not keep others from saving.
        with self._server.gate.waiting(), self._lock:
            try:
                self._run(
                    execution, kind, context.get("Database") or "default", settings.get("BytesScannedCutoffPerQuery")
                )
            except QueryError as error:
                execution.fail(kind, str(error))
            except Exception as error:  # noqa: BLE001 - whatever breaks the engine fails the query
                execution.fail(kind, f"GENERIC_INTERNAL_ERROR: {type(error).__name__}: {error}")
        return str(execution.id)

    def results(self, response: AthenaResponse) -> Any:
        """Serve GetQueryResults."""
        execution = _execution(response, response._get_param("QueryExecutionId"))  # noqa: SLF001 - how moto reads parameters
        if execution is None:
            return _unknown(response)
        if execution.result is None:
            return response.error(f"Query did not finish successfully. Final query state: {execution.status}", 400)
        address = urlsplit(execution.config["OutputLocation"])
        try:
            # Athena reads the result object on behalf of the caller.
            CallerPermissions.of_request(self._server).check_object(
                "GetObject", address.netloc, address.path.lstrip("/")
            )
        except QueryError as error:
            return response.error(str(error), 400)
        start = int(response._get_param("NextToken") or 0)  # noqa: SLF001 - likewise
        size = min(int(response._get_param("MaxResults") or _PAGE), _PAGE)  # noqa: SLF001 - likewise
        shown, following = execution.result.page(start, size)
        body: dict[str, Any] = {"UpdateCount": 0, "ResultSet": shown}
        if following is not None:
            body["NextToken"] = str(following)
        return json.dumps(body)

    def _run(self, execution: QueryExecution, kind: str, database: str, cutoff: int | None) -> None:
        if self._warehouse is None:
            # Created for the first query: DuckDB is slow to start, and many accounts never run one.
            self._warehouse = Warehouse(self._server, self._folder)
        caller = CallerPermissions.of_request(self._server)
        address = urlsplit(execution.config["OutputLocation"])
        bucket, key = address.netloc, address.path.lstrip("/")
        buckets = self._server.backend("s3").buckets
        if bucket not in buckets:
            raise QueryError("INVALID_OUTPUT_LOCATION", f"The output location's bucket does not exist: s3://{bucket}")
        caller.check_bucket("GetBucketLocation", bucket)
        caller.check_object("PutObject", bucket, key)
        statement = run(
            execution.query,
            database,
            execution.execution_parameters or (),
            CallerCatalog(self._server, caller),
            self._warehouse,
        )
        kinds = (statement.kind, statement.substatement)
        if cutoff is not None and statement.scanned > int(cutoff):
            execution.cancel(
                kinds, f"Query cancelled! : Bytes scanned limit was exceeded (limit {cutoff})", statement.scanned
            )
            return
        content = statement.result.csv() if kind == "DML" else statement.result.text()
        with self._server.gate.working():
            self._server.backend("s3").put_object(bucket, key, content)
        execution.succeed(kinds, statement.result, statement.scanned)


def _execution(response: AthenaResponse, identifier: str) -> QueryExecution | None:
    found = response.athena_backend.executions.get(identifier)
    return found if isinstance(found, QueryExecution) else None


def _unknown(response: AthenaResponse) -> Any:
    return response.error(f"QueryExecution {response._get_param('QueryExecutionId')} was not found", 400)  # noqa: SLF001 - how moto reads parameters


def _get_query_execution(response: AthenaResponse) -> Any:
    execution = _execution(response, response._get_param("QueryExecutionId"))  # noqa: SLF001 - likewise
    if execution is None:
        return _unknown(response)
    return json.dumps({"QueryExecution": execution.describe()})


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
            found.append(execution.describe())
    return json.dumps({"QueryExecutions": found, "UnprocessedQueryExecutionIds": unknown})


def _list_query_executions(response: AthenaResponse) -> str:
    """List query ids, newest first, a page at a time."""
    group = response._get_param("WorkGroup") or _DEFAULT_WORKGROUP  # noqa: SLF001 - likewise
    executions = response.athena_backend.executions.values()
    identifiers = [
        execution.id
        for execution in reversed(executions)
        if isinstance(execution, QueryExecution) and execution.group == group
    ]
    start = int(response._get_param("NextToken") or 0)  # noqa: SLF001 - likewise
    size = min(int(response._get_param("MaxResults") or _LISTED), _LISTED)  # noqa: SLF001 - likewise
    body: dict[str, Any] = {"QueryExecutionIds": identifiers[start : start + size]}
    if start + size < len(identifiers):
        body["NextToken"] = str(start + size)
    return json.dumps(body)
