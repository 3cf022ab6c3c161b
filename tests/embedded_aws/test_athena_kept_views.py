"""Views whose rows the embedded Athena keeps: always what the view would compute now."""

from __future__ import annotations

from typing import Any

import pytest

from embedded_aws.services.athena.kept_views import KeptViews
from tests.embedded_aws.athena_lab import LAKE, Lab, ended
from tests.embedded_aws.test_athena_executions import start

TOTALS = "SELECT item, sum(ms) AS total FROM plays GROUP BY item"


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The views whose rows were computed to be kept, however few they are."""
    names: list[str] = []
    compute = KeptViews._computing

    def counted(views: KeptViews, kept: Any, cursor: Any) -> Any:
        names.append(kept.state.name)
        return compute(views, kept, cursor)

    monkeypatch.setattr(KeptViews, "_computing", counted)
    monkeypatch.setattr("embedded_aws.services.athena.warehouse._MANY_ROWS", 1)
    return names


@pytest.fixture
def lab(one_lab: Lab, computed: list[str]) -> Lab:
    one_lab.empty()
    one_lab.table("plays", {"item": "string", "ms": "bigint"})
    one_lab.partition("plays", "1")
    one_lab.put("tables/plays/dt=1/a.parquet", {"item": ["a", "b", "a"], "ms": [1, 2, 3]})
    one_lab.run(f"CREATE VIEW totals AS {TOTALS}")
    assert computed == []
    return one_lab


def total(lab: Lab, item: str = "a") -> str | None:
    ((found,),) = lab.query(f"SELECT total FROM totals WHERE item = '{item}'")
    return found


def test_rows_are_computed_once_until_the_data_change(lab: Lab, computed: list[str]) -> None:
    assert [total(lab), total(lab, "b"), total(lab)] == ["4", "2", "4"]
    assert computed == ['"music"."totals"']
    lab.put("tables/plays/dt=1/b.parquet", {"item": ["a"], "ms": [10]})
    assert [total(lab), total(lab)] == ["14", "14"]
    lab.client("s3").delete_object(Bucket=LAKE, Key="tables/plays/dt=1/a.parquet")
    assert total(lab) == "10"
    assert len(computed) == 3


def test_queries_at_once_compute_the_rows_once(lab: Lab, computed: list[str]) -> None:
    started = [start(lab, f"SELECT total + {number} FROM totals WHERE item = 'b'") for number in range(6)]
    answers = [lab.pages(ended(lab.client("athena"), one))[1:] for one in started]
    assert answers == [[(str(2 + number),)] for number in range(6)]
    assert computed == ['"music"."totals"']


def test_a_view_that_changes_by_itself_is_not_kept(lab: Lab, computed: list[str]) -> None:
    lab.run(f"CREATE VIEW lots AS {TOTALS.replace('sum(ms)', 'max(ms + random())')}")
    first, second = (lab.query("SELECT total FROM lots WHERE item = 'a'") for _ in range(2))
    assert first != second
    assert computed == []


def test_a_replaced_view_is_computed_again(lab: Lab) -> None:
    assert total(lab) == "4"
    lab.run(f"CREATE OR REPLACE VIEW totals AS {TOTALS.replace('sum', 'max')}")
    assert total(lab) == "3"


def test_a_view_on_a_replaced_view_is_computed_again(lab: Lab) -> None:
    lab.run("CREATE VIEW doubled AS SELECT item, 2 * total AS twice FROM totals")
    assert lab.query("SELECT twice FROM doubled WHERE item = 'a'") == [("8",)]
    lab.run(f"CREATE OR REPLACE VIEW totals AS {TOTALS.replace('sum(ms)', 'sum(ms + 1)')}")
    assert lab.query("SELECT twice FROM doubled WHERE item = 'a'") == [("12",)]


def test_changed_data_are_seen_through_a_view_on_a_view_whose_rows_are_kept(lab: Lab) -> None:
    lab.run("CREATE VIEW doubled AS SELECT item, 2 * total AS twice FROM totals")
    lab.run("CREATE VIEW timed AS SELECT item, twice, localtimestamp AS at FROM doubled")
    assert total(lab) == "4"
    for sum_of_all, more in ((4, 10), (14, 20), (34, 30)):
        for view in ("timed", "doubled"):
            assert lab.query(f"SELECT twice FROM {view} WHERE item = 'a'") == [(str(2 * sum_of_all),)]
        lab.put(f"tables/plays/dt=1/{more}.parquet", {"item": ["a"], "ms": [more]})


def test_columns_that_come_later_are_seen(lab: Lab) -> None:
    lab.run("CREATE VIEW newest AS SELECT item, max(ms) AS ms, count(also) AS others FROM plays GROUP BY item")
    lab.columns("plays", {"item": "string", "ms": "bigint", "also": "string"})
    lab.run("CREATE VIEW newest AS SELECT item, max(ms) AS ms, count(also) AS others FROM plays GROUP BY item")
    assert lab.query("SELECT others FROM newest WHERE item = 'a'") == [("0",)]
    lab.put("tables/plays/dt=1/b.parquet", {"item": ["a"], "ms": [10], "also": ["x"]})
    assert lab.query("SELECT ms, others FROM newest WHERE item = 'a'") == [("10", "1")]
    assert total(lab) == "14"


def test_a_view_that_depends_on_the_time_is_not_kept(lab: Lab, computed: list[str]) -> None:
    lab.run("CREATE VIEW timed AS SELECT item, max(localtimestamp) AS at FROM plays GROUP BY item")
    lab.run("CREATE VIEW later AS SELECT at FROM timed")
    first, second = (lab.query("SELECT at FROM later LIMIT 1") for _ in range(2))
    assert first != second
    assert computed == []


def test_an_error_in_a_row_that_no_query_wants_fails_no_query(lab: Lab) -> None:
    lab.run("CREATE VIEW shares AS SELECT item, 60 / (count(*) - 1) AS share FROM plays GROUP BY item")
    # Twice: when the rows should be kept, and afterwards.
    for _ in range(2):
        assert lab.query("SELECT share FROM shares WHERE item = 'a'") == [("60",)]
    assert lab.run("SELECT share FROM shares")["Status"]["StateChangeReason"].startswith("DIVISION_BY_ZERO")
