# ruff: noqa: INP001 - part of scripts, no package
"""The policies in docs/ for whoever runs the commands `spotify-etl …`, and for whoever runs `make test-aws`."""

from __future__ import annotations

from typing import Any

from scripts.policy_documents import ACCOUNT, NAMES, Grant, documents, statements

_RAW, _TABLES, _RESULTS = (f"arn:aws:s3:::spotify-etl-{name}-*" for name in ("raw", "transformed", "athena-results"))
_PURGE = "DeleteObjectVersion"


def _glue(actions: str, *resources: str) -> tuple[Grant, ...]:
    return tuple(Grant("glue", actions, resource) for resource in ("catalog", *resources))


def _anywhere(service: str, actions: str) -> Grant:
    """Grant actions that know no resources."""
    return Grant(service, actions, "", "*")


_OPERATOR = (
    *(
        Grant("s3", "GetBucketLocation ListBucket ListBucketVersions", "", bucket)
        for bucket in (_RAW, _TABLES, _RESULTS)
    ),
    Grant("s3", "GetEncryptionConfiguration", "", _RAW),
    Grant("s3", f"GetObject PutObject {_PURGE}", "", f"{_RAW}/*"),
    # A purge looks into old versions of compacted objects.
    Grant("s3", f"GetObject GetObjectVersion {_PURGE}", "", f"{_TABLES}/*"),
    Grant("s3", f"AbortMultipartUpload GetObject ListMultipartUploadParts PutObject {_PURGE}", "", f"{_RESULTS}/*"),
    Grant("secretsmanager", "DescribeSecret GetSecretValue PutSecretValue", f"secret:{NAMES}"),
    Grant("lambda", "GetFunctionConfiguration", f"function:{NAMES}"),
    *(Grant("lambda", "InvokeFunction", f"function:spotify-etl-{name}-*") for name in ("extract", "compact")),
    _anywhere("lambda", "ListEventSourceMappings"),
    Grant("sqs", "DeleteMessage GetQueueAttributes ReceiveMessage SendMessage", NAMES),
    Grant("glue", "GetCrawler ListCrawls StartCrawler", f"crawler/{NAMES}"),
    *_glue(
        "BatchDeletePartition BatchGetPartition GetDatabase GetPartition GetPartitions GetTable GetTables",
        "database/spotify_*",
        "table/spotify_*/*",
    ),
    # Athena asks for it with every statement.
    *_glue("GetDatabase", "database/default"),
    Grant(
        "athena",
        "GetNamedQuery GetQueryExecution GetQueryResults GetWorkGroup StartQueryExecution StopQueryExecution",
        f"workgroup/{NAMES}",
    ),
    Grant("logs", "FilterLogEvents", f"log-group:{NAMES}"),
    Grant("cloudwatch", "DescribeAlarms", "alarm:*"),
    _anywhere("cloudwatch", "GetMetricData ListMetrics"),
    Grant("scheduler", "GetSchedule", f"schedule/default/{NAMES}"),
    _anywhere("scheduler", "ListSchedules"),
    Grant("iam", "SimulatePrincipalPolicy", f"role/{NAMES}"),
    _anywhere("lakeformation", "GetDataLakeSettings"),
)
"""What the commands call; the test runs each of them with these permissions alone."""

_ACCEPTANCE = (
    Grant(
        "iam", "GetRolePolicy ListRolePolicies CreateRole DeleteRole PutRolePolicy DeleteRolePolicy", f"role/{NAMES}"
    ),
    Grant("iam", "GetPolicy GetPolicyVersion", f"policy/{NAMES}"),
    # A run that is interrupted stops its crawl.
    Grant("glue", "StopCrawler", f"crawler/{NAMES}"),
    Grant("sts", "AssumeRole", "", f"arn:aws:iam::{ACCOUNT}:role/spotify-etl-probe-*"),
)
"""What the acceptance suite calls beyond that, for the roles with which it tries the stack's policies."""


def operator_policies() -> list[dict[str, Any]]:
    """Return the managed policies for whoever runs the commands on stacks in one account and region."""
    return list(documents(statements(_OPERATOR)))


def acceptance_policies() -> list[dict[str, Any]]:
    """Return the managed policies for the acceptance suite, beside those of the deployer and the operator."""
    return list(documents(statements(_ACCEPTANCE)))
