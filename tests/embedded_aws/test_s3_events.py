"""Event messages of S3, read by Powertools."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes import S3Event

from tests.embedded_aws.stage import ACCOUNT, REGION, Stage

EVENTS = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectTagging:*"]


@pytest.fixture
def notified(stage: Stage) -> tuple[Stage, str]:
    """Return a stage with a bucket and the URL of the queue that is notified."""
    url, arn = stage.queue(
        "events",
        Policy={
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "s3.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": "*",
                }
            ],
        },
    )
    s3 = stage.client("s3")
    s3.create_bucket(Bucket="things", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_bucket_notification_configuration(
        Bucket="things",
        NotificationConfiguration={"QueueConfigurations": [{"Id": "all", "QueueArn": arn, "Events": EVENTS}]},
    )
    return stage, url


def records(notified: tuple[Stage, str]) -> list[dict[str, Any]]:
    """Return the records of all messages but the test event, oldest first."""
    stage, url = notified
    bodies = [json.loads(message["Body"]) for message in stage.messages(url)]
    found = [record for body in bodies for record in body.get("Records", [])]
    return sorted(found, key=lambda record: str(record["s3"]["object"]["sequencer"]))


@pytest.mark.parametrize(
    ("key", "encoded"),
    [
        ("raw/dt=2026-11-23/one two.json", "raw/dt%3D2026-11-23/one+two.json"),
        ("a+b/ü.json", "a%2Bb/%C3%BC.json"),
    ],
)
def test_keys_are_encoded_except_for_slashes(notified: tuple[Stage, str], key: str, encoded: str) -> None:
    notified[0].client("s3").put_object(Bucket="things", Key=key, Body=b"1")
    (record,) = records(notified)
    assert record["s3"]["object"]["key"] == encoded


def test_a_message_says_what_aws_documents(notified: tuple[Stage, str]) -> None:
    notified[0].client("s3").put_object(Bucket="things", Key="one.json", Body=b"12")
    (record,) = records(notified)
    assert record["eventTime"].startswith("2026-11-23T06:00:")
    event = next(S3Event({"Records": [record]}).records)
    assert (event.event_name, event.aws_region) == ("ObjectCreated:Put", REGION)
    assert event.user_identity.principal_id == f"AWS:{ACCOUNT}"
    assert event.request_parameters.source_ip_address == "127.0.0.1"
    assert event.response_elements["x-amz-request-id"] != event.response_elements["x-amz-id-2"]
    assert (event.s3.configuration_id, event.s3.bucket.name) == ("all", "things")
    assert (event.s3.bucket.arn, event.s3.bucket.owner_identity.principal_id) == ("arn:aws:s3:::things", ACCOUNT)
    assert (event.s3.get_object.size, event.s3.get_object.etag) == (2, "c20ad4d76fe97759aa27a0c99bff6710")
    assert event.s3.get_object.version_id is None


def test_a_caller_is_named_by_its_unique_id(notified: tuple[Stage, str]) -> None:
    stage, _ = notified
    role = stage.role("writer", "lambda.amazonaws.com", {"Action": ["logs:*", "s3:*"], "Resource": "*"})
    put = "boto3.client('s3').put_object(Bucket='things', Key='one', Body=b'1')"
    stage.function("writer", f"import boto3\ndef handler(event, context): {put}\n", Role=role)
    assert "FunctionError" not in stage.invoke("writer")
    (record,) = records(notified)
    unique = stage.client("iam").get_role(RoleName="writer")["Role"]["RoleId"]
    assert record["userIdentity"] == {"principalId": f"AWS:{unique}:writer"}


def test_sequencers_tell_which_event_came_later(notified: tuple[Stage, str]) -> None:
    s3 = notified[0].client("s3")
    for body in (b"1", b"22", b"333"):
        s3.put_object(Bucket="things", Key="one", Body=body)
    s3.delete_object(Bucket="things", Key="one")
    *created, deleted = records(notified)
    assert [record["s3"]["object"]["size"] for record in created] == [1, 2, 3]
    assert deleted["eventName"] == "ObjectRemoved:Delete"
    assert set(deleted["s3"]["object"]) == {"key", "sequencer"}


def test_a_message_names_the_version(notified: tuple[Stage, str]) -> None:
    s3 = notified[0].client("s3")
    s3.put_bucket_versioning(Bucket="things", VersioningConfiguration={"Status": "Enabled"})
    put = s3.put_object(Bucket="things", Key="one", Body=b"1")
    (record,) = records(notified)
    assert record["s3"]["object"]["versionId"] == put["VersionId"]


def test_deletes_in_a_versioned_bucket_say_what_they_delete(notified: tuple[Stage, str]) -> None:
    s3 = notified[0].client("s3")
    s3.put_bucket_versioning(Bucket="things", VersioningConfiguration={"Status": "Enabled"})
    versions = [s3.put_object(Bucket="things", Key="one", Body=b"1")["VersionId"] for _ in range(2)]
    marker = s3.delete_object(Bucket="things", Key="one")["VersionId"]
    s3.delete_objects(Bucket="things", Delete={"Objects": [{"Key": "one", "VersionId": versions[0]}]})
    s3.delete_object(Bucket="things", Key="one", VersionId=marker)
    *created, marked, deleted, unmarked = records(notified)
    assert [record["eventName"] for record in created] == ["ObjectCreated:Put"] * 2
    assert marked["eventName"] == "ObjectRemoved:DeleteMarkerCreated"
    assert deleted["eventName"] == unmarked["eventName"] == "ObjectRemoved:Delete"
    found = [record["s3"]["object"]["versionId"] for record in (marked, deleted, unmarked)]
    assert found == [marker, versions[0], marker]


def test_an_upload_in_parts_is_one_event(notified: tuple[Stage, str]) -> None:
    s3 = notified[0].client("s3")
    upload = {"Bucket": "things", "Key": "one", "UploadId": ""}
    upload["UploadId"] = s3.create_multipart_upload(Bucket="things", Key="one")["UploadId"]
    etag = s3.upload_part(**upload, PartNumber=1, Body=b"1")["ETag"]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"ETag": etag, "PartNumber": 1}]})
    assert [record["eventName"] for record in records(notified)] == ["ObjectCreated:CompleteMultipartUpload"]


def test_tags_are_an_event_only_by_themselves(notified: tuple[Stage, str]) -> None:
    s3 = notified[0].client("s3")
    s3.put_object(Bucket="things", Key="one", Body=b"1", Tagging="a=b")
    s3.put_object_tagging(Bucket="things", Key="one", Tagging={"TagSet": [{"Key": "a", "Value": "c"}]})
    assert [record["eventName"] for record in records(notified)] == ["ObjectCreated:Put", "ObjectTagging:Put"]
