"""Athena's API: moto's, with queries that actually run."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

from moto.athena.models import AthenaBackend, WorkGroup
from moto.athena.responses import AthenaResponse

from embedded_aws.persistence.errors import DataError
from embedded_aws.server.parameters import parameter
from embedded_aws.server.server import AwsServer
from embedded_aws.services.athena import administration, metadata, prepared_statement_operations
from embedded_aws.services.athena.cancellation import Cancellation, QueryCancelledError
from embedded_aws.services.athena.catalog import CallerCatalog
from embedded_aws.services.athena.errors import QueryError, RequestError
from embedded_aws.services.athena.execution import QueryExecution
from embedded_aws.services.athena.permissions import CallerPermissions
from embedded_aws.services.athena.prepared_statements import ExecuteError, prepared
from embedded_aws.services.athena.query_pool import QueryPool
from embedded_aws.services.athena.responses import (
    DEFAULT_WORKGROUP,
    batch_get_query_execution,
    error_answer,
    execution_of,
    list_query_executions,
)
from embedded_aws.services.athena.statements import check_syntax, kind_of, places_table, result_object, run
from embedded_aws.services.athena.warehouse import ScanLimitError, Warehouse

_PAGE = 1000
_WRONG_STATE = "INVALID_QUERY_EXECUTION_STATE"
_MOST_ACTIVE = 20
"""Athena's default quota of DML queries that are queued or running, in most regions.

