"""Timestamps: the usual formats mean what they do for botocore, without its guessing."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from unittest.mock import patch

import pytest
from botocore.utils import parse_timestamp, parse_to_aware_datetime
from moto.core import loaders, serialize
from moto.core import utils as moto_utils

from embedded_aws.server.model_loader import one_model_loader
from embedded_aws.server.server import AwsServer
from embedded_aws.server.timestamps import parsed_timestamp, quick_timestamps

USUAL = (
    "2026-11-02T04:00:00Z",
    "2026-11-02T04:00:00.000Z",
    "2026-02-28T23:59:59.123456Z",
    "Mon, 02 Nov 2026 04:00:00 GMT",
)
OTHERS: tuple[Any, ...] = (
    "2026-11-02T04:00:00+01:00",
    "2026-11-02",
    "Mon, 2 Nov 2026 04:00:00 +0100",
    "1793592000",
    1793592000,
    1793592000.5,
)


@pytest.mark.parametrize("value", [*USUAL, *OTHERS])
def test_a_timestamp_means_what_it_does_for_botocore(value: Any) -> None:
    with quick_timestamps():
        moto: Any = serialize
        both = (parsed_timestamp(value), moto.parse_to_aware_datetime(value))
    for ours, theirs in zip(both, (parse_timestamp(value), parse_to_aware_datetime(value)), strict=True):
        assert (ours, ours.utcoffset(), ours.tzinfo) == (theirs, theirs.utcoffset(), theirs.tzinfo)


def test_a_moment_remains_itself() -> None:
    moment = datetime.fromisoformat("2026-11-02T04:00:00+01:00")
    with quick_timestamps():
        assert vars(serialize)["parse_to_aware_datetime"](moment) == moment


@pytest.mark.parametrize("value", ["2026-13-02T04:00:00Z", "Mon, 42 Nov 2026 04:00:00 GMT", "soon"])
def test_what_is_no_timestamp_is_an_error(value: str) -> None:
    with pytest.raises(ValueError, match="timestamp"):
        parsed_timestamp(value)


def test_a_listing_is_read_without_guessing(server: AwsServer) -> None:
    s3 = server.client("s3")
    s3.create_bucket(Bucket="raw-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket="raw-bucket", Key="plays", Body=b"plays")
    with patch("dateutil.parser.parse", side_effect=AssertionError("a guess")):
        listed = s3.list_objects_v2(Bucket="raw-bucket")["Contents"][0]["LastModified"]
        assert s3.get_object(Bucket="raw-bucket", Key="plays")["LastModified"].replace(microsecond=0) == listed


@pytest.mark.parametrize("value", USUAL)
def test_botocore_still_guesses(value: str) -> None:
    with patch("dateutil.parser.parse", return_value=None) as guess:
        parse_timestamp(value)
    guess.assert_called_once()


def test_moto_still_makes_a_loader_for_each_model() -> None:
    assert loaders.create_loader() is not loaders.create_loader()
    with one_model_loader():
        shared: Any = vars(moto_utils)["create_loader"]
        assert shared() is shared()
        assert moto_utils._load_service_model("sqs", "service-2")["metadata"]["serviceId"] == "SQS"
    with patch.object(moto_utils, "create_loader", side_effect=loaders.create_loader) as made:
        moto_utils._load_service_model("sqs", "paginators-1")
    made.assert_called_once()
