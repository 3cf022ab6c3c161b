"""The permissions that an operation needs: action and resource ARNs.

An operation that is not in the tables is denied to everyone but the account's owner. S3's are in `services/s3`.
Source: https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from moto.athena.models import athena_backends
from moto.secretsmanager.models import secretsmanager_backends

from embedded_aws.iam.operation import Operation, UnsupportedOperationError
from embedded_aws.iam.policies import AuthorizationRequest
from embedded_aws.server.ambiguity import check_parameters, check_request
from embedded_aws.server.requests import AwsRequest
from embedded_aws.server.service_models import route
from embedded_aws.services.s3.operations import s3_operation


class ArnContext:
    """The account and region that turn names into ARNs."""

    def __init__(self, region: str, account_id: str) -> None:
        self.region = region
        self.account_id = account_id

    def arn(self, service: str, resource: str, *, region: str | None = None) -> str:
        """Return the ARN of a resource, given its name."""
        given = self.region if region is None else region
        return f"arn:aws:{service}:{given}:{self.account_id}:{resource}"


Parameters = Mapping[str, Any]
Resources = Callable[[Parameters, ArnContext], Iterable[str]]


def operation_of(request: AwsRequest, account_id: str) -> Operation:
    """Return what a request does.

    Raises:
        UnsupportedOperationError: the operation is not in the tables, or the request is ambiguous.
    """
    check_request(request)
    if request.service in {"s3", ""}:
        return s3_operation(request)
    arns = ArnContext(request.region, account_id)
    if request.protocol == "rest-json":
        name, in_path = route(request)
        parameters: Parameters = {**request.query, **in_path}
        if any("/" in value for value in in_path.values()) or (in_path and request.path.endswith("/")):
            raise UnsupportedOperationError(f"{name} at the path {request.path}")
    else:
        name, parameters = request.operation or "?", request.parameters
    resources = RESOURCES.get(request.service, {}).get(name)
    if resources is None:
        raise UnsupportedOperationError(f"{request.service} {name}")
    check_parameters(request, name)
    try:
        return _operation(request.service, name, parameters, resources, arns)
    except (AttributeError, KeyError, TypeError) as error:
        raise UnsupportedOperationError(f"{name} without the parameters that name a resource") from error


def _operation(service: str, name: str, parameters: Parameters, resources: Resources, arns: ArnContext) -> Operation:
    action = f"{PREFIXES.get(service, service)}:{ACTIONS.get((service, name), name)}"
    context = _context(service, parameters)
    checks = [AuthorizationRequest(action, arn, context) for arn in resources(parameters, arns)]
    if service == "secretsmanager":
        checks += _key_of_secret(name, parameters, arns)
    return Operation(name=name, checks=tuple(checks))


def _context(service: str, parameters: Parameters) -> dict[str, str]:
    keys = CONTEXT_PARAMETERS.get(service, {})
    return {key: str(parameters[name]) for name, key in keys.items() if name in parameters}


def _any(_parameters: Parameters, _arns: ArnContext) -> Iterable[str]:
    return ("*",)


def _queue(parameters: Parameters, arns: ArnContext) -> Iterable[str]:
    name = parameters.get("QueueName") or str(parameters.get("QueueUrl", "")).rpartition("/")[2]
    return (arns.arn("sqs", name),)


def _secret(parameters: Parameters, arns: ArnContext) -> Iterable[str]:
    wanted = parameters.get("SecretId") or parameters.get("Name", "")
    found = secretsmanager_backends[arns.account_id][arns.region].secrets.get(wanted)
    if found is not None:
        return (found.arn,)
    return (wanted if wanted.startswith("arn:") else arns.arn("secretsmanager", f"secret:{wanted}"),)


def _key_of_secret(name: str, parameters: Parameters, arns: ArnContext) -> list[AuthorizationRequest]:
    """Return the checks of a secret's customer managed key.

    Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
    """
    found = secretsmanager_backends[arns.account_id][arns.region].secrets.get(parameters.get("SecretId", ""))
    key = getattr(found, "kms_key_id", None)
    if not key or key == "alias/aws/secretsmanager":
        return []
    context = {"kms:viaservice": f"secretsmanager.{arns.region}.amazonaws.com"}
    (arn,) = _key({"KeyId": key}, arns)
    return [AuthorizationRequest(f"kms:{action}", arn, context) for action in KEY_ACTIONS_OF_SECRETS.get(name, ())]


def _function(parameters: Parameters, arns: ArnContext) -> Iterable[str]:
    found = _FUNCTION_NAME.fullmatch(parameters["FunctionName"])
    if found is None or found["region"] not in {None, arns.region} or found["account"] not in {None, arns.account_id}:
        raise UnsupportedOperationError(f"on the function {parameters['FunctionName']}")
    name = arns.arn("lambda", f"function:{found['name']}")
    qualifier = found["qualifier"] or parameters.get("Qualifier")
    return (f"{name}:{qualifier}" if qualifier and qualifier != "$LATEST" else name,)


def _log_stream(parameters: Parameters, arns: ArnContext) -> Iterable[str]:
    """Return ARNs of log streams; for a request that names only a group they end in `:log-stream:`, as in AWS."""
    given = [
        parameters[name] for name in ("logGroupName", "logGroupNamePrefix", "logGroupIdentifier") if name in parameters
    ]
    given += [*parameters.get("logGroupNames", ()), *parameters.get("logGroupIdentifiers", ())]
    # An identifier is a name or an ARN.
    groups = [
        group.partition(":log-group:")[2].removesuffix(":*") if group.startswith("arn:") else group for group in given
    ]
    stream = parameters.get("logStreamName", "")
    return tuple(arns.arn("logs", f"log-group:{group}:log-stream:{stream}") for group in groups or [""])


def _glue_database(parameters: Parameters, arns: ArnContext) -> Iterable[str]:
    given = {parameters.get("DatabaseName"), parameters.get("Name"), parameters.get("DatabaseInput", {}).get("Name")}
    databases = sorted(given - {None})
    return (arns.arn("glue", "catalog"), *(arns.arn("glue", f"database/{database}") for database in databases or "*"))


def _glue_databases(_parameters: Parameters, arns: ArnContext) -> Iterable[str]:
    return (arns.arn("glue", "catalog"), arns.arn("glue", "database/*"))


def _glue_table(parameters: Parameters, arns: ArnContext) -> Iterable[str]:
    database = parameters["DatabaseName"]
    given = {parameters.get("TableName"), parameters.get("Name"), parameters.get("TableInput", {}).get("Name")}
    tables = sorted(given - {None}) or parameters.get("TablesToDelete") or ["*"]
    return (
        arns.arn("glue", "catalog"),
        arns.arn("glue", f"database/{database}"),
        *(arns.arn("glue", f"table/{database}/{table}") for table in tables),
    )


def _crawler(parameters: Parameters, arns: ArnContext) -> Iterable[str]:
    names = parameters.get("CrawlerNames") or [parameters.get("CrawlerName") or parameters.get("Name", "*")]
    return tuple(arns.arn("glue", f"crawler/{name}") for name in names)


def _workgroup(parameters: Parameters, arns: ArnContext) -> Iterable[str]:
    name = parameters.get("WorkGroup") or parameters.get("Name") or "primary"
    return (arns.arn("athena", f"workgroup/{name}"),)


def _workgroup_of_execution(parameters: Parameters, arns: ArnContext) -> Iterable[str]:
    executions = athena_backends[arns.account_id][arns.region].executions
    ids = parameters.get("QueryExecutionIds") or [parameters.get("QueryExecutionId", "")]
    return _workgroups_of([executions.get(each) for each in ids], arns)


def _workgroup_of_named_query(parameters: Parameters, arns: ArnContext) -> Iterable[str]:
    named_queries = athena_backends[arns.account_id][arns.region].named_queries
    ids = parameters.get("NamedQueryIds") or [parameters.get("NamedQueryId", "")]
    return _workgroups_of([named_queries.get(each) for each in ids], arns)


def _workgroups_of(items: Iterable[Any], arns: ArnContext) -> tuple[str, ...]:
    """Return the workgroups of executions or named queries; for a missing one, all workgroups."""
    names = {item.workgroup.name if item is not None and item.workgroup else "*" for item in items}
    return tuple(arns.arn("athena", f"workgroup/{name}") for name in sorted(names))


def _data_catalog(parameters: Parameters, arns: ArnContext) -> Iterable[str]:
    return (arns.arn("athena", f"datacatalog/{parameters.get('CatalogName') or parameters.get('Name', '*')}"),)


def _schedule(parameters: Parameters, arns: ArnContext) -> Iterable[str]:
    group = parameters.get("groupName") or parameters.get("GroupName") or "default"
    return (arns.arn("scheduler", f"schedule/{group}/{parameters['Name']}"),)


def _rule(parameters: Parameters, arns: ArnContext) -> Iterable[str]:
    bus = str(parameters.get("EventBusName", "default")).rpartition("/")[2]
    name = parameters.get("Name") or parameters.get("Rule", "*")
    return (arns.arn("events", f"rule/{name}" if bus == "default" else f"rule/{bus}/{name}"),)


def _event_buses(parameters: Parameters, arns: ArnContext) -> Iterable[str]:
    names = {str(entry.get("EventBusName", "default")).rpartition("/")[2] for entry in parameters.get("Entries", ())}
    return tuple(arns.arn("events", f"event-bus/{name}") for name in sorted(names))


def _role(parameters: Parameters, arns: ArnContext) -> Iterable[str]:
    return (arns.arn("iam", f"role/{parameters.get('RoleName', '*')}", region=""),)


def _policy(parameters: Parameters, _arns: ArnContext) -> Iterable[str]:
    return (parameters.get("PolicyArn", "*"),)


def _simulated(parameters: Parameters, _arns: ArnContext) -> Iterable[str]:
    return (parameters["PolicySourceArn"],)


def _role_to_assume(parameters: Parameters, _arns: ArnContext) -> Iterable[str]:
    return (parameters.get("RoleArn", ""),)


def _nothing(_parameters: Parameters, _arns: ArnContext) -> Iterable[str]:
    """Return no resources: anyone may call GetCallerIdentity."""
    return ()


def _key(parameters: Parameters, arns: ArnContext) -> Iterable[str]:
    key = parameters.get("KeyId", "*")
    return (key if key.startswith("arn:") else arns.arn("kms", key if key.startswith("alias/") else f"key/{key}"),)


def _topic(parameters: Parameters, _arns: ArnContext) -> Iterable[str]:
    return [parameters[name] for name in ("TopicArn", "TargetArn") if name in parameters] or ("*",)


def _alarm(parameters: Parameters, arns: ArnContext) -> Iterable[str]:
    return (arns.arn("cloudwatch", f"alarm:{parameters.get('AlarmName', '*')}"),)


PREFIXES = {"monitoring": "cloudwatch"}
"""Signing name → prefix of its actions, where they differ."""

ACTIONS = {
    ("lambda", "Invoke"): "InvokeFunction",
    ("sqs", "ChangeMessageVisibilityBatch"): "ChangeMessageVisibility",
    ("sqs", "DeleteMessageBatch"): "DeleteMessage",
    ("sqs", "SendMessageBatch"): "SendMessage",
}
"""(signing name, operation) → action, where they differ."""

CONTEXT_PARAMETERS = {
    "secretsmanager": {"VersionStage": "secretsmanager:versionstage", "VersionId": "secretsmanager:versionid"},
    "monitoring": {"Namespace": "cloudwatch:namespace"},
    "sts": {"RoleSessionName": "sts:rolesessionname", "ExternalId": "sts:externalid"},
    "iam": {"PolicyArn": "iam:policyarn"},
}
"""Signing name → parameter → condition key."""

KEY_ACTIONS_OF_SECRETS = {
    "GetSecretValue": ("Decrypt",),
    "PutSecretValue": ("GenerateDataKey", "Decrypt"),
    "UpdateSecret": ("GenerateDataKey", "Decrypt"),
}
"""Operation on a secret → actions on its KMS key."""

RESOURCES: dict[str, dict[str, Resources]] = {
    "sqs": {
        "GetQueueUrl": _queue,
        "ListQueues": _any,
        **dict.fromkeys(
            (
                "ChangeMessageVisibility",
                "ChangeMessageVisibilityBatch",
                "DeleteMessage",
                "DeleteMessageBatch",
                "GetQueueAttributes",
                "ListDeadLetterSourceQueues",
                "ListQueueTags",
                "PurgeQueue",
                "ReceiveMessage",
                "SendMessage",
                "SendMessageBatch",
                "SetQueueAttributes",
            ),
            _queue,
        ),
    },
    "secretsmanager": {
        "ListSecrets": _any,
        **dict.fromkeys(
            (
                "DescribeSecret",
                "GetResourcePolicy",
                "GetSecretValue",
                "ListSecretVersionIds",
                "PutSecretValue",
                "UpdateSecret",
            ),
            _secret,
        ),
    },
    "lambda": {
        "Invoke": _function,
        "GetFunction": _function,
        "GetFunctionConfiguration": _function,
        "GetPolicy": _function,
        "GetFunctionEventInvokeConfig": _function,
        "ListVersionsByFunction": _function,
        "ListFunctions": _any,
        "ListEventSourceMappings": _any,
    },
    "logs": {
        "GetQueryResults": _any,
        **dict.fromkeys(
            (
                "CreateLogGroup",
                "CreateLogStream",
                "DescribeLogGroups",
                "DescribeLogStreams",
                "FilterLogEvents",
                "GetLogEvents",
                "PutLogEvents",
                "PutRetentionPolicy",
                "StartQuery",
            ),
            _log_stream,
        ),
    },
    "glue": {
        "CreateDatabase": _glue_database,
        "GetDatabase": _glue_database,
        "GetDatabases": _glue_databases,
        "UpdateDatabase": _glue_database,
        **dict.fromkeys(
            (
                "BatchCreatePartition",
                "BatchDeletePartition",
                "BatchDeleteTable",
                "BatchGetPartition",
                "BatchUpdatePartition",
                "CreatePartition",
                "CreateTable",
                "DeletePartition",
                "DeleteTable",
                "GetPartition",
                "GetPartitions",
                "GetTable",
                "GetTableVersion",
                "GetTableVersions",
                "GetTables",
                "UpdatePartition",
                "UpdateTable",
            ),
            _glue_table,
        ),
        "BatchGetCrawlers": _crawler,
        "GetCrawler": _crawler,
        "GetCrawlerMetrics": _any,
        "GetCrawlers": _any,
        "ListCrawlers": _any,
        "ListCrawls": _crawler,
        "StartCrawler": _crawler,
        "StartCrawlerSchedule": _crawler,
        "StopCrawler": _crawler,
        "StopCrawlerSchedule": _crawler,
        "UpdateCrawlerSchedule": _crawler,
    },
    "athena": {
        "BatchGetNamedQuery": _workgroup_of_named_query,
        "BatchGetQueryExecution": _workgroup_of_execution,
        "GetNamedQuery": _workgroup_of_named_query,
        "GetQueryExecution": _workgroup_of_execution,
        "GetQueryResults": _workgroup_of_execution,
        "GetQueryResultsStream": _workgroup_of_execution,
        "GetQueryRuntimeStatistics": _workgroup_of_execution,
        "GetWorkGroup": _workgroup,
        "ListNamedQueries": _workgroup,
        "ListQueryExecutions": _workgroup,
        "ListWorkGroups": _any,
        "StartQueryExecution": _workgroup,
        "StopQueryExecution": _workgroup_of_execution,
        "GetDataCatalog": _data_catalog,
        "GetDatabase": _data_catalog,
        "GetTableMetadata": _data_catalog,
        "ListDataCatalogs": _any,
        "ListDatabases": _data_catalog,
        "ListTableMetadata": _data_catalog,
    },
    "scheduler": {
        "GetSchedule": _schedule,
        "ListSchedules": _any,
        "ListScheduleGroups": _any,
    },
    "events": {
        "DescribeRule": _rule,
        "ListRules": _any,
        "ListTargetsByRule": _rule,
        "PutEvents": _event_buses,
    },
    "sts": {
        "AssumeRole": _role_to_assume,
        "GetCallerIdentity": _nothing,
    },
    "iam": {
        **dict.fromkeys(("CreateRole", "DeleteRole", "DeleteRolePolicy", "PutRolePolicy"), _role),
        "GetPolicy": _policy,
        "GetPolicyVersion": _policy,
        "GetRole": _role,
        "GetRolePolicy": _role,
        "ListAttachedRolePolicies": _role,
        "ListRolePolicies": _role,
        "ListRoles": _any,
        "SimulatePrincipalPolicy": _simulated,
    },
    "lakeformation": {"GetDataLakeSettings": _any},
    "monitoring": {
        "DescribeAlarms": _alarm,
        "GetMetricData": _any,
        "GetMetricStatistics": _any,
        "ListMetrics": _any,
        "PutMetricData": _any,
    },
    "kms": dict.fromkeys(("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey"), _key),
    "sns": {"GetTopicAttributes": _topic, "ListTopics": _any, "Publish": _topic},
}
"""Signing name → operation → resources of its action."""

_FUNCTION_NAME = re.compile(
    r"(arn:aws:lambda:(?P<region>[a-z0-9-]+):)?((?P<account>\d{12}):)?(function:)?(?P<name>[A-Za-z0-9_-]+)"
    r"(:(?P<qualifier>\$LATEST|[A-Za-z0-9_-]+))?"
)
