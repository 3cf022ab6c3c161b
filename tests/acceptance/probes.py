"""What each role of a stack may do and may not, tried with the role's own policies."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from embedded_aws.iam.credentials import AwsCredentials
from tests.acceptance.account import Account

Client = Callable[[str], Any]
Try = Callable[[Client], object]

_TRIES = 30
"""It takes AWS some seconds until a new role and its policy work everywhere."""
_STARTS = {"daily": "extract", "hourly": "extract", "views": "publish", "compaction": "compact", "deletion": "compact"}
"""Schedule → the function that it starts."""
SCHEDULES = {**_STARTS, "crawl": "crawl"}
"""Schedule → the dead-letter queue that keeps what it could not deliver."""
_DENIALS = ("AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation", "403")


@dataclass(frozen=True)
class Probe:
    """What is tried as one role."""

    name: str
    """The role's: a function's, a schedule's, `crawler`, or `analyst` for whoever has the analyst's policy."""
    allowed: Try
    denied: dict[str, Try]
    """Description → what must be denied."""


def probes(outputs: dict[str, Any]) -> Iterator[Probe]:
    """Yield what is tried as each role."""
    raw, lake = outputs["raw_bucket_name"], outputs["transformed_bucket_name"]
    database, secret = outputs["glue_database_name"], outputs["spotify_secret_name"]

    def put(bucket: str, key: str) -> Try:
        return lambda client: client("s3").put_object(Bucket=bucket, Key=key, Body=b"")

    def listing(bucket: str) -> Try:
        return lambda client: client("s3").list_objects_v2(Bucket=bucket, MaxKeys=1)

    def read_secret(client: Client) -> object:
        return client("secretsmanager").describe_secret(SecretId=secret)

    def read_database(client: Client) -> object:
        return client("glue").get_database(Name=database)

    def drop_table(client: Client) -> object:
        return client("glue").delete_table(DatabaseName=database, Name="plays")

    def query_elsewhere(client: Client) -> object:
        return client("athena").start_query_execution(QueryString="SELECT 1", WorkGroup="primary")

    def invoke(function: str) -> Try:
        name = outputs[f"{function}_function_name"]
        return lambda client: client("lambda").invoke(FunctionName=name, InvocationType="DryRun")

    def keep_failure(client: Client) -> object:
        return client("sqs").send_message(QueueUrl=outputs["dead_letter_queue_urls"]["crawl"], MessageBody="{}")

    write = put(lake, "tables/probe")
    yield Probe(
        "extract",
        listing(raw),
        {
            "write tables": write,
            "delete raw data": lambda client: client("s3").delete_object(Bucket=raw, Key="raw/probe"),
            "invoke publish": invoke("publish"),
        },
    )
    yield Probe(
        "transform",
        listing(lake),
        {"write raw data": put(raw, "raw/probe"), "read the login": read_secret, "read the catalog": read_database},
    )
    yield Probe(
        "publish",
        read_database,
        {
            "write tables": write,
            "list raw data": listing(raw),
            "drop a table": drop_table,
            "query elsewhere": query_elsewhere,
        },
    )
    yield Probe(
        "compact",
        listing(lake),
        {
            "write raw data": put(raw, "raw/probe"),
            "list raw data": listing(raw),
            "write beside the tables": put(lake, "outputs/probe"),
            "read the login": read_secret,
            "read the catalog": read_database,
            "query elsewhere": query_elsewhere,
        },
    )
    yield Probe(
        "crawler", listing(lake), {"write tables": write, "list raw data": listing(raw), "drop a table": drop_table}
    )
    yield Probe(
        "analyst",
        read_database,
        {
            "write tables": write,
            "list raw data": listing(raw),
            "read the login": read_secret,
            "drop a table": drop_table,
            "query elsewhere": query_elsewhere,
            "invoke extract": invoke("extract"),
        },
    )
    for schedule, function in _STARTS.items():
        yield Probe(
            schedule, invoke(function), {"invoke transform": invoke("transform"), "list raw data": listing(raw)}
        )
    # To start the crawler would cost money.
    yield Probe("crawl", keep_failure, {"invoke extract": invoke("extract"), "read the catalog": read_database})


def policies_of(account: Account, outputs: dict[str, Any], name: str) -> list[str]:
    """Return the documents of a role, or of the analyst's policy."""
    iam = account.client("iam")
    if name == "analyst":
        arn = outputs["analyst_policy_arn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        return [json.dumps(document)]
    if name == "crawler":
        role = account.client("glue").get_crawler(Name=outputs["glue_crawler_name"])["Crawler"]["Role"]
    elif name in SCHEDULES:
        role = _schedule_role(account, outputs, name)
    else:
        function = outputs[f"{name}_function_name"]
        role = account.client("lambda").get_function_configuration(FunctionName=function)["Role"]
    role_name = role.rpartition("/")[2]
    return [
        json.dumps(iam.get_role_policy(RoleName=role_name, PolicyName=policy)["PolicyDocument"])
        for policy in iam.list_role_policies(RoleName=role_name)["PolicyNames"]
    ]


def _schedule_role(account: Account, outputs: dict[str, Any], schedule: str) -> str:
    """Return the role of a schedule, which is known by its queue: other stacks have schedules of similar names.

    Raises:
        LookupError: there is no such schedule.
    """
    scheduler, prefix = account.client("scheduler"), f"spotify-etl-{schedule}-"
    queue = outputs["dead_letter_queue_urls"][SCHEDULES[schedule]].rpartition("/")[2]
    for page in scheduler.get_paginator("list_schedules").paginate(NamePrefix=prefix):
        for found in page["Schedules"]:
            if found["Name"].startswith(prefix):
                target = scheduler.get_schedule(Name=found["Name"])["Target"]
                if target["DeadLetterConfig"]["Arn"].endswith(f":{queue}"):
                    return str(target["RoleArn"])
    raise LookupError(f"There is no schedule {schedule}.")


def try_role(account: Account, probe: Probe, documents: list[str]) -> Iterator[str]:
    """Yield a sentence for each thing that a role with these policies may or may not do otherwise than expected.

    A role of the stack can be assumed by AWS's services alone: these are tried with a role of the same policies.
    """
    iam, sts = account.client("iam"), account.client("sts")
    number = sts.get_caller_identity()["Account"]
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{number}:root"}, "Action": "sts:AssumeRole"}
    # A run that was killed may have left its own.
    name = f"spotify-etl-probe-{probe.name}-{secrets.token_hex(3)}"
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    try:
        for part, policy in enumerate(documents):
            iam.put_role_policy(RoleName=name, PolicyName=str(part), PolicyDocument=policy)
        client = _session(account, sts, arn)
        if not _allowed_in_the_end(account, client, probe.allowed):
            yield f"{probe.name} is denied what it needs."
        for what, attempt in probe.denied.items():
            if _is_allowed(client, attempt):
                yield f"{probe.name} may {what}."
    finally:
        for part, _ in enumerate(documents):
            iam.delete_role_policy(RoleName=name, PolicyName=str(part))
        iam.delete_role(RoleName=name)


def _session(account: Account, sts: Any, arn: str) -> Client:
    for number in range(_TRIES):
        try:
            keys = sts.assume_role(RoleArn=arn, RoleSessionName="acceptance")["Credentials"]
            break
        except ClientError:
            if number == _TRIES - 1:
                raise
            account.wait()
    credentials = AwsCredentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    return lambda service: account.client(service, credentials)


def _allowed_in_the_end(account: Account, client: Client, attempt: Try) -> bool:
    for _ in range(_TRIES):
        if _is_allowed(client, attempt):
            return True
        account.wait()
    return False


def _is_allowed(client: Client, attempt: Try) -> bool:
    try:
        attempt(client)
    except ClientError as error:
        if error.response["Error"]["Code"] in _DENIALS:
            return False
        raise
    return True
