"""Periods and other parameters of the named queries."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlglot import exp

from cli.duckdb_file import parse_query, tables_of
from cli.query_parameters import compared_period, parameters_of, period, with_parameters
from tests.queries.lake import NAMED, Lake, moment, run
from tests.queries.player import Player, exported
from tests.thoroughness import sampled, some

Rows = list[tuple[Any, ...]]

PARAMETERS = {name: {each.name: each for each in parameters_of(sql)} for name, sql in NAMED.items()}
WITH_PERIOD = sorted(name for name, known in PARAMETERS.items() if "from_date" in known)
WITHOUT_PERIOD = {"on_this_day"}
"""Queries on listening that answer for a day."""
REACHING_BEYOND = {
    "artists_first_heard",
    "compare_periods",
    "discovery_by_month",
    "followed_artists_not_heard",
    "forgotten_favourites",
    "saved_tracks_not_played_lately",
    "sessions",
    "top_by_month",
    "year_in_review",
}
"""Queries that show what was heard before or after the period too."""
FROM_THE_API = {"plays_by_playlist"}
QUICK = {
    "artists_first_heard",
    "discovery_by_month",
    "listening_by_day",
    "top_artists",
    "top_tracks_by_plays",
    "year_in_review",
}
"""Those whose rows the fast tests look at."""
LIBRARY = {"coverage", "new_releases", "new_this_month"}
"""Queries whose period is not of listening."""
ABOUT: dict[str, Any] = {"platform": "ios", "country": "PT", "album_name": "Arrival"}


def on_listening() -> list[str]:
    return sorted(name for name, sql in NAMED.items() if tables_of(sql) & {"listens", "counted_plays"})


def asked(lake: Lake, name: str, **values: str) -> Rows:
    """Return the rows of a named query with the given parameters."""
    return lake.query(with_parameters(NAMED[name], values))


def within() -> list[dict[str, Any]]:
    """Return plays on the first and last local day of 2019, and between."""
    return [
        exported("2018-12-31 23:00", **ABOUT),
        *(exported(f"2019-05-0{day} 12:00", **ABOUT) for day in range(1, 10)),
        *(exported(f"2019-05-0{day} 14:00", "y", "Beck", **ABOUT) for day in (2, 3)),
        exported("2019-06-01 12:00", "news", "A show", item_type="episode", track_id=None),
        exported("2019-12-31 22:59", **ABOUT),
    ]


def outside() -> list[dict[str, Any]]:
    """Return plays on the local days before and after 2019, and much later."""
    about: dict[str, Any] = ABOUT | {"skipped": True, "platform": "android"}
    return [
        exported(when, track, artist, **about)
        for when in ("2018-12-31 22:59", "2019-12-31 23:00", "2026-11-20 12:00")
        for track, artist in (("x", "Abba"), ("z", "Cher"))
    ]


@pytest.fixture(name="results", scope="module")
def fixture_results(tables_and_views: Lake) -> dict[str, dict[str, Rows]]:
    """Return account → query → its rows for 2019 without the account; `only` heard nothing outside of that year."""
    found: dict[str, dict[str, Rows]] = {"only": {}, "more": {}}
    with tables_and_views.scenario() as lake:
        player = Player(lake)
        for number, (account, plays) in enumerate({"only": within(), "more": [*within(), *outside()]}.items()):
            lake.manifest(run(22), "recently_played", account=account, attempt=number)
            albums = [
                {"album_id": name, "album_name": name, "artist_name": "Abba", "added_at": moment("2026-01-01")}
                for name in ("Arrival", "Unheard")
            ]
            lake.read(run(22), "saved_albums", albums, account=account, attempt=number, part=number)
            player.export(*plays, account=account)
        for name in some(WITH_PERIOD, QUICK):
            rows = lake.query(with_parameters(NAMED[name], period("2019")))
            for account, of_account in found.items():
                of_account[name] = [row[1:] for row in rows if row[0] == account]
    return found


def test_every_query_on_listening_takes_a_period() -> None:
    assert set(on_listening()) - set(WITH_PERIOD) == WITHOUT_PERIOD


@pytest.mark.parametrize("name", NAMED)
def test_parameters_are_described_and_are_no_columns(name: str) -> None:
    tree = parse_query(NAMED[name])
    ctes = {cte.alias: cte for cte in tree.find_all(exp.CTE)}

    assert ("parameters" in ctes) == bool(PARAMETERS[name])
    assert [each.name for each in PARAMETERS[name].values() if not each.description] == []
    if "parameters" in ctes:
        assert {select.alias for select in ctes["parameters"].this.selects} == PARAMETERS[name].keys()
        # The macros of the saved lake replace unqualified names.
        unqualified = {column.name for column in tree.find_all(exp.Column) if not column.table}
        assert unqualified & PARAMETERS[name].keys() == set()


@pytest.mark.parametrize(
    "name",
    sampled(
        [name for name in WITH_PERIOD if name not in REACHING_BEYOND | LIBRARY | FROM_THE_API],
        sorted(QUICK - REACHING_BEYOND),
    ),
)
def test_a_period_shows_what_was_heard_within_it(results: dict[str, dict[str, Rows]], name: str) -> None:
    assert results["more"][name] == results["only"][name]
    assert results["only"][name]


@pytest.mark.slow
def test_a_period_may_be_open(lake: Lake, player: Player) -> None:
    player.export(*(exported(f"{year}-06-01 12:00") for year in (2017, 2018, 2019)))

    assert [row[1] for row in asked(lake, "top_by_year", from_date="2018-01-01")][::3] == [2019, 2018]
    assert [row[1] for row in asked(lake, "top_by_year", to_date="2018-12-31")][::3] == [2018, 2017]
    assert [row[3] for row in asked(lake, "top_artists", to_date="2018-12-31")] == [2]
    assert [row[3] for row in asked(lake, "top_artists", from_date="2019-06-01")] == [1]


def test_number_limits_the_rows_of_each_account(lake: Lake, player: Player) -> None:
    for account in ("ana", "bo"):
        player.export(*(exported("2026-11-01 12:00", name, name) for name in "abc"), account=account)

    assert [row[:3] for row in asked(lake, "top_artists", number="2")] == [
        ("ana", 1, "a"),
        ("ana", 2, "b"),
        ("bo", 1, "a"),
        ("bo", 2, "b"),
    ]


def test_top_tracks_and_albums_may_be_those_of_one_artist_in_a_period(lake: Lake, player: Player) -> None:
    player.export(
        exported("2019-05-01 12:00", "a", track_name="Old name", album_name="Arrival"),
        exported("2019-05-01 13:00", "b", "Beck", album_name="Odelay"),
        exported("2026-05-01 12:00", "a", track_name="New name", album_name="Arrival"),
    )

    found = {"from_date": "2019-01-01", "artist": "ABBA"}
    assert [row[1:6] for row in asked(lake, "top_tracks_by_plays", **found, to_date="2019-12-31")] == [
        ("chosen", 1, "New name", "Abba", 1)
    ]
    assert [row[1:6] for row in asked(lake, "top_albums_by_plays", **found)] == [("chosen", 1, "Arrival", "Abba", 2)]


def test_novelties_of_a_period_were_never_heard_before(results: dict[str, dict[str, Rows]]) -> None:
    assert [row[0] for row in results["only"]["artists_first_heard"]] == ["Beck", "Abba"]
    assert [row[0] for row in results["more"]["artists_first_heard"]] == ["Beck"]
    assert [row[:2] for row in results["only"]["discovery_by_month"]] == [
        (date(2019, 12, 1), 0),
        (date(2019, 5, 1), 1),
        (date(2019, 1, 1), 1),
    ]
    assert [row[:2] for row in results["more"]["discovery_by_month"]] == [
        (date(2019, 12, 1), 0),
        (date(2019, 5, 1), 1),
        (date(2019, 1, 1), 0),
    ]
    (only,), (more,) = results["only"]["year_in_review"], results["more"]["year_in_review"]
    assert (only[7], more[7]) == (2, 1)
    assert (*only[:7], *only[8:]) == (*more[:7], *more[8:])


@pytest.mark.slow
def test_what_was_not_heard_in_a_period_may_be_heard_since(lake: Lake, player: Player) -> None:
    for stream, key in (("followed_artists", "artist_id"), ("saved_tracks", "track_id")):
        records = [
            {key: name, "artist_name": name.upper()}
            | ({"item_uri": f"spotify:track:{name}", "track_name": name} if key == "track_id" else {})
            for name in ("in", "after", "never")
        ]
        lake.read(run(22), stream, records)
    player.export(exported("2019-05-01 12:00", "in", "IN"), exported("2020-05-01 12:00", "after", "AFTER"))

    for name in ("followed_artists_not_heard", "saved_tracks_not_played_lately"):
        rows = asked(lake, name, **period("2019"))
        assert [next(value for value in reversed(row) if isinstance(value, str)) for row in rows] == [
            *(("never", "after") if name.startswith("followed") else ("spotify:track:never", "spotify:track:after")),
        ]
        assert [moment("2020-05-01 14:00") in row for row in rows] == [False, True]


@pytest.mark.slow
def test_favourites_of_a_period_were_heard_often_within_it(lake: Lake, player: Player) -> None:
    player.export(
        *(exported(f"2019-05-{day:02d} 12:00", "a") for day in range(1, 4)),
        *(exported(f"2020-05-{day:02d} 12:00", "b") for day in range(1, 4)),
        exported("2026-11-01 12:00", "c"),
    )

    few = {"at_least": "3"}
    assert [row[2] for row in asked(lake, "forgotten_favourites", **few)] == ["B", "A"]
    assert [(row[2], row[4]) for row in asked(lake, "forgotten_favourites", **few, **period("2019"))] == [("A", 3)]
    assert [row[2] for row in asked(lake, "forgotten_favourites", **few, silent_months="79")] == ["A"]
    assert asked(lake, "forgotten_favourites", at_least="4") == []


@pytest.mark.slow
def test_top_by_month_compares_with_as_many_months_before(lake: Lake, player: Player) -> None:
    player.export(
        *(exported(f"2019-0{month}-01 12:00", "a", "Abba") for month in (1, 2, 3)),
        *(exported(f"2019-{day} 12:00", "b", "Beck") for day in ("01-02", "03-02", "03-03")),
        exported("2018-12-05 12:00", "b", "Beck"),
    )

    def artists(**values: str) -> Rows:
        rows = asked(lake, "top_by_month", **values)
        return [(row[2], row[3], row[4], row[8], row[9]) for row in rows if row[1] == "artist"]

    march, february, january = (date(2019, month, 1) for month in (3, 2, 1))
    assert artists(**period(from_="2019-02", to="2019-03")) == [
        (1, 2, "Abba", february, 1),
        (1, 2, "Abba", march, 1),
        (2, 1, "Beck", march, 2),
    ]
    assert artists(from_date="2019-03-31", number="1") == [(1, None, "Beck", march, 2)]
    assert artists(to_date="2019-01-01", number="1") == [
        (1, None, "Beck", date(2018, 12, 1), 1),
        (1, None, "Beck", january, 1),
    ]


def test_on_this_day_may_be_any_day(lake: Lake, player: Player) -> None:
    player.export(*(exported(f"{year}-05-01 12:00", f"of {year}") for year in (2018, 2019, 2020)))

    assert [row[3] for row in asked(lake, "on_this_day", on_date="2020-05-01")] == ["OF 2019", "OF 2018"]


def test_a_session_ends_with_a_pause_of_any_length(lake: Lake, player: Player) -> None:
    player.export(*(exported(f"2019-05-01 12:{minute}", "a") for minute in ("00", "23", "46")))

    assert [row[4] for row in asked(lake, "sessions", **period("2019"))] == [3]
    assert [row[4] for row in asked(lake, "sessions", **period("2019"), pause_minutes="19")] == [1, 1, 1]


def test_plays_by_playlist_count_local_days(lake: Lake, player: Player) -> None:
    for when in ("2018-12-31 22:59", "2018-12-31 23:00", "2019-12-31 22:59", "2019-12-31 23:00"):
        player.play(when, "a", context_uri="spotify:playlist:mine")

    assert [row[3] for row in asked(lake, "plays_by_playlist", **period("2019"))] == [2]


def test_new_releases_and_additions_of_a_period(lake: Lake) -> None:
    lake.read(
        run(22),
        "saved_albums",
        [
            {"album_id": str(n), "album_name": f"Album {n}", "added_at": moment(when)}
            for n, when in enumerate(("2018-12-31 22:59", "2018-12-31 23:00", "2019-12-31 22:59", "2019-12-31 23:00"))
        ],
    )

    assert [row[3] for row in asked(lake, "new_this_month", **period("2019"))] == ["Album 2", "Album 1"]
    assert asked(lake, "new_this_month") == []


def test_compare_periods_compares_this_year_so_far_with_the_same_days_of_the_last(lake: Lake, player: Player) -> None:
    player.export(
        *(exported(f"2025-{day} 12:00", "gone", "Beck", album_name="Odelay") for day in ("01-01", "11-21", "12-01")),
        exported("2025-02-01 12:00", "less", "Abba"),
        exported("2025-02-02 12:00", "less", "Abba"),
        exported("2025-02-03 12:00", "same", "Abba"),
        exported("2026-02-01 12:00", "less", "Abba"),
        exported("2026-02-01 12:10", "same", "Abba"),
        *(exported(f"2026-11-{day} 12:00", "new", "Cher", ms_played=90_000) for day in (19, 20, 21)),
    )

    assert lake.query(NAMED["compare_periods"]) == [
        ("ana", "total", 1, "listens", None, 5, 5, 0, "same"),
        ("ana", "total", 2, "minutes", None, 11, 15, -4, "less"),
        ("ana", "total", 3, "days", None, 4, 5, -1, "less"),
        ("ana", "total", 4, "artists", None, 2, 2, 0, "same"),
        ("ana", "total", 5, "tracks", None, 3, 3, 0, "same"),
        ("ana", "album", 1, "Odelay", "Beck", 0, 2, -2, "gone"),
        ("ana", "artist", 1, "Cher", None, 3, 0, 3, "new"),
        ("ana", "artist", 2, "Beck", None, 0, 2, -2, "gone"),
        ("ana", "artist", 3, "Abba", None, 2, 3, -1, "less"),
        ("ana", "track", 1, "NEW", "Cher", 3, 0, 3, "new"),
        ("ana", "track", 2, "GONE", "Beck", 0, 2, -2, "gone"),
        ("ana", "track", 3, "LESS", "Abba", 1, 2, -1, "less"),
        ("ana", "track", 4, "SAME", "Abba", 1, 1, 0, "same"),
    ]


@pytest.mark.slow
def test_compare_periods_compares_any_two(lake: Lake, player: Player) -> None:
    player.export(
        *(exported(f"2017-0{month}-01 12:00") for month in (5, 6, 7)),
        *(exported(f"2018-0{month}-01 12:00") for month in (5, 6)),
        exported("2019-05-01 12:00"),
    )

    def listens(**values: str) -> Rows:
        return [row[5:9] for row in asked(lake, "compare_periods", **values) if row[3] == "listens"]

    assert listens(**period("2019")) == [(1, 2, -1, "less")]
    assert listens(**period("2018")) == [(2, 3, -1, "less")]
    assert listens(**period("2019"), **compared_period("2017")) == [(1, 3, -2, "less")]
    assert listens(**period(from_="2017-06", to="2018"), **compared_period("2018-05-01..2019-05-01")) == [
        (4, 3, 1, "more")
    ]
    assert len(asked(lake, "compare_periods", **period("2019"), number="0")) == 5
