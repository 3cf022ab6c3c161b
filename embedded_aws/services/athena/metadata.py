"""Athena's operations on data catalogs: the databases and tables of the Glue catalog, in Athena's form.

Source: https://docs.aws.amazon.com/athena/latest/APIReference/API_TableMetadata.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from moto.athena.responses import AthenaResponse

from embedded_aws.server.error_responses import REQUEST_ID
from embedded_aws.server.parameters import parameter
from embedded_aws.server.server import AwsServer
from embedded_aws.services.athena.catalog import CallerCatalog, matching
from embedded_aws.services.athena.errors import AccessError, QueryError, RequestError
from embedded_aws.services.athena.permissions import CallerPermissions
from embedded_aws.services.athena.views import CATALOG

NAME = "AwsDataCatalog"
"""The catalog that every account has: Glue's."""

_MOST = 50


def replacements(
    server: AwsServer, answering: Callable[[Callable[[AthenaResponse], Any]], Any]
) -> dict[tuple[type, str], Any]:
    """Return what replaces moto's operations: class and method → replacement.

    Args:
        server: the server whose Glue catalog they show.
        answering: makes a method of a function that returns the body of an answer or raises `RequestError`.
    """
    shown = CatalogMetadata(server)
    return {
        (AthenaResponse, name): answering(getattr(shown, name))
        for name in (
            "get_data_catalog", "get_database", "get_table_metadata", "list_data_catalogs", "list_databases",
            "list_table_metadata",
        )
    }  # fmt: skip


class CatalogMetadata:
    """What the operations answer."""

    def __init__(self, server: AwsServer) -> None:
        self._server = server

    def list_data_catalogs(self, response: AthenaResponse) -> dict[str, Any]:
        """List the account's own catalog and those that were registered."""
        registered = response.athena_backend.data_catalogs.values()
        summaries: list[dict[str, Any]] = [{"CatalogName": NAME, "Type": "GLUE"}]
        summaries += [{"CatalogName": one.name, "Type": one.type} for one in registered if one.name != NAME]
        return _page(response, "DataCatalogsSummary", summaries)

    def get_data_catalog(self, response: AthenaResponse) -> dict[str, Any]:
        """Describe a catalog."""
        name = parameter(response, "Name")
        found: dict[str, Any] | None = response.athena_backend.get_data_catalog(name)
        if found is None and _is_own(name):
            found = {"Name": NAME, "Type": "GLUE", "Parameters": {"catalog-id": self._server.account_id}}
        if found is None:
            raise RequestError(f"DataCatalog {name} was not found", "INVALID_INPUT")
        return {"DataCatalog": found}

    def list_databases(self, response: AthenaResponse) -> dict[str, Any]:
        """List the databases of the catalog."""
        databases = _translated(lambda: self._catalog(response).databases())
        return _page(response, "DatabaseList", [_database(one) for one in databases])

    def get_database(self, response: AthenaResponse) -> dict[str, Any]:
        """Describe a database."""
        name = parameter(response, "DatabaseName").lower()
        catalog = self._catalog(response)
        return {"Database": _database(_translated(lambda: catalog.get_database(name)))}

    def list_table_metadata(self, response: AthenaResponse) -> dict[str, Any]:
        """List the tables and views of a database whose names match an expression."""
        database, expression = parameter(response, "DatabaseName").lower(), parameter(response, "Expression")
        catalog = self._catalog(response)
        names = _translated(lambda: catalog.table_names(database))
        try:
            wanted = matching(names, expression or None)
        except re.error as error:
            raise RequestError(f"Invalid expression {expression}: {error}", "INVALID_INPUT") from error
        page = _page(response, "TableMetadataList", wanted)
        tables = _translated(lambda: [catalog.get_table(database, name) for name in page["TableMetadataList"]])
        return page | {"TableMetadataList": [_table(one) for one in tables]}

    def get_table_metadata(self, response: AthenaResponse) -> dict[str, Any]:
        """Describe a table or view."""
        database, name = (parameter(response, key).lower() for key in ("DatabaseName", "TableName"))
        catalog = self._catalog(response)
        return {"TableMetadata": _table(_translated(lambda: catalog.get_table(database, name)))}

    def _catalog(self, response: AthenaResponse) -> CallerCatalog:
        name = parameter(response, "CatalogName")
        if not _is_own(name):
            raise RequestError(
                f"The data catalog {name} has no tables here: the embedded Athena models {NAME} alone.", "INVALID_INPUT"
            )
        return CallerCatalog(self._server, CallerPermissions.of_request(self._server))


def _is_own(name: str) -> bool:
    return name.lower() == CATALOG


def _translated(read: Callable[[], Any]) -> Any:
    """Return what the catalog has, or raise the error of the API.

    Raises:
        RequestError: it does not exist, or the caller may not see it.
    """
    try:
        return read()
    except AccessError as error:
        raise _of_glue(error.text, "AccessDeniedException") from error
    except QueryError as error:
        raise _of_glue(error.text, "EntityNotFoundException") from error


def _of_glue(text: str, code: str) -> RequestError:
    """Return an error of Glue in Athena's envelope, which clients take apart."""
    origin = f"Service: AmazonDataCatalog; Status Code: 400; Error Code: {code}; Request ID: {REQUEST_ID}; Proxy: null"
    return RequestError(f"{text} ({origin})", code, kind="MetadataException")


def _page(response: AthenaResponse, name: str, found: Sequence[Any]) -> dict[str, Any]:
    start = int(parameter(response, "NextToken") or 0)
    size = min(int(parameter(response, "MaxResults") or _MOST), _MOST)
    body: dict[str, Any] = {name: list(found[start : start + size])}
    if start + size < len(found):
        body["NextToken"] = str(start + size)
    return body


def _database(found: dict[str, Any]) -> dict[str, Any]:
    described = {"Name": found["Name"], "Description": found.get("Description"), "Parameters": found.get("Parameters")}
    return {name: value for name, value in described.items() if value is not None}


def _table(found: dict[str, Any]) -> dict[str, Any]:
    descriptor = found["StorageDescriptor"]
    serde = descriptor.get("SerdeInfo") or {}
    formats = {
        "inputformat": descriptor.get("InputFormat"),
        "location": descriptor.get("Location"),
        "outputformat": descriptor.get("OutputFormat"),
        "serde.serialization.lib": serde.get("SerializationLibrary"),
        **{f"serde.param.{name}": value for name, value in (serde.get("Parameters") or {}).items()},
    }
    described = {
        "Name": found["Name"],
        "CreateTime": _seconds(found["CreateTime"]),
        "TableType": found.get("TableType"),
        "Columns": _columns(descriptor.get("Columns") or ()),
        "PartitionKeys": _columns(found.get("PartitionKeys") or ()),
        "Parameters": {
            **(found.get("Parameters") or {}),
            **{name: value for name, value in formats.items() if value},
        },
    }
    return {name: value for name, value in described.items() if value is not None}


def _seconds(moment: datetime) -> float:
    """Return a time of moto's, which are UTC without saying so, as the API has it."""
    return moment.replace(tzinfo=UTC).timestamp()


def _columns(columns: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: one[key] for key in ("Name", "Type", "Comment") if one.get(key)} for one in columns]