Source: https://docs.aws.amazon.com/athena/latest/ug/service-limits.html
"""

_TOO_MANY = (
    "You have exceeded the limit for the number of queries you can run concurrently. Please reduce the number of"
    " concurrent queries submitted by this account."
)

_OWN_LOCATION = (
    "The Create Table As Select query failed because it was submitted with an 'external_location' property to an Athena"
    " Workgroup that enforces a centralized output location for all queries. Please remove the 'external_location'"
    " property and resubmit the query."
)

_ANSWER_SECONDS = 0.1
"""How long GetQueryExecution waits for the end of a query: whoever asks once a second learns it sooner."""

_BY_USER = "Query cancelled by user"
_BY_CLOSING = "Query cancelled: the embedded AWS was stopped"


class AthenaEngine:
    """Runs queries beside each other, and answers requests about them.

    Args:
        server: the server whose Athena this is.
        folder: folder for working files.
    """

    def __init__(self, server: AwsServer, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._patches = ExitStack()
        self._warehouse: Warehouse | None = None
        self._starting = threading.Lock()
        self._creating = threading.Lock()
        self._changing = threading.Lock()
        self._pool = QueryPool()
        self._tokens: dict[str, str] | None = None

    def install(self) -> None:
        """Replace the parts of moto that only pretend to run queries."""
        # It warns of statements that are then refused with an error of their own.
        logging.getLogger("sqlglot").setLevel(logging.ERROR)

        def answering(answer: Callable[[AthenaResponse], Any]) -> Callable[[AthenaResponse], Any]:
            def answered(response: AthenaResponse) -> Any:
                try:
                    return json.dumps(answer(response))
                except RequestError as error:
                    return error_answer(error)

            return answered

        replacements: dict[tuple[type, str], Any] = {
            (AthenaResponse, "start_query_execution"): answering(self._start),
            (AthenaResponse, "stop_query_execution"): answering(self._stop),
            (AthenaResponse, "get_query_execution"): answering(self._state),
            (AthenaResponse, "get_query_results"): answering(self._results),
            (AthenaResponse, "get_query_runtime_statistics"): answering(_runtime_statistics),
            (AthenaResponse, "batch_get_query_execution"): batch_get_query_execution,
            (AthenaResponse, "list_query_executions"): list_query_executions,
        }
        replacements |= metadata.replacements(self._server, answering)
        replacements |= administration.REPLACEMENTS | prepared_statement_operations.REPLACEMENTS
        for (owner, name), replacement in replacements.items():
            # moto does not implement all of them.
            self._patches.enter_context(patch.object(owner, name, replacement, create=not hasattr(owner, name)))

    def cancel_all(self) -> None:
        """Cancel what is queued or running."""
        for execution in list(self._server.backend("athena").executions.values()):
            if isinstance(execution, QueryExecution):
                self._change(execution, partial(execution.cancel, _BY_CLOSING))
        self._pool.close()

    def close(self) -> None:
        """Cancel what runs, restore moto's behaviour and drop all data."""
        self._pool.close()
        self._patches.close()
        if self._warehouse is not None:
            self._warehouse.close()
            self._warehouse = None

    def wait(self, is_stopping: Callable[[], bool]) -> bool:
        """Wait until no query is queued or running, or something stops the waiting; return whether there was one."""
        return self._pool.wait(is_stopping)

    def _start(self, response: AthenaResponse) -> dict[str, Any]:
        """Accept a query; a request that is sent again while the first one is served is the same query, too."""
        with self._starting:
            return self._accept(response)

    def _accept(self, response: AthenaResponse) -> dict[str, Any]:
        backend = response.athena_backend
        query: str = parameter(response, "QueryString")
        # A name may come as it is written in Hive's statements.
        given = parameter(response, "QueryExecutionContext") or {}
        context: dict[str, str] = {name: value.strip("`") for name, value in given.items()}
        requested = (parameter(response, "ResultConfiguration") or {}).get("OutputLocation")
        token = parameter(response, "ClientRequestToken") or ""
        group = backend.work_groups.get(parameter(response, "WorkGroup") or DEFAULT_WORKGROUP)
        if group is None:
            raise RequestError("WorkGroup is not found.", "INVALID_INPUT")
        earlier = backend.executions.get(self._known_tokens(backend).get(token, ""))
        if isinstance(earlier, QueryExecution):
            if not earlier.is_repeated_by(query, context, requested):
                raise RequestError("Idempotent parameters do not match", "IDEMPOTENT_PARAMETER_MISMATCH")
            return {"QueryExecutionId": earlier.id}
        location = _location(group, requested)
        parameters = parameter(response, "ExecutionParameters")
        try:
            check_syntax(query)
            resolved, _ = prepared(query, parameters or (), backend.prepared_statements, group.name)
            kind = kind_of(resolved)
            if _is_enforced(group) and places_table(resolved):
                raise RequestError(_OWN_LOCATION, "INVALID_INPUT")
        except QueryError as error:
            raise RequestError(error.text, "MALFORMED_QUERY") from error
        except ExecuteError:
            resolved, kind = query, "UTILITY"
        if kind == "DML" and len(self._pool) >= _MOST_ACTIVE:
            raise RequestError(_TOO_MANY, "TOO_MANY_REQUESTS", kind="TooManyRequestsException")
        execution = QueryExecution(
            query,
            context,
            group,
            parameters,
            kind=kind,
            result=partial(result_object, resolved),
            location=location,
            token=token,
            requested_location=requested,
        )
        backend.executions[execution.id] = execution
        if token:
            self._known_tokens(backend)[token] = execution.id
        cutoff = group.configuration.get("BytesScannedCutoffPerQuery")
        # It runs with the rights of whoever starts it.
        caller = CallerPermissions.of_request(self._server)
        self._pool.submit(execution.id, lambda cancellation: self._work(execution, cutoff, caller, cancellation))
        return {"QueryExecutionId": execution.id}

    def _stop(self, response: AthenaResponse) -> dict[str, Any]:
        """Cancel a query; stopping one that has ended changes nothing."""
        execution = execution_of(response)
        self._change(execution, lambda: execution.cancel(_BY_USER))
        self._pool.cancel(execution.id)
        return {}

    def _state(self, response: AthenaResponse) -> dict[str, Any]:
        """Describe an execution."""
        execution = execution_of(response)
        if execution.is_active:
            with self._server.gate.waiting():
                self._pool.wait_for(execution.id, _ANSWER_SECONDS)
        return {"QueryExecution": execution.describe()}

    def _results(self, response: AthenaResponse) -> dict[str, Any]:
        """Return a page of an execution's rows."""
        execution = execution_of(response)
        state = execution.status
        if execution.is_active:
            raise RequestError(f"Query has not yet finished. Current state: {state}", _WRONG_STATE)
        if state == "CANCELLED":
            raise RequestError("Could not find results", "RESULT_NOT_FOUND")
        if execution.result is None:
            raise RequestError(f"Query did not finish successfully. Final query state: {state}", _WRONG_STATE)
        address = urlsplit(execution.config["OutputLocation"])
        try:
            # Athena reads the result object on behalf of the caller.
            CallerPermissions.of_request(self._server).check_object(
                "GetObject", address.netloc, address.path.lstrip("/")
            )
        except QueryError as error:
            raise RequestError(str(error), "INVALID_INPUT") from error
        start = int(parameter(response, "NextToken") or 0)
        size = min(int(parameter(response, "MaxResults") or _PAGE), _PAGE)
        shown, following = execution.result.page(start, size)
        body: dict[str, Any] = {"UpdateCount": execution.updated, "ResultSet": shown}
        if following is not None:
            body["NextToken"] = str(following)
        return body

    def _known_tokens(self, backend: AthenaBackend) -> dict[str, str]:
        """Return the ids of executions by the token of their request."""
        if self._tokens is None:
            self._tokens = {
                execution.token: execution.id
                for execution in backend.executions.values()
                if isinstance(execution, QueryExecution) and execution.token
            }
        return self._tokens

    def _work(
        self, execution: QueryExecution, cutoff: int | None, caller: CallerPermissions, cancellation: Cancellation
    ) -> None:
        """Run a query in a thread of the pool."""
        self._change(execution, execution.begin)
        try:
            self._run(execution, cutoff, caller, cancellation)
        except ScanLimitError as error:
            self._change(execution, partial(execution.cancel, str(error), error.scanned))
        except QueryCancelledError:
            # Whoever cancelled it recorded that.
            pass
        except (QueryError, ExecuteError) as error:
            self._change(execution, partial(execution.fail, str(error)))
        except Exception as error:  # noqa: BLE001 - whatever breaks the engine fails the query
            reason = f"GENERIC_INTERNAL_ERROR: {type(error).__name__}: {error}"
            self._change(execution, partial(execution.fail, reason))
        with contextlib.suppress(DataError):
            # The next request tries again, before anybody sees what is not saved.
            self._server.gate.settle()
        self._server.gate.changed.set()

    def _run(
        self, execution: QueryExecution, cutoff: int | None, caller: CallerPermissions, cancellation: Cancellation
    ) -> None:
        cancellation.check()
        warehouse = self._opened_warehouse()
        address = urlsplit(execution.config["OutputLocation"])
        bucket, key = address.netloc, address.path.lstrip("/")
        if bucket not in self._server.backend("s3").buckets:
            raise QueryError("INVALID_OUTPUT_LOCATION", f"The output location's bucket does not exist: s3://{bucket}")
        caller.check_bucket("GetBucketLocation", bucket)
        caller.check_object("PutObject", bucket, key)
        context: Any = execution.context
        sql, parameters = prepared(
            execution.query,
            execution.execution_parameters or (),
            self._server.backend("athena").prepared_statements,
            execution.group,
        )
        statement = run(
            sql,
            context.get("Database") or "default",
            parameters,
            CallerCatalog(self._server, caller),
            warehouse.session(None if cutoff is None else int(cutoff), cancellation),
            execution.destination,
        )
        content = statement.result.csv() if statement.kind == "DML" else statement.result.text()

        def succeed() -> None:
            s3, kind, written = self._server.backend("s3"), (statement.kind, statement.substatement), statement.written
            if written is None:
                s3.put_object(bucket, key, content)
                execution.succeed(kind, statement.result, statement.scanned)
                return
            written.commit()
            s3.put_object(bucket, f"{key}-manifest.csv", "".join(f"{one}\n" for one in written.addresses).encode())
            execution.succeed(
                kind,
                statement.result,
                statement.scanned,
                updated=written.count,
                manifest=f"s3://{bucket}/{key}-manifest.csv",
            )

        self._change(execution, succeed)

    def _opened_warehouse(self) -> Warehouse:
        with self._creating:
            if self._warehouse is None:
                # Created for the first query: DuckDB is slow to start, and many accounts never run one.
                self._warehouse = Warehouse(self._server, self._folder)
            return self._warehouse

    def _change(self, execution: QueryExecution, change: Callable[[], None]) -> None:
        """Change an execution unless it has ended."""
        with self._server.gate.working(), self._changing:
            if execution.is_active:
                # Looked up, so that it is saved.
                self._server.backend("athena")
                change()


def _runtime_statistics(response: AthenaResponse) -> dict[str, Any]:
    """Return how long an execution took, and what it read and returned once it has succeeded."""
    return {"QueryRuntimeStatistics": execution_of(response).runtime_statistics()}


def _is_enforced(group: WorkGroup) -> bool:
    """Return whether results go where the workgroup says, whatever a request says."""
    settings = group.configuration
    of_group = (settings.get("ResultConfiguration") or {}).get("OutputLocation")
    return bool(settings.get("EnforceWorkGroupConfiguration", True) and of_group)


def _location(group: WorkGroup, requested: str | None) -> str:
    """Return where a query's result goes.

    Raises:
        RequestError: nobody says.
    """
    settings = group.configuration
    of_group: str | None = (settings.get("ResultConfiguration") or {}).get("OutputLocation")
    location = of_group if _is_enforced(group) else requested or of_group
    if not location:
        raise RequestError(
            "No output location provided. An output location is required either through the Workgroup result"
            " configuration setting or as an API input.",
            "INVALID_INPUT",
        )
    return location
