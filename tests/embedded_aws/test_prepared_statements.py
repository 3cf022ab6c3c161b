"""Operations on prepared statements."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded_aws.stage import Stage

SUM: dict[str, Any] = {"StatementName": "sum", "WorkGroup": "analysts"}


@pytest.fixture
def athena(stage: Stage) -> Any:
    """Return a client of Athena, with two workgroups."""
    client = stage.client("athena")
    for name in ("analysts", "others"):
        client.create_work_group(Name=name)
    return client


def test_one_is_created_read_updated_and_deleted(athena: Any) -> None:
    athena.create_prepared_statement(**SUM, QueryStatement="SELECT ? + 1", Description="old")
    made = athena.get_prepared_statement(**SUM)["PreparedStatement"]
    assert isinstance(made.pop("LastModifiedTime"), datetime)
    assert made == {
        "StatementName": "sum",
        "WorkGroupName": "analysts",
        "QueryStatement": "SELECT ? + 1",
        "Description": "old",
    }
    athena.update_prepared_statement(**SUM, QueryStatement="SELECT ? + 2")
    made = athena.get_prepared_statement(**SUM)["PreparedStatement"]
    assert (made["QueryStatement"], made["Description"]) == ("SELECT ? + 2", "old")
    athena.delete_prepared_statement(**SUM)
    for operation, more in (
        ("get_prepared_statement", {}),
        ("delete_prepared_statement", {}),
        ("update_prepared_statement", {"QueryStatement": "SELECT 1"}),
    ):
        with pytest.raises(ClientError, match=r"ResourceNotFoundException.*sum was not found in workGroup analysts"):
            getattr(athena, operation)(**SUM, **more)


def test_each_workgroup_has_its_own(athena: Any) -> None:
    for group, sql in (("analysts", "SELECT 1"), ("others", "SELECT 2")):
        athena.create_prepared_statement(StatementName="sum", WorkGroup=group, QueryStatement=sql)
    assert athena.get_prepared_statement(**SUM)["PreparedStatement"]["QueryStatement"] == "SELECT 1"
    athena.delete_prepared_statement(StatementName="sum", WorkGroup="others")
    assert athena.get_prepared_statement(**SUM)["PreparedStatement"]["QueryStatement"] == "SELECT 1"


def test_several_are_listed_in_pages_and_read_at_once(athena: Any) -> None:
    for name in ("c", "a", "b"):
        athena.create_prepared_statement(StatementName=name, WorkGroup="analysts", QueryStatement=f"SELECT '{name}'")
    first = athena.list_prepared_statements(WorkGroup="analysts", MaxResults=2)
    second = athena.list_prepared_statements(WorkGroup="analysts", MaxResults=2, NextToken=first["NextToken"])
    listed = [one["StatementName"] for page in (first, second) for one in page["PreparedStatements"]]
    assert (listed, "NextToken" in second) == (["a", "b", "c"], False)
    for token in ("junk", "-1"):
        with pytest.raises(ClientError, match=r"InvalidRequestException.*NextToken is invalid"):
            athena.list_prepared_statements(WorkGroup="analysts", NextToken=token)
    answer = athena.batch_get_prepared_statement(WorkGroup="analysts", PreparedStatementNames=["b", "d"])
    assert [one["QueryStatement"] for one in answer["PreparedStatements"]] == ["SELECT 'b'"]
    assert [one["StatementName"] for one in answer["UnprocessedPreparedStatementNames"]] == ["d"]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (SUM, "PreparedStatement sum already exists in workGroup analysts"),
        ({"StatementName": "sum", "WorkGroup": "nosuch"}, "WorkGroup nosuch is not found"),
        ({"StatementName": "1 sum", "WorkGroup": "analysts"}, "1 sum is no name of a prepared statement"),
    ],
)
def test_a_wrong_one_is_refused(athena: Any, given: dict[str, str], problem: str) -> None:
    athena.create_prepared_statement(**SUM, QueryStatement="SELECT 1")
    with pytest.raises(ClientError, match=f"InvalidRequestException.*{problem}"):
        athena.create_prepared_statement(**given, QueryStatement="SELECT 2")
