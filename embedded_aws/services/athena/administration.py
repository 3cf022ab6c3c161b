"""Operations on workgroups and named queries that moto does not implement, and others that it gets wrong.

Those on prepared statements are in `prepared_statement_operations.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.athena.models import AthenaBackend, WorkGroup
from moto.athena.responses import AthenaResponse

from embedded_aws.server.parameters import parameter
from embedded_aws.services.athena.execution import QueryExecution
from embedded_aws.services.athena.responses import DEFAULT_WORKGROUP, unknown_workgroup

_REMOVALS = {
    "RemoveBytesScannedCutoffPerQuery": "BytesScannedCutoffPerQuery",
    "RemoveCustomerContentEncryptionConfiguration": "CustomerContentEncryptionConfiguration",
}
_RESULT_REMOVALS = {
    "RemoveAclConfiguration": "AclConfiguration",
    "RemoveEncryptionConfiguration": "EncryptionConfiguration",
    "RemoveExpectedBucketOwner": "ExpectedBucketOwner",
    "RemoveOutputLocation": "OutputLocation",
}
"""Flag of an update → setting that it removes."""


def _get_named_query(response: AthenaResponse) -> Any:
    query = response.athena_backend.named_queries.get(parameter(response, "NamedQueryId"))
    if query is None:
        return _unknown_query(response)
    return json.dumps({"NamedQuery": _described(query)})


def _described(query: Any) -> dict[str, str]:
    described = {
        "Name": query.name,
        "Description": query.description,
        "Database": query.database,
        "QueryString": query.query_string,
        "NamedQueryId": query.id,
        "WorkGroup": query.workgroup.name,
    }
    return {key: value for key, value in described.items() if value is not None}


def _batch_get_named_query(response: AthenaResponse) -> Any:
    found, unknown = [], []
    for identifier in parameter(response, "NamedQueryIds"):
        query = response.athena_backend.named_queries.get(identifier)
        if query is None:
            missing = {"ErrorCode": "INVALID_INPUT", "ErrorMessage": f"NamedQuery {identifier} was not found"}
            unknown.append({"NamedQueryId": identifier, **missing})
        else:
            found.append(_described(query))
    return json.dumps({"NamedQueries": found, "UnprocessedNamedQueryIds": unknown})


def _update_named_query(response: AthenaResponse) -> Any:
    query = response.athena_backend.named_queries.get(parameter(response, "NamedQueryId"))
    if query is None:
        return _unknown_query(response)
    query.name = parameter(response, "Name")
    query.query_string = parameter(response, "QueryString")
    if (description := parameter(response, "Description")) is not None:
        query.description = description
    return "{}"


def _delete_named_query(response: AthenaResponse) -> Any:
    if response.athena_backend.named_queries.pop(parameter(response, "NamedQueryId"), None) is None:
        return _unknown_query(response)
    return "{}"


def _create_work_group(
    backend: AthenaBackend,
    name: str,
    configuration: dict[str, Any],
    description: str,
    tags: list[dict[str, str]],
) -> WorkGroup | None:
    return _MOTOS_CREATE(backend, name, _with_engine(configuration), description, tags)


def _with_engine(configuration: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration of a workgroup with the engine that runs its queries, whichever is selected."""
    selected = {"SelectedEngineVersion": "AUTO", **configuration.get("EngineVersion", {})}
    return {**configuration, "EngineVersion": {**selected, "EffectiveEngineVersion": "Athena engine version 3"}}


def _get_work_group(response: AthenaResponse) -> Any:
    name = parameter(response, "WorkGroup")
    if name not in response.athena_backend.work_groups:
        return unknown_workgroup(response, name)
    return _MOTOS_GET(response)


def _update_work_group(response: AthenaResponse) -> Any:
    name = parameter(response, "WorkGroup")
    group = response.athena_backend.work_groups.get(name)
    if group is None:
        return unknown_workgroup(response, name)
    group.state = parameter(response, "State") or group.state
    if (description := parameter(response, "Description")) is not None:
        group.description = description
    updates = dict(parameter(response, "ConfigurationUpdates") or {})
    results = updates.pop("ResultConfigurationUpdates", None)
    configuration = _updated(group.configuration, updates, _REMOVALS)
    if results is not None:
        before = configuration.get("ResultConfiguration") or {}
        configuration["ResultConfiguration"] = _updated(before, results, _RESULT_REMOVALS)
    group.configuration = _with_engine(configuration)
    return "{}"


def _delete_work_group(response: AthenaResponse) -> Any:
    backend, name = response.athena_backend, parameter(response, "WorkGroup")
    group = backend.work_groups.get(name)
    if group is None:
        return unknown_workgroup(response, name)
    if name == DEFAULT_WORKGROUP:
        return response.error("Cannot delete the primary workgroup", 400)
    contents: tuple[tuple[dict[Any, Any], Callable[[Any], bool]], ...] = (
        (backend.named_queries, lambda query: query.workgroup is group),
        (backend.prepared_statements, lambda statement: statement.workgroup == name),
        (backend.executions, lambda execution: isinstance(execution, QueryExecution) and execution.group == name),
    )
    keys = [(held, key) for held, belongs in contents for key, one in held.items() if belongs(one)]
    if keys and not parameter(response, "RecursiveDeleteOption"):
        return response.error(f"WorkGroup {name} is not empty", 400)
    for held, key in keys:
        del held[key]
    backend.delete_work_group(name)
    return "{}"


def _list_tags_for_resource(backend: AthenaBackend, resource_arn: str) -> dict[str, Any] | None:
    """Return the tags of a resource; moto knows only resources that have some."""
    resources = (*backend.work_groups.values(), *backend.data_catalogs.values())
    if resource_arn not in {resource.arn for resource in resources}:
        return None
    tags: dict[str, Any] = backend.tagger.list_tags_for_resource(resource_arn)
    return tags


def _updated(before: dict[str, Any], updates: dict[str, Any], removals: dict[str, str]) -> dict[str, Any]:
    removed = {setting for flag, setting in removals.items() if updates.get(flag)}
    kept = {name: value for name, value in before.items() if name not in removed}
    return kept | {name: value for name, value in updates.items() if name not in removals}


def _unknown_query(response: AthenaResponse) -> Any:
    return response.error(f"NamedQuery {parameter(response, 'NamedQueryId')} was not found", 400)


_MOTOS_CREATE = AthenaBackend.create_work_group
_MOTOS_GET = AthenaResponse.get_work_group

REPLACEMENTS: dict[tuple[type, str], Any] = {
    (AthenaResponse, "batch_get_named_query"): _batch_get_named_query,
    (AthenaResponse, "get_named_query"): _get_named_query,
    (AthenaResponse, "update_named_query"): _update_named_query,
    (AthenaResponse, "delete_named_query"): _delete_named_query,
    (AthenaResponse, "delete_work_group"): _delete_work_group,
    (AthenaResponse, "get_work_group"): _get_work_group,
    (AthenaResponse, "update_work_group"): _update_work_group,
    (AthenaBackend, "create_work_group"): _create_work_group,
    (AthenaBackend, "list_tags_for_resource"): _list_tags_for_resource,
}
"""Class of moto and name of its method → what replaces it."""
