"""Checks of what is deployed: buckets, functions, queues, workgroup, keys and permissions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta

from botocore.exceptions import ClientError

from cli.doctor.check import Check
from cli.function_logs import read_lines
from cli.pipeline_functions import FUNCTIONS, DeployedFunction, deployed_function
from cli.presentation import pluralize
from cli.targets import Target
from cli.text import quoted

_KEY_ACTIONS = ["kms:Decrypt", "kms:GenerateDataKey"]
_BUCKETS = ("raw", "transformed", "athena_results")


def check_caller(target: Target) -> Iterator[Check]:
    """Yield who the credentials belong to, and the region."""
    caller = target.client("sts").get_caller_identity()
    yield Check("ok", "Credentials", f"{caller['Arn']} in the account {caller['Account']}")
    region = target.outputs["region"]
    given = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    other = f"; commands use it whatever AWS_REGION says ({given})" if given and given != region else ""
    yield Check("ok", "Region", f"{region}{other}")


def check_buckets(target: Target) -> Iterator[Check]:
    """Yield whether each bucket answers."""
    s3 = target.client("s3")
    for kind in _BUCKETS:
        name = target.outputs[f"{kind}_bucket_name"]
        try:
            s3.head_bucket(Bucket=name)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchBucket"):
                yield Check("fail", "Bucket", f"{name} does not exist: run `pulumi refresh`, then `pulumi up`.")
                continue
            advice = "your credentials may not list it, or its policy or key denies it"
            yield Check("fail", "Bucket", f"{name} does not answer ({quoted(error).rstrip('.')}): {advice}.")
        else:
            yield Check("ok", "Bucket", name)


def check_functions(target: Target) -> Iterator[Check]:
    """Yield whether each function can run."""
    for step in FUNCTIONS:
        name = target.output(f"{step}_function_name")
        found = target.client("lambda").get_function_configuration(FunctionName=name)
        state, update = found.get("State", "Active"), found.get("LastUpdateStatus", "Successful")
        if state in ("Active", "Inactive") and update != "Failed":
            yield Check("ok", "Function", name)
        else:
            why = found.get("StateReason") or found.get("LastUpdateStatusReason") or state
            yield Check("fail", "Function", f"{name} cannot run ({quoted(why).rstrip('.')}): run `pulumi up`.")


def check_workgroup(target: Target) -> Iterator[Check]:
    """Yield whether queries can run."""
    name = target.outputs["athena_workgroup_name"]
    found = target.client("athena").get_work_group(WorkGroup=name)["WorkGroup"]
    location = found.get("Configuration", {}).get("ResultConfiguration", {}).get("OutputLocation", "")
    if found.get("State", "ENABLED") != "ENABLED":
        yield Check("fail", "Workgroup", f"{name} is disabled: enable it in the Athena console, or run `pulumi up`.")
    elif not location.startswith(f"s3://{target.outputs['athena_results_bucket_name']}/"):
        yield Check("fail", "Workgroup", f"{name} writes results to {location or 'no bucket'}: run `pulumi up`.")
    else:
        yield Check("ok", "Workgroup", name)


def check_catalog(target: Target) -> Iterator[Check]:
    """Yield whether the tables are there, and whether the crawler still fills them."""
    database = target.outputs["glue_database_name"]
    glue = target.client("glue")
    tables = [
        table
        for page in glue.get_paginator("get_tables").paginate(DatabaseName=database)
        for table in page["TableList"]
    ]
    old = [table["Name"] for table in tables if "DEPRECATED_BY_CRAWLER" in table.get("Parameters", {})]
    if old:
        yield Check(
            "fail",
            "Tables",
            f"The crawler has marked {', '.join(old)} as deprecated: delete the table in Glue, and run "
            "`spotify-etl crawl`, which creates it again.",
        )
    elif tables:
        yield Check("ok", "Tables", f"{pluralize(len(tables), 'table')} and views in {database}")
    else:
        yield Check("warn", "Tables", f"{database} is empty: run `spotify-etl crawl`, which creates them.")
    last = glue.get_crawler(Name=target.outputs["glue_crawler_name"])["Crawler"].get("LastCrawl", {})
    if last.get("Status") == "FAILED":
        why = quoted(last.get("ErrorMessage") or "AWS gives no reason").rstrip(".")
        yield Check(
            "fail", "Crawler", f"The last crawl failed ({why}): run `spotify-etl crawl` when the cause is gone."
        )
    else:
        yield Check("ok", "Crawler", f"last crawl: {str(last.get('Status', 'none so far')).lower()}")


def check_key(target: Target) -> Iterator[Check]:
    """Yield whether the functions may use the stack's own key, if it has one."""
    s3, bucket = target.client("s3"), target.outputs["raw_bucket_name"]
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    key = rules[0]["ApplyServerSideEncryptionByDefault"].get("KMSMasterKeyID") if rules else None
    if not key:
        yield Check("ok", "KMS key", "none: S3 encrypts with keys of its own")
        return
    state = target.client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"]
    if state != "Enabled":
        yield Check("fail", "KMS key", f"{key} is {state}: enable it, or no data can be read.")
        return
    for step in FUNCTIONS:
        role = deployed_function(target, step).role
        answer = target.client("iam").simulate_principal_policy(
            PolicySourceArn=role, ActionNames=_KEY_ACTIONS, ResourceArns=[key]
        )
        denied = [one["EvalActionName"] for one in answer["EvaluationResults"] if one["EvalDecision"] != "allowed"]
        if denied:
            yield Check("fail", "KMS key", f"{role} may not call {', '.join(denied)} on {key}: run `pulumi up`.")
        else:
            yield Check(
                "ok", "KMS key", f"the role of {step} may use {key}, if the key's own policy allows the account"
            )


