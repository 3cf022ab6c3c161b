"""S3 buckets, their settings and objects."""

from __future__ import annotations

from typing import Any

from embedded_aws.pulumi_mocks.arguments import Arguments, capital
from embedded_aws.pulumi_mocks.resource import Create, Created, Resource, tag_list


def _bucket(resource: Resource) -> Created:
    name = resource.physical_name("bucket", longest=63)
    region = resource.account.region
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3 = resource.account.client("s3")
    s3.create_bucket(Bucket=name, **where)
    if tags := resource.tags():
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_list(tags)})
    return name, {
        "arn": f"arn:aws:s3:::{name}",
        "bucket": name,
        "bucketDomainName": f"{name}.s3.amazonaws.com",
        "bucketRegion": region,
        "bucketRegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
    }


def _public_access_block(resource: Resource) -> Created:
    bucket = resource.arguments.take("bucket")
    names = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    block = {capital(name): False for name in names} | resource.arguments.request(*names)
    resource.account.client("s3").put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)
    return bucket, {}


def _ownership_controls(resource: Resource) -> Created:
    bucket = resource.arguments.take("bucket")
    rule = resource.arguments.api("rule")
    resource.account.client("s3").put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [rule]})
    return bucket, {}


def _encryption(resource: Resource) -> Created:
    bucket = resource.arguments.take("bucket")
    rules = []
    for rule in resource.arguments.blocks("rules"):
        found = rule.request("bucketKeyEnabled")
        if blocked := rule.take("blockedEncryptionTypes"):
            found["BlockedEncryptionTypes"] = {"EncryptionType": blocked}
        if default := rule.block("applyServerSideEncryptionByDefault"):
            found["ApplyServerSideEncryptionByDefault"] = default.request(
                sseAlgorithm="SSEAlgorithm", kmsMasterKeyId="KMSMasterKeyID"
            )
        rules.append(found)
    resource.account.client("s3").put_bucket_encryption(
        Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules}
    )
    return bucket, {}


def _versioning(resource: Resource) -> Created:
    bucket = resource.arguments.take("bucket")
    versioning = resource.arguments.block("versioningConfiguration")
    resource.account.client("s3").put_bucket_versioning(
        Bucket=bucket, VersioningConfiguration=versioning.request("status", mfaDelete="MFADelete") if versioning else {}
    )
    return bucket, {}


def _lifecycle(resource: Resource) -> Created:
    bucket = resource.arguments.take("bucket")
    rules = [_lifecycle_rule(rule) for rule in resource.arguments.blocks("rules")]
    resource.account.client("s3").put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration={"Rules": rules}
    )
    return bucket, {}


def _lifecycle_rule(rule: Arguments) -> dict[str, Any]:
    found = rule.request(
        "status",
        "expiration",
        "noncurrentVersionExpiration",
        "abortIncompleteMultipartUpload",
        "transitions",
        "noncurrentVersionTransitions",
        id="ID",
    )
    filtered = rule.block("filter")
    found["Filter"] = {"Prefix": ""} if filtered is None else _lifecycle_filter(filtered)
    return found


def _lifecycle_filter(given: Arguments) -> dict[str, Any]:
    names = ("objectSizeGreaterThan", "objectSizeLessThan", "prefix", "tag")
    found = given.request(*names)
    if both := given.block("and"):
        found["And"] = both.request("objectSizeGreaterThan", "objectSizeLessThan", "prefix")
        if tags := both.take("tags"):
            found["And"]["Tags"] = tag_list(tags)
    return found or {"Prefix": ""}


def _policy(resource: Resource) -> Created:
    bucket = resource.arguments.take("bucket")
    resource.account.client("s3").put_bucket_policy(Bucket=bucket, Policy=resource.arguments.take("policy"))
    return bucket, {}


def _notification(resource: Resource) -> Created:
    arguments = resource.arguments
    bucket = arguments.take("bucket")
    configuration: dict[str, Any] = {}
    for argument, arn, part, parameter in (
        ("queues", "queueArn", "QueueConfigurations", "QueueArn"),
        ("topics", "topicArn", "TopicConfigurations", "TopicArn"),
        ("lambdaFunctions", "lambdaFunctionArn", "LambdaFunctionConfigurations", "LambdaFunctionArn"),
    ):
        if found := [_destination(block, arn, parameter) for block in arguments.blocks(argument)]:
            configuration[part] = found
    if arguments.take("eventbridge"):
        configuration["EventBridgeConfiguration"] = {}
    resource.account.client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration=configuration
    )
    return bucket, {}


def _destination(block: Arguments, arn: str, parameter: str) -> dict[str, Any]:
    found = block.request("events", id="Id", **{arn: parameter})
    rules = [
        {"Name": name, "Value": value}
        for name, value in (("prefix", block.take("filterPrefix")), ("suffix", block.take("filterSuffix")))
        if value
    ]
    return found | ({"Filter": {"Key": {"FilterRules": rules}}} if rules else {})


def _object(resource: Resource) -> Created:
    arguments = resource.arguments
    bucket, key = arguments.take("bucket"), arguments.take("key")
    content = arguments.take("content")
    more = arguments.request("contentType", "contentEncoding", "cacheControl", metadata="Metadata")
    etag = resource.account.client("s3").put_object(Bucket=bucket, Key=key, Body=(content or "").encode(), **more)[
        "ETag"
    ]
    return f"{bucket}/{key}", {"arn": f"arn:aws:s3:::{bucket}/{key}", "etag": etag.strip('"')}


RESOURCES: dict[str, Create] = {
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _lifecycle,
    "aws:s3/bucketNotification:BucketNotification": _notification,
    "aws:s3/bucketObjectv2:BucketObjectv2": _object,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _ownership_controls,
    "aws:s3/bucketPolicy:BucketPolicy": _policy,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _public_access_block,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _encryption,
    "aws:s3/bucketVersioning:BucketVersioning": _versioning,
}

NOT_APPLIED = {
    "aws:s3/bucket:Bucket": {"forceDestroy": "affects only deletion, and the embedded AWS is deleted as a whole"},
}
