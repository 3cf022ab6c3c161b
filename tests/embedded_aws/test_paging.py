"""Lists come in pages, of the size asked for or of AWS's own."""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded_aws.stage import Stage


def pages(client: Any, operation: str, key: str, **arguments: Any) -> list[int]:
    return [len(page[key]) for page in client.get_paginator(operation).paginate(**arguments)]


def test_tables_come_in_pages_of_a_hundred_or_fewer(stage: Stage) -> None:
    glue = stage.client("glue")
    glue.create_database(DatabaseInput={"Name": "many"})
    for number in range(105):
        glue.create_table(DatabaseName="many", TableInput={"Name": f"t{number}", "StorageDescriptor": {"Columns": []}})
    assert pages(glue, "get_tables", "TableList", DatabaseName="many") == [100, 5]
    fewer = {"PaginationConfig": {"PageSize": 60}}
    assert pages(glue, "get_tables", "TableList", DatabaseName="many", **fewer) == [60, 45]
    assert pages(glue, "get_tables", "TableList", DatabaseName="many", Expression="t1.*", **fewer) == [16]
    athena = stage.client("athena")
    listed = athena.get_paginator("list_table_metadata").paginate(CatalogName="AwsDataCatalog", DatabaseName="many")
    assert sum(len(page["TableMetadataList"]) for page in listed) == 105


def test_functions_come_in_pages_of_the_size_asked_for(stage: Stage) -> None:
    for name in ("a", "b", "c"):
        stage.function(name, "def handler(event, context): return 1\n")
    client = stage.client("lambda")
    assert pages(client, "list_functions", "Functions", PaginationConfig={"PageSize": 2}) == [2, 1]


def test_alarms_come_in_pages_of_the_size_asked_for(stage: Stage) -> None:
    client = stage.client("cloudwatch")
    for name in ("a", "b", "c"):
        client.put_metric_alarm(
            AlarmName=name,
            Namespace="n",
            MetricName="m",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
    assert pages(client, "describe_alarms", "MetricAlarms", PaginationConfig={"PageSize": 2}) == [2, 1]


def test_a_token_that_was_never_returned_is_refused(stage: Stage) -> None:
    glue = stage.client("glue")
    with pytest.raises(glue.exceptions.InvalidInputException, match="NextToken is not one"):
        glue.get_databases(NextToken="made-up")
    functions = stage.client("lambda")
    with pytest.raises(functions.exceptions.InvalidParameterValueException, match="Marker is not one"):
        functions.list_functions(Marker="made-up")


def test_tables_are_searched_by_their_texts_and_by_filters(stage: Stage) -> None:
    glue = stage.client("glue")
    glue.create_database(DatabaseInput={"Name": "one"})
    for name, column in (("plays", "track"), ("tracks", "name"), ("albums", "title")):
        descriptor = {"Columns": [{"Name": column, "Type": "string"}]}
        kept = {"Name": name, "StorageDescriptor": descriptor, "Parameters": {"classification": "parquet"}}
        glue.create_table(DatabaseName="one", TableInput=kept)

    def found(**options: Any) -> list[str]:
        return [table["Name"] for table in glue.search_tables(**options)["TableList"]]

    assert found() == ["albums", "plays", "tracks"]
    assert found(SearchText="TRACK") == ["plays", "tracks"]
    assert found(SearchText='"track"') == ["plays"]
    assert found(Filters=[{"Key": "DatabaseName", "Value": "one"}, {"Key": "Name", "Value": "albums"}]) == ["albums"]
    assert found(Filters=[{"Key": "classification", "Value": "csv"}]) == []
    first = glue.search_tables(MaxResults=2)
    assert [table["Name"] for table in first["TableList"]] == ["albums", "plays"]
    assert found(NextToken=first["NextToken"]) == ["tracks"]
    with pytest.raises(glue.exceptions.InvalidInputException, match="SortCriteria"):
        glue.search_tables(SortCriteria=[{"FieldName": "Name", "Sort": "ASC"}])
