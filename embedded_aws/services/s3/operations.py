"""S3 requests: operation → action and resource ARNs.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

from __future__ import annotations

import re
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from embedded_aws.iam.operation import Operation, UnsupportedOperationError
from embedded_aws.iam.policies import AuthorizationRequest
from embedded_aws.server.ambiguity import check_parameters
from embedded_aws.server.errors import InvalidArgumentError, RejectedRequestError
from embedded_aws.server.requests import AwsRequest
from embedded_aws.server.service_models import route
from embedded_aws.services.s3.encryption import kms_checks
from loopback.server import LOOPBACK_NAMES

OWN_ACTIONS = frozenset(
    {
        "AbortMultipartUpload",
        "CreateBucket",
        "DeleteBucket",
        "DeleteBucketPolicy",
        "DeleteObject",
        "DeleteObjectTagging",
        "GetBucketAcl",
        "GetBucketLocation",
        "GetBucketLogging",
        "GetBucketOwnershipControls",
        "GetBucketPolicy",
        "GetBucketPolicyStatus",
        "GetBucketTagging",
        "GetBucketVersioning",
        "GetObject",
        "GetObjectAcl",
        "GetObjectAttributes",
        "GetObjectTagging",
        "PutBucketOwnershipControls",
        "PutBucketPolicy",
        "PutBucketTagging",
        "PutBucketVersioning",
        "PutObject",
        "PutObjectAcl",
        "PutObjectTagging",
    }
)
"""Operations whose action has the same name."""

OTHER_ACTIONS = {
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}
"""Other operations → action; an operation in neither table is denied to everyone but the account's owner."""

CONTEXT_HEADERS = (
    "if-match",
    "if-none-match",
    "x-amz-acl",
    "x-amz-copy-source",
    "x-amz-metadata-directive",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-storage-class",
)
"""Headers that are condition keys `s3:<header>`."""

CONTEXT_PARAMETERS = {"delimiter": "delimiter", "max-keys": "max-keys", "prefix": "prefix", "versionId": "versionid"}
"""Query parameter → condition key `s3:<key>`."""

# The only form of a copy source that is accepted; moto also takes a URL or an ARN.
_COPY_SOURCE = re.compile(
    r"/?(?P<bucket>[A-Za-z0-9._-]+)/(?P<key>[^?#;]+)(\?versionId=(?P<version>[\w.-]+))?", re.ASCII
)
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


class MalformedXmlError(RejectedRequestError):
    """The body is not the XML that the operation takes."""

    s3 = ("MalformedXML", 400)

    def __init__(self) -> None:
        super().__init__("The XML you provided was not well-formed or did not validate against our published schema")


def s3_operation(request: AwsRequest) -> Operation:
    """Return what an S3 request does.

    Raises:
        UnsupportedOperationError: the operation is not in the tables, or the request is ambiguous.
        RejectedRequestError: a part of it that names objects cannot be parsed.
    """
    if request.host.rpartition(":")[0].lower() not in LOOPBACK_NAMES:
        raise UnsupportedOperationError(f"S3 addressed by host {request.host} (address buckets by path)")
    bucket, _, key = request.path.removeprefix("/").partition("/")
    name, in_path = route(request)
    # moto takes bucket and key from the path, not from its router.
    if in_path != {part: value for part, value in (("Bucket", bucket), ("Key", key)) if value}:
        raise UnsupportedOperationError(f"S3 {name} at the path {request.path}")
    check_parameters(request, name)
    if name == "ListBuckets":
        return Operation(name=name, checks=(AuthorizationRequest("s3:ListAllMyBuckets", "*"),))
    if name == "DeleteObjects":
        return _delete_objects(request, bucket)
    action = name if name in OWN_ACTIONS else OTHER_ACTIONS.get(name)
    if action is None:
        raise UnsupportedOperationError(f"S3 {name}")
    if key:
        return _object_operation(request, bucket, key, name, action)
    check = AuthorizationRequest(f"s3:{action}", _arn(bucket), _context(request))
    return Operation(name=name, checks=(check,), buckets=() if name == "CreateBucket" else (bucket,))


