"""S3 requests: method, path and sub-resource → what they need.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

from __future__ import annotations

import re
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from embedded_aws.iam.operation import Operation, UnsupportedOperationError
from embedded_aws.iam.policies import AuthorizationRequest
from embedded_aws.server.errors import InvalidArgumentError, RejectedRequestError
from embedded_aws.server.requests import AwsRequest
from embedded_aws.server.signatures import AUTHENTICATION_PARAMETERS
from embedded_aws.services.s3.encryption import kms_checks
from loopback.server import LOOPBACK_NAMES

BUCKET_ACTIONS = {
    ("GET", "acl"): "GetBucketAcl",
    ("GET", "cors"): "GetBucketCORS",
    ("GET", "encryption"): "GetEncryptionConfiguration",
    ("GET", "lifecycle"): "GetLifecycleConfiguration",
    ("GET", "location"): "GetBucketLocation",
    ("GET", "logging"): "GetBucketLogging",
    ("GET", "notification"): "GetBucketNotification",
    ("GET", "object-lock"): "GetBucketObjectLockConfiguration",
    ("GET", "ownershipControls"): "GetBucketOwnershipControls",
    ("GET", "policy"): "GetBucketPolicy",
    ("GET", "policyStatus"): "GetBucketPolicyStatus",
    ("GET", "publicAccessBlock"): "GetBucketPublicAccessBlock",
    ("GET", "tagging"): "GetBucketTagging",
    ("GET", "uploads"): "ListBucketMultipartUploads",
    ("GET", "versioning"): "GetBucketVersioning",
    ("GET", "versions"): "ListBucketVersions",
    ("GET", ""): "ListBucket",
    ("HEAD", ""): "ListBucket",
    ("PUT", ""): "CreateBucket",
    ("PUT", "encryption"): "PutEncryptionConfiguration",
    ("PUT", "lifecycle"): "PutLifecycleConfiguration",
    ("PUT", "notification"): "PutBucketNotification",
    ("PUT", "ownershipControls"): "PutBucketOwnershipControls",
    ("PUT", "policy"): "PutBucketPolicy",
    ("PUT", "publicAccessBlock"): "PutBucketPublicAccessBlock",
    ("PUT", "tagging"): "PutBucketTagging",
    ("PUT", "versioning"): "PutBucketVersioning",
    ("DELETE", ""): "DeleteBucket",
    ("DELETE", "encryption"): "PutEncryptionConfiguration",
    ("DELETE", "lifecycle"): "PutLifecycleConfiguration",
    ("DELETE", "policy"): "DeleteBucketPolicy",
    ("DELETE", "publicAccessBlock"): "PutBucketPublicAccessBlock",
    ("DELETE", "tagging"): "PutBucketTagging",
}
"""(method, sub-resource) of a bucket → action."""

OBJECT_ACTIONS = {
    ("GET", ""): ("GetObject", "GetObjectVersion"),
    ("HEAD", ""): ("GetObject", "GetObjectVersion"),
    ("GET", "acl"): ("GetObjectAcl", "GetObjectVersionAcl"),
    ("GET", "attributes"): ("GetObjectAttributes", "GetObjectVersionAttributes"),
    ("GET", "tagging"): ("GetObjectTagging", "GetObjectVersionTagging"),
    ("GET", "uploadId"): ("ListMultipartUploadParts", None),
    ("PUT", ""): ("PutObject", None),
    ("PUT", "acl"): ("PutObjectAcl", "PutObjectVersionAcl"),
    ("PUT", "tagging"): ("PutObjectTagging", "PutObjectVersionTagging"),
    ("PUT", "uploadId"): ("PutObject", None),
    ("POST", "uploads"): ("PutObject", None),
    ("POST", "uploadId"): ("PutObject", None),
    ("DELETE", ""): ("DeleteObject", "DeleteObjectVersion"),
    ("DELETE", "tagging"): ("DeleteObjectTagging", "DeleteObjectVersionTagging"),
    ("DELETE", "uploadId"): ("AbortMultipartUpload", None),
}
"""(method, sub-resource) of an object → action, and action where the request names a version."""

PLAIN_PARAMETERS = frozenset(
    {
        "allow-unordered",
        "bucket-region",
        "continuation-token",
        "delimiter",
        "encoding-type",
        "fetch-owner",
        "key-marker",
        "list-type",
        "marker",
        "max-buckets",
        "max-keys",
        "max-parts",
        "max-uploads",
        "part-number-marker",
        "partNumber",
        "prefix",
        "start-after",
        "upload-id-marker",
        "version-id-marker",
        "X-Amz-Content-Sha256",
        "X-Amz-User-Agent",
        "x-amz-checksum-mode",
        "versionId",
        "x-id",
    }
)
"""Query parameters that choose no other operation; likewise those of a presigned address, and all of `response-…`."""

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


# Of a copy's source, which may be a URL or an ARN to moto, only this form.
_COPY_SOURCE = re.compile(
    r"/?(?P<bucket>[A-Za-z0-9._-]+)/(?P<key>[^?#;]+)(\?versionId=(?P<version>[\w.-]+))?", re.ASCII
)
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


class MalformedXmlError(RejectedRequestError):
    """A body that is not the XML that its operation takes."""

    s3 = ("MalformedXML", 400)

    def __init__(self) -> None:
        super().__init__("The XML you provided was not well-formed or did not validate against our published schema")


def s3_operation(request: AwsRequest) -> Operation:
    """Tell what an S3 request needs.

    Raises:
        UnsupportedOperationError: the request is of a kind not listed here.
        RejectedRequestError: a part of it that names objects cannot be read.
    """
    if request.host.rpartition(":")[0].lower() not in LOOPBACK_NAMES:
        raise UnsupportedOperationError(f"S3 addressed by host {request.host} (address buckets by path)")
    bucket, _, key = request.path.removeprefix("/").partition("/")
    subresource = _subresource(request)
    if not bucket:
        if request.method != "GET" or subresource:
            raise UnsupportedOperationError(f"S3 {request.method} of {subresource or 'all buckets'}")
        return Operation("ListBuckets", (AuthorizationRequest("s3:ListAllMyBuckets", "*"),))
    if request.method == "POST" and subresource == "delete" and not key:
        return _delete_objects(request, bucket)
    if not key:
        action = BUCKET_ACTIONS.get((request.method, subresource))
        if action is None:
            raise UnsupportedOperationError(f"S3 {request.method} of a bucket's {subresource or 'root'}")
        check = AuthorizationRequest(f"s3:{action}", _arn(bucket), _context(request))
        return Operation(action, (check,), buckets=() if action == "CreateBucket" else (bucket,))
    return _object_operation(request, bucket, key, subresource)


def _object_operation(request: AwsRequest, bucket: str, key: str, subresource: str) -> Operation:
    actions = OBJECT_ACTIONS.get((request.method, subresource))
    if actions is None:
        raise UnsupportedOperationError(f"S3 {request.method} of an object's {subresource or 'content'}")
    version = request.query.get("versionId")
    action = actions[1] if version and actions[1] else actions[0]
    resource, context = _arn(bucket, key), _context(request)
    checks = [AuthorizationRequest(f"s3:{action}", resource, context)]
    buckets = [bucket]
    reads = [(bucket, key, version)] if actions[0] == "GetObject" else []
    if "attributes" in request.query:
        checks.append(AuthorizationRequest("s3:GetObjectVersion" if version else "s3:GetObject", resource, context))
        reads.append((bucket, key, version))
    if request.method in {"PUT", "DELETE"} and not subresource and "if-match" in request.headers:
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
        source_bucket, source_key, version = source["bucket"], unquote(source["key"]), source["version"]
        source_action = "s3:GetObjectVersion" if version else "s3:GetObject"
        checks.append(AuthorizationRequest(source_action, _arn(source_bucket, source_key), context))
        buckets.append(source_bucket)
        reads.append((source_bucket, source_key, version))
    writes = [(bucket, key)] if action == "PutObject" else []
    checks += kms_checks(request, reads, writes)
    return Operation(action, tuple(checks), buckets=tuple(buckets), reads=tuple(reads))


def _delete_objects(request: AwsRequest, bucket: str) -> Operation:
    """Ask for each key apart: DeleteObjects answers 200 and lists those that are refused."""
    checks = []
    for fields in _objects_to_delete(request.body):
        action = "s3:DeleteObjectVersion" if fields.get("VersionId") else "s3:DeleteObject"
        checks.append(AuthorizationRequest(action, _arn(bucket, fields["Key"]), _context(request)))
    return Operation("DeleteObjects", tuple(checks), buckets=(bucket,), partial=True)


def _objects_to_delete(body: bytes) -> list[dict[str, str]]:
    """Return the fields of each object that DeleteObjects names.

    Raises:
        MalformedXmlError: the body is not of that form, or names something twice.
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
    """Return an element's name without S3's namespace; of another one with it."""
    return str(element.tag).removeprefix(f"{{{_NAMESPACE}}}")


def _subresource(request: AwsRequest) -> str:
    names = {
        name
        for name in request.query
        if name not in PLAIN_PARAMETERS | AUTHENTICATION_PARAMETERS and not name.startswith("response-")
    }
    if len(names) > 1:
        raise UnsupportedOperationError(f"S3 with the parameters {', '.join(sorted(names))} at once")
    return names.pop() if names else ""


def _context(request: AwsRequest) -> dict[str, str]:
    """Return the S3 condition keys of a request."""
    context = {f"s3:{name}": request.headers[name] for name in CONTEXT_HEADERS if name in request.headers}
    context |= {
        f"s3:{name}": request.query[name] for name in ("delimiter", "max-keys", "prefix") if name in request.query
    }
    if "versionId" in request.query:
        context["s3:versionid"] = request.query["versionId"]
    return context


def _arn(bucket: str, key: str | None = None) -> str:
    return f"arn:aws:s3:::{bucket}" if key is None else f"arn:aws:s3:::{bucket}/{key}"
