"""A private bucket: no public access, encrypted, TLS only, with an expiry for whatever should not stay."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from pipeline import policies

_OLD_VERSIONS_DAYS = 30
_UNFINISHED_UPLOADS_DAYS = 1


class PrivateBucket(pulumi.ComponentResource):
    """A bucket with its access, encryption and lifecycle configuration.

    Args:
        name: name of the resource.
        versioned: whether S3 keeps overwritten and deleted objects for 30 days.
        expiry_days: how many days objects are kept, by prefix; where prefixes overlap, S3 applies the shorter expiry.
        force_destroy: whether the bucket may be destroyed, with the objects in it. If not, it is protected with all its
            settings: Pulumi deletes a bucket last, so a destroy that AWS then refuses would leave the data without
            their access block, encryption, versions and expiry.
        kms_key_arn: the user's own key; if empty, S3 encrypts with its own.
    """

    def __init__(
        self,
        name: str,
        *,
        versioned: bool,
        expiry_days: Mapping[str, int],
        force_destroy: bool,
        kms_key_arn: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        protected = pulumi.ResourceOptions(protect=not force_destroy)
        super().__init__("spotify-etl:index:Bucket", name, None, pulumi.ResourceOptions.merge(opts, protected))
        child = pulumi.ResourceOptions(parent=self)
        self.bucket = aws.s3.Bucket(name, force_destroy=force_destroy, opts=child)
        self.arn: pulumi.Output[str] = self.bucket.arn
        self.name: pulumi.Output[str] = self.bucket.bucket
        access = aws.s3.BucketPublicAccessBlock(
            name,
            bucket=self.name,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child,
        )
        aws.s3.BucketOwnershipControls(
            name, bucket=self.name, rule={"object_ownership": "BucketOwnerEnforced"}, opts=child
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            name,
            bucket=self.name,
            rules=[_encryption(kms_key_arn)],
            opts=child,
        )
        versioning = []
        if versioned:
            versioning.append(
                aws.s3.BucketVersioning(
                    name, bucket=self.name, versioning_configuration={"status": "Enabled"}, opts=child
                )
            )
        aws.s3.BucketLifecycleConfiguration(
            name,
            bucket=self.name,
            rules=[_expiry(prefix, days) for prefix, days in sorted(expiry_days.items())] + [_leftovers(versioned)],
            # S3 needs versioning to be enabled before a rule refers to old versions.
            opts=pulumi.ResourceOptions(parent=self, depends_on=versioning),
        )
        self.policy = aws.s3.BucketPolicy(
            name,
            bucket=self.name,
            policy=policies.render(policies.bucket, bucket=self.arn),
            # S3 rejects concurrent changes to a bucket's access.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[access]),
        )
        self.register_outputs({"arn": self.arn, "name": self.name})


def _encryption(kms_key_arn: pulumi.Input[str]) -> aws.s3.BucketServerSideEncryptionConfigurationRuleArgsDict:
    # Nobody can encrypt an object with a key that only they have:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/blocking-unblocking-s3-c-encryption-gpb.html.
    blocked: aws.s3.BucketServerSideEncryptionConfigurationRuleArgsDict = {"blocked_encryption_types": ["SSE-C"]}
    if not kms_key_arn:
        return blocked | {"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}
    return blocked | {
        "apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": kms_key_arn},
        # A single KMS call then covers many objects.
        "bucket_key_enabled": True,
    }


def _expiry(prefix: str, days: int) -> aws.s3.BucketLifecycleConfigurationRuleArgsDict:
    return {
        "id": f"expire-{prefix.strip('/').replace('/', '-') or 'all'}",
        "status": "Enabled",
        "filter": {"prefix": prefix},
        "expiration": {"days": days},
    }


def _leftovers(versioned: bool) -> aws.s3.BucketLifecycleConfigurationRuleArgsDict:
    """Return the rule that removes unfinished uploads and, on a versioned bucket, what expiry only hides."""
    rule: aws.s3.BucketLifecycleConfigurationRuleArgsDict = {
        "id": "left-overs",
        "status": "Enabled",
        "filter": {"prefix": ""},
        "abort_incomplete_multipart_upload": {"days_after_initiation": _UNFINISHED_UPLOADS_DAYS},
    }
    if versioned:
        rule["noncurrent_version_expiration"] = {"noncurrent_days": _OLD_VERSIONS_DAYS}
        rule["expiration"] = {"expired_object_delete_marker": True}
    return rule