def _object_operation(request: AwsRequest, bucket: str, key: str, name: str, action: str) -> Operation:
    version = request.query.get("versionId")
    resource, context = _arn(bucket, key), _context(request)
    versioned = action.replace("Object", "ObjectVersion") if version else action
    checks = [AuthorizationRequest(f"s3:{versioned}", resource, context)]
    buckets = [bucket]
    reads = [(bucket, key, version)] if action == "GetObject" else []
    if name == "GetObjectAttributes":
        checks.append(AuthorizationRequest("s3:GetObjectVersion" if version else "s3:GetObject", resource, context))
        reads.append((bucket, key, version))
    if name in {"PutObject", "CopyObject", "DeleteObject"} and "if-match" in request.headers:
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html: If-Match reads the object too.
        checks.append(AuthorizationRequest("s3:GetObject", resource, context))
    if "x-amz-tagging" in request.headers:
        checks.append(AuthorizationRequest("s3:PutObjectTagging", resource, context))
    if "x-amz-acl" in request.headers:
        checks.append(AuthorizationRequest("s3:PutObjectAcl", resource, context))
    if request.method == "PUT" and "x-amz-copy-source" in request.headers:
        source = _COPY_SOURCE.fullmatch(request.headers["x-amz-copy-source"])
        if source is None:
            raise InvalidArgumentError("Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
        source_bucket, source_key, source_version = source["bucket"], unquote(source["key"]), source["version"]
        source_action = "s3:GetObjectVersion" if source_version else "s3:GetObject"
        checks.append(AuthorizationRequest(source_action, _arn(source_bucket, source_key), context))
        buckets.append(source_bucket)
        reads.append((source_bucket, source_key, source_version))
    writes = [(bucket, key)] if action == "PutObject" else []
    checks += kms_checks(request, reads, writes)
    return Operation(name=name, checks=tuple(checks), buckets=tuple(buckets), reads=tuple(reads))


def _delete_objects(request: AwsRequest, bucket: str) -> Operation:
    """Return one check per key: DeleteObjects succeeds and lists the denied keys."""
    checks = []
    for fields in _objects_to_delete(request.body):
        action = "s3:DeleteObjectVersion" if fields.get("VersionId") else "s3:DeleteObject"
        checks.append(AuthorizationRequest(action, _arn(bucket, fields["Key"]), _context(request)))
    return Operation(name="DeleteObjects", checks=tuple(checks), buckets=(bucket,), partial=True)


def _objects_to_delete(body: bytes) -> list[dict[str, str]]:
    """Return the fields of each object that DeleteObjects names.

    Raises:
        MalformedXmlError: the body has another form, or repeats an element.
    """
    try:
        root = ET.fromstring(body)  # noqa: S314 - expat limits how far entities expand
    except ET.ParseError:
        raise MalformedXmlError from None
    found = []
    for entry in root:
        if _name(entry) == "Quiet":
            continue
        fields = {_name(child): child.text or "" for child in entry}
        if _name(entry) != "Object" or "Key" not in fields or len(fields) < len(entry) or any(map(len, entry)):
            raise MalformedXmlError
        found.append(fields)
    if _name(root) != "Delete" or not found:
        raise MalformedXmlError
    return found


def _name(element: ET.Element) -> str:
    """Return an element's name without S3's namespace, but with any other."""
    return str(element.tag).removeprefix(f"{{{_NAMESPACE}}}")


def _context(request: AwsRequest) -> dict[str, str]:
    """Return the S3 condition keys of a request."""
    context = {f"s3:{name}": request.headers[name] for name in CONTEXT_HEADERS if name in request.headers}
    return context | {
        f"s3:{key}": request.query[name] for name, key in CONTEXT_PARAMETERS.items() if name in request.query
    }


def _arn(bucket: str, key: str | None = None) -> str:
    return f"arn:aws:s3:::{bucket}" if key is None else f"arn:aws:s3:::{bucket}/{key}"
