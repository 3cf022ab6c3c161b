"""Pages of lists that moto returns whole, whatever size is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from moto.awslambda.responses import LambdaResponse
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.glue.responses import GlueResponse

from embedded_aws.server.parameters import parameter


@dataclass(frozen=True)
class Paging:
    """How the pages of a service's lists are asked for and returned."""

    size: str
    """Parameter with the number of elements."""

    token: str
    """Parameter with where a page begins."""

    next_token: str
    """Where the next page begins, in the response."""

    default: int
    """Elements without that parameter; also the most that are returned."""

    error: str
    """Code of the error about a token that was never returned."""


GLUE = Paging("MaxResults", "NextToken", "NextToken", 100, "InvalidInputException")
_PARTITIONS = Paging("MaxResults", "NextToken", "NextToken", 1000, "InvalidInputException")
_LAMBDA = Paging("MaxItems", "Marker", "NextMarker", 50, "InvalidParameterValueException")
_ALARMS = Paging("MaxRecords", "NextToken", "NextToken", 100, "InvalidNextToken")

_LISTS: tuple[tuple[type, str, str, Paging], ...] = (
    (CloudWatchResponse, "describe_alarms", "MetricAlarms", _ALARMS),
    (GlueResponse, "get_crawlers", "Crawlers", GLUE),
    (GlueResponse, "get_databases", "DatabaseList", GLUE),
    (GlueResponse, "get_partitions", "Partitions", _PARTITIONS),
    (GlueResponse, "get_table_versions", "TableVersions", GLUE),
    (GlueResponse, "get_tables", "TableList", GLUE),
    (LambdaResponse, "list_aliases", "Aliases", _LAMBDA),
    (LambdaResponse, "list_event_source_mappings", "EventSourceMappings", _LAMBDA),
    (LambdaResponse, "list_functions", "Functions", _LAMBDA),
    (LambdaResponse, "list_layer_versions", "LayerVersions", _LAMBDA),
    (LambdaResponse, "list_layers", "Layers", _LAMBDA),
    (LambdaResponse, "list_versions_by_function", "Versions", _LAMBDA),
)
"""Class of moto, its method, the list in its answer, and its pages."""


@contextmanager
def paged_lists() -> Iterator[None]:
    """Return these lists in pages while the context lasts."""
    with ExitStack() as patches:
        for owner, name, key, paging in _LISTS:
            patches.enter_context(patch.object(owner, name, _paged(getattr(owner, name), key, paging)))
        yield


def _paged(answer: Callable[[Any], Any], key: str, paging: Paging) -> Callable[[Any], Any]:
    def paged(response: Any) -> Any:
        answered = answer(response)
        if isinstance(answered, ActionResult):
            return ActionResult(page_of(response, answered.result, key, paging))
        # Lambda's are texts, some with status and headers before them.
        *before, text = answered if isinstance(answered, tuple) else (answered,)
        page = json.dumps(page_of(response, json.loads(text), key, paging))
        return (*before, page) if before else page

    return paged


def page_of(response: Any, whole: Any, key: str, paging: Paging) -> dict[str, Any]:
    """Return the page of an answer that a request asks for.

    Args:
        response: the request, as moto has it.
        whole: the answer with the whole list.
        key: name of the list in it.
        paging: how pages are asked for.

    Raises:
        JsonRESTError: the token was never returned.
    """
    token = str(parameter(response, paging.token) or 0)
    if not token.isdecimal():
        raise JsonRESTError(paging.error, f"{paging.token} is not one that was returned with an earlier page.")
    begin = int(token)
    end = begin + min(int(parameter(response, paging.size) or paging.default), paging.default)
    page: dict[str, Any] = {**whole, key: list(whole[key])[begin:end]}
    if end < len(whole[key]):
        page[paging.next_token] = str(end)
    return page
