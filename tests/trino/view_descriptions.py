"""What keeps Trino from recognizing Athena's views."""

from __future__ import annotations

from tests.e2e.world import World

_KEPT = ("Name", "Owner", "StorageDescriptor", "ViewOriginalText", "ViewExpandedText", "TableType", "Parameters")


def remove_descriptions_of_views(one: World) -> None:
    """Let Trino recognize the views as such.

    Its Glue client takes a description for the comment that marks a materialized view. Athena does not: dbt describes
    views there (https://github.com/dbt-labs/dbt-athena/pull/337).
    """
    glue, database = one.cloud.client("glue"), one.outputs["glue_database_name"]
    for page in glue.get_paginator("get_tables").paginate(DatabaseName=database):
        for table in page["TableList"]:
            if table.get("TableType") == "VIRTUAL_VIEW":
                glue.update_table(DatabaseName=database, TableInput={name: table[name] for name in _KEPT})