def check_lake_formation(target: Target) -> Iterator[Check]:
    """Yield whether IAM alone decides who may use new tables, as the functions' roles expect."""
    settings = target.client("lakeformation").get_data_lake_settings()["DataLakeSettings"]
    for kind in ("Database", "Table"):
        defaults = settings.get(f"Create{kind}DefaultPermissions", [])
        principals = {one.get("Principal", {}).get("DataLakePrincipalIdentifier") for one in defaults}
        if "IAM_ALLOWED_PRINCIPALS" not in principals:
            yield Check(
                "warn",
                "Lake Formation",
                f"New {kind.lower()}s are not open to IAM alone: grant the crawler's and the functions' roles access "
                "in Lake Formation, or set the default permission IAM_ALLOWED_PRINCIPALS and run `spotify-etl crawl`.",
            )
            return
    yield Check("ok", "Lake Formation", "IAM alone decides who may use new databases and tables")


def check_dead_letters(target: Target) -> Iterator[Check]:
    """Yield how many messages were given up."""
    sqs, name = target.client("sqs"), "ApproximateNumberOfMessages"
    found = {
        step: int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"].get(name, 0))
        for step, url in target.outputs["dead_letter_queue_urls"].items()
    }
    if not any(found.values()):
        yield Check("ok", "Dead letters", "none")
    for step, count in found.items():
        if count:
            advice = "`spotify-etl status` says what to do"
            yield Check("warn", "Dead letters", f"{pluralize(count, 'message')} of {step}: {advice}.")


def check_errors(target: Target) -> Iterator[Check]:
    """Yield the newest error that each function logged in the last day."""
    logs = target.client("logs")
    for step in FUNCTIONS:
        function: DeployedFunction = deployed_function(target, step)
        since = function.asked_at - timedelta(days=1)
        lines = [
            line
            for line in read_lines(logs, step, function.log_group, since=since)
            if line.level in ("ERROR", "CRITICAL")
        ]
        if lines:
            newest = max(lines, key=lambda line: line.at)
            reason = newest.fields.get("reason") or newest.fields.get("error") or ""
            text = quoted(f"{newest.message.rstrip('.')}{f' ({reason})' if reason else ''}")
            yield Check(
                "warn",
                "Log",
                f"{step}: {pluralize(len(lines), 'error')} within a day, the last at {newest.at:%Y-%m-%d %H:%M} UTC: "
                f"{text}; see `spotify-etl logs --function {step} --since 1d`.",
            )
        else:
            yield Check("ok", "Log", f"{step}: no error within a day")
