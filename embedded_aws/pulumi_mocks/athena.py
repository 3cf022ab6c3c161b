"""Workgroups and named queries."""

from __future__ import annotations

from typing import Any

from embedded_aws.pulumi_mocks.arguments import Arguments
from embedded_aws.pulumi_mocks.resource import Create, Created, Resource, tag_list


def _workgroup(resource: Resource) -> Created:
    name = resource.physical_name(longest=128)
    arguments = resource.arguments
    request = arguments.request("description")
    if configuration := arguments.block("configuration"):
        request["Configuration"] = _configuration(configuration)
    resource.account.client("athena").create_work_group(Name=name, Tags=tag_list(resource.tags()), **request)
    return name, {"arn": resource.account.arn("athena", f"workgroup/{name}"), "name": name}


def _configuration(given: Arguments) -> dict[str, Any]:
    found = given.request(
        "bytesScannedCutoffPerQuery",
        "enforceWorkgroupConfiguration",
        "executionRole",
        "requesterPaysEnabled",
        engineVersion="EngineVersion",
        publishCloudwatchMetricsEnabled="PublishCloudWatchMetricsEnabled",
    )
    # The provider's default, which differs from the API's.
    found = {"EnforceWorkGroupConfiguration": found.pop("EnforceWorkgroupConfiguration", True), **found}
    found.setdefault("PublishCloudWatchMetricsEnabled", True)
    if engine := found.pop("EngineVersion", None):
        found["EngineVersion"] = {"SelectedEngineVersion": engine["selectedEngineVersion"]}
    if result := given.block("resultConfiguration"):
        found["ResultConfiguration"] = result.request("outputLocation", "expectedBucketOwner", "aclConfiguration")
        if encryption := result.block("encryptionConfiguration"):
            found["ResultConfiguration"]["EncryptionConfiguration"] = encryption.request(
                "encryptionOption", kmsKeyArn="KmsKey"
            )
    return found


def _named_query(resource: Resource) -> Created:
    name = resource.physical_name(longest=128)
    request = resource.arguments.request("database", "description", query="QueryString", workgroup="WorkGroup")
    identity = resource.account.client("athena").create_named_query(Name=name, **request)["NamedQueryId"]
    return identity, {"name": name}


RESOURCES: dict[str, Create] = {
    "aws:athena/namedQuery:NamedQuery": _named_query,
    "aws:athena/workgroup:Workgroup": _workgroup,
}

NOT_APPLIED = {
    "aws:athena/workgroup:Workgroup": {
        "forceDestroy": "affects only deletion, and the embedded AWS is deleted as a whole",
    },
}
