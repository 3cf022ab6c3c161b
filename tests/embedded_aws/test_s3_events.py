"""Event messages of S3, read by Powertools."""

from __future__ import annotations

import json
from typing import Any
from unittest.mock import ANY

import pytest
from aws_lambda_powertools.utilities.data_classes import S3Event, S3EventBridgeNotificationEvent

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


def test_a_delete_of_a_missing_key_makes_a_marker_in_a_versioned_bucket(notified: tuple[Stage, str]) -> None:
    s3 = notified[0].client("s3")
    s3.delete_object(Bucket="things", Key="one")
    assert records(notified) == []
    s3.put_bucket_versioning(Bucket="things", VersioningConfiguration={"Status": "Enabled"})
    first = s3.delete_object(Bucket="things", Key="one")
    second = s3.delete_objects(Bucket="things", Delete={"Objects": [{"Key": "two"}]})["Deleted"]
    assert first["DeleteMarker"]
    assert second == [{"Key": "two", "DeleteMarker": True, "DeleteMarkerVersionId": ANY}]
    listed = s3.list_object_versions(Bucket="things")
    assert "Versions" not in listed
    assert [(one["Key"], one["VersionId"], one["IsLatest"]) for one in listed["DeleteMarkers"]] == [
        ("one", first["VersionId"], True),
        ("two", second[0]["DeleteMarkerVersionId"], True),
    ]
    assert [record["eventName"] for record in records(notified)] == ["ObjectRemoved:DeleteMarkerCreated"] * 2
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket="things", Key="one")
    s3.put_object(Bucket="things", Key="one", Body=b"1")
    assert s3.get_object(Bucket="things", Key="one")["Body"].read() == b"1"


@pytest.fixture
def bridged(stage: Stage) -> tuple[Stage, str]:
    """Return a stage with a bucket that tells EventBridge, and the URL of the queue that a rule sends to."""
    allowed = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Resource": "*"}
    statement = {**allowed, "Action": "sqs:SendMessage"}
    url, arn = stage.queue("bridged", Policy={"Version": "2012-10-17", "Statement": [statement]})
    s3, events = stage.client("s3"), stage.client("events")
    s3.create_bucket(Bucket="things", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_notification_configuration(
        Bucket="things", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    pattern = {"source": ["aws.s3"], "detail": {"object": {"key": [{"prefix": "raw/"}]}}}
    events.put_rule(Name="things", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="things", Targets=[{"Id": "queue", "Arn": arn}])
    return stage, url


def bridge_events(bridged: tuple[Stage, str]) -> list[dict[str, Any]]:
    stage, url = bridged
    stage.drain()
    found = [json.loads(message["Body"]) for message in stage.messages(url)]
    return sorted(found, key=lambda event: str(event["detail"]["object"]["sequencer"]))


def test_eventbridge_gets_what_aws_documents(bridged: tuple[Stage, str]) -> None:
    s3 = bridged[0].client("s3")
    s3.put_object(Bucket="things", Key="raw/dt=1/one two.json", Body=b"12")
    s3.put_object(Bucket="things", Key="other", Body=b"12")
    (event,) = bridge_events(bridged)
    parsed = S3EventBridgeNotificationEvent(event)
    assert (parsed.source, parsed.detail_type, parsed.account, parsed.region) == (
        "aws.s3",
        "Object Created",
        ACCOUNT,
        REGION,
    )
    assert parsed.time.startswith("2026-11-23T06:00:")
    assert parsed.resources == ["arn:aws:s3:::things"]
    assert parsed.detail.bucket.name == "things"
    assert (parsed.detail.object.key, parsed.detail.object.size) == ("raw/dt=1/one two.json", 2)
    assert parsed.detail.object.etag == "c20ad4d76fe97759aa27a0c99bff6710"
    assert "version-id" not in event["detail"]["object"]
    assert (parsed.detail.requester, parsed.detail.reason) == (ACCOUNT, "PutObject")
    assert "deletion-type" not in event["detail"]


def test_eventbridge_is_told_how_an_object_came_and_went(bridged: tuple[Stage, str]) -> None:
    s3 = bridged[0].client("s3")
    s3.put_bucket_versioning(Bucket="things", VersioningConfiguration={"Status": "Enabled"})
    put = s3.put_object(Bucket="things", Key="raw/one", Body=b"1")
    s3.copy_object(Bucket="things", Key="raw/two", CopySource={"Bucket": "things", "Key": "raw/one"})
    upload = s3.create_multipart_upload(Bucket="things", Key="raw/three")["UploadId"]
    part = s3.upload_part(Bucket="things", Key="raw/three", UploadId=upload, PartNumber=1, Body=b"1")
    parts = {"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]}
    s3.complete_multipart_upload(Bucket="things", Key="raw/three", UploadId=upload, MultipartUpload=parts)
    marker = s3.delete_object(Bucket="things", Key="raw/one")
    s3.delete_object(Bucket="things", Key="raw/one", VersionId=put["VersionId"])
    events = bridge_events(bridged)
    details = [(event["detail-type"], event["detail"]) for event in events]
    assert [(kind, detail["reason"], detail.get("deletion-type")) for kind, detail in details] == [
        ("Object Created", "PutObject", None),
        ("Object Created", "CopyObject", None),
        ("Object Created", "CompleteMultipartUpload", None),
        ("Object Deleted", "DeleteObject", "Delete Marker Created"),
        ("Object Deleted", "DeleteObject", "Permanently Deleted"),
    ]
    versions = [event["detail"]["object"]["version-id"] for event in events]
    assert (versions[0], versions[3], versions[4]) == (put["VersionId"], marker["VersionId"], put["VersionId"])
    assert len({event["id"] for event in events}) == len(events)


def test_the_configuration_says_that_events_go_to_eventbridge(bridged: tuple[Stage, str]) -> None:
    s3 = bridged[0].client("s3")
    found = s3.get_bucket_notification_configuration(Bucket="things")
    assert found["EventBridgeConfiguration"] == {}
    found.pop("ResponseMetadata")
    s3.put_bucket_notification_configuration(Bucket="things", NotificationConfiguration=found)
    s3.put_object(Bucket="things", Key="raw/one", Body=b"1")
    assert len(bridge_events(bridged)) == 1
    s3.put_bucket_notification_configuration(Bucket="things", NotificationConfiguration={})
    assert "EventBridgeConfiguration" not in s3.get_bucket_notification_configuration(Bucket="things")
