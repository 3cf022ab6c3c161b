"""`spotify-etl demo`: the whole pipeline on this machine, over a few simulated days."""

from __future__ import annotations

import dataclasses
import gzip
import io
import json
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pyarrow import parquet
from rich.console import Console

from cli.athena_queries import QueryResult, named_queries, run_query
from cli.errors import CommandError
from cli.lake import DATABASE_FILE, save_lake
from cli.local_cloud.simulated_login import store_login
from cli.own_export import run_own_export
from cli.presentation import Steps, bar_chart, pluralize, print_line, print_tables, table, terminal
from cli.program_name import program_name
from cli.project import PROJECT
from cli.report.command import show
from cli.report.report import ReportRequest, write_report
from cli.report.sources import DuckdbFile
from cli.text import quoted
from handlers.layout import OUTPUTS_PREFIX, RAW_PREFIX, RUNS_PREFIX, TABLES_PREFIX, RawKey, outputs_key
from handlers.streams import FULL_READ_DAYS, READABLE_STREAMS, default_streams
from handlers.tables import TABLES
from local.cloud import DeploymentError, EmbeddedCloud, Step
from spotify_simulator import Library
from spotify_simulator.model.saved import SAVED_KINDS
from spotify_simulator.model.top_lists import TIME_RANGES

REPORT_FILE = "report.html"
START = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
"""A Monday, one hour before the first daily run."""
TIMEZONE = "Europe/Berlin"
SETTINGS = {"timezone": TIMEZONE, "dailyAt": "06:00", "streams": json.dumps(list(READABLE_STREAMS))}
WRONG_SETTING = {"dailyAt": "25:00"}

_FIRST_DAILY_RUN = START + timedelta(hours=1)
_FIRST_POLL = START + timedelta(hours=1, minutes=20)
"""The first hourly run after the login."""
_NEXT_MORNING = timedelta(hours=2, minutes=30)
"""From `START`'s time of day until the daily run, the crawl and the views are done."""
_MARKER = ".spotify-etl-demo"
"""The file that marks a folder as the demo's own."""
_MAY_BE_EMPTY = {"replays", "object_versions"}
"""Their rows are of objects that are transformed after their day, of which a demo may have none."""
_SAMPLE_ROWS = 8
_SHOWN = {
    "top_artists": ("place", "artist_name", "listens", "tracks", "minutes_at_most"),
    "playlist_changes": ("playlist_name", "change", "item_name", "artist_name"),
    "library_by_decade": ("decade", "tracks", "artists", "percent"),
    "freshness": ("stream", "last_status", "last_good_at", "age_hours"),
    "rejected_records_by_reason": ("stream", "reason", "records", "newest_detail"),
}
"""The named queries whose results the demo shows, with the columns it shows."""


def run_demo(*, days: int, seed: int, folder: Path) -> None:
    """Run everything and print what happens.

    Args:
        days: the number of simulated days.
        seed: the seed of the listener's library.
        folder: where the Parquet files go; those of an earlier demo are replaced.

    Raises:
        CommandError: a step failed, or the tables differ from the simulator's model.
    """
    began = time.perf_counter()
    console = terminal()
    steps = Steps(console)
    _claim(folder)
    print_line(
        console,
        ("spotify-etl demo", "bold"),
        f": {pluralize(days, 'day')} of a made-up listener, without AWS and without Spotify.",
    )
    print_line(console)
    with steps.step("Generate a listener") as result:
        library = Library.seeded(seed, start=START, timezone=TIMEZONE)
        result.say(
            f"{len(library.saved_tracks):,} saved tracks, {len(library.saved_albums)} saved albums, "
            f"{len(library.playlists)} playlists with {_entries(library):,} entries"
        )
    with (
        tempfile.TemporaryDirectory(prefix="spotify-etl-") as working,
        EmbeddedCloud(Path(working), start=START, library=library) as cloud,
    ):
        demo = _Demo(cloud, library, steps, days)
        demo.deploy()
        demo.run_before_login()
        demo.log_in()
        for day in range(days):
            demo.simulate_day(day)
            if day == 0:
                demo.add_damaged_objects()
        _show(console, demo.run_named_queries())
        differences = demo.compare(console)
        demo.save(folder)
    report_on(folder, "a made-up listener", steps)
    if differences:
        raise CommandError(
            f"The tables differ from the simulator's model in {', '.join(differences)}: please report it."
        )
    say_where_it_is(folder, time.perf_counter() - began, console)
    own = f"{program_name()} demo --export my_spotify_data.zip"
    print_line(console, "For your own listening, pass the zip of your privacy export: ", (own, "bold"))


def run_export_demo(paths: Sequence[Path], *, folder: Path, timezone: str, open_browser: bool) -> None:
    """Run the whole pipeline with a privacy export instead of a made-up listener, and make the report.

    Args:
        paths: of the export.
        folder: where everything goes; what an earlier demo left there is replaced.
        timezone: of the listener; '' for that of this machine.
        open_browser: whether to open the report.

    Raises:
        CommandError: there is nothing to import, or a step failed.
    """
    began = time.perf_counter()
    console = terminal()
    steps = Steps(console)
    _claim(folder)
    print_line(console, ("spotify-etl demo", "bold"), ": your own plays, without AWS and without Spotify.")
    print_line(console)
    run_own_export(paths, folder, timezone=timezone, steps=steps)
    report_on(folder, "your privacy export", steps)
    say_where_it_is(folder, time.perf_counter() - began, console)
    if open_browser:
        show(folder / REPORT_FILE, console)


def report_on(folder: Path, name: str, steps: Steps) -> None:
    """Make the report of a saved lake beside it."""
    with steps.step("Make the report") as result:
        request = ReportRequest(path=folder / REPORT_FILE)
        write_report(DuckdbFile(folder / DATABASE_FILE), request, name=name, on_query=result.progress)


def say_where_it_is(folder: Path, seconds: float, console: Console) -> None:
    """Print what lies where, and how to look at it."""
    print_line(console)
    print_line(console, f"Done in {seconds:.0f} s. In {folder}:")
    print_line(console, "  ", (REPORT_FILE, "bold"), "  the report; open it in a browser")
    print_line(console, "  ", (DATABASE_FILE, "bold"), "  every table, view and named query; for example:")
    print_line(console, f"    {_example(folder)}")
    print_line(console, "  ", (TABLES_PREFIX.rstrip("/"), "bold"), "  the tables as Parquet files")


def log_in(cloud: EmbeddedCloud, secret_name: str, streams: tuple[str, ...] = default_streams()) -> None:
    """Do what `spotify-etl login` does for these streams, with consent from the simulator instead of a browser."""
    store_login(cloud.spotify, cloud.client, secret_name, streams, cloud.now)


class _Demo:
    """The steps of the demo in one cloud; they run in the order of the methods."""

    def __init__(self, cloud: EmbeddedCloud, library: Library, steps: Steps, days: int) -> None:
        self._cloud = cloud
        self._days = days
        self._library = library
        self._steps = steps
        self._outputs: dict[str, Any] = {}
        self._seen = 0
        self._catalogue = library.uris_to_ask_for()

    def deploy(self) -> None:
        settings = SETTINGS | {"catalogueUris": json.dumps(self._catalogue)}
        with self._steps.step("Deploy __main__.py, first with a wrong setting, then correctly") as result:
            try:
                self._cloud.deploy(PROJECT, config=settings | WRONG_SETTING)
            except DeploymentError as error:
                result.say(f"rejected: {quoted(error)}")
            else:
                raise CommandError("A wrong setting was accepted: please report it.")
            try:
                self._outputs = self._cloud.deploy(PROJECT, config=settings)
            except DeploymentError as error:
                raise CommandError(f"The program could not be deployed: {quoted(error)}") from error
            result.say(
                f"deployed: database {self._outputs['glue_database_name']}, "
                f"workgroup {self._outputs['athena_workgroup_name']}, "
                f"{len(self._outputs['named_queries'])} named queries"
            )

    def run_before_login(self) -> None:
        with self._steps.step("Let the first hourly run start before the login") as result:
            self._cloud.run_until(START + timedelta(minutes=30))
            for manifest in self._manifests():
                result.say(f"{manifest['run_id']}: {manifest['status']}, {manifest['reason']}")

    def log_in(self) -> None:
        with self._steps.step("Log in: store the refresh token in the stack's secret"):
            log_in(self._cloud, self._outputs["spotify_secret_name"], tuple(READABLE_STREAMS))

    def simulate_day(self, day: int) -> None:
        # The last day ends after the next morning's daily run, which completes it.
        end = START + timedelta(days=day + 1) + (_NEXT_MORNING if day == self._days - 1 else timedelta())
        with self._steps.step(f"Simulate day {day + 1}, until {end:%a %d %b %H:%M} UTC") as result:
            self._cloud.run_until(end, on_step=lambda step: result.progress(f"{step.at:%H:%M} {step.name}"))
            new = self._cloud.log[self._seen :]
            self._seen = len(self._cloud.log)
            did = (
                ("schedule firing", "schedule"),
                ("invocation", "invoke"),
                ("crawl", "crawl"),
                ("Athena statement", "query"),
            )
            result.say(", ".join(pluralize(number, noun) for noun, kind in did if (number := _count(new, kind))))
            transformed = len(list(self._objects("transformed_bucket_name", OUTPUTS_PREFIX)))
            result.say(
                f"so far {len(self._library.plays_polled_since(_FIRST_POLL)):,} plays, "
                f"{len(self._library.saved_tracks):,} saved tracks, {transformed} raw objects and manifests transformed"
            )
            for step in new:
                if not step.ok:
                    result.say((f"{step.at:%H:%M} {step.kind} {step.name}: {quoted(step.detail)}", "yellow"))

    def add_damaged_objects(self) -> None:
        with self._steps.step("Put two damaged objects into the raw bucket") as result:
            s3, bucket = self._cloud.client("s3"), self._outputs["raw_bucket_name"]
            genuine = next(key for key in self._objects("raw_bucket_name", f"{RAW_PREFIX}saved_albums/"))
            body = s3.get_object(Bucket=bucket, Key=genuine)["Body"].read()
            whole = RawKey.parse(genuine)
            truncated = str(dataclasses.replace(whole, part=90))
            s3.put_object(Bucket=bucket, Key=truncated, Body=body[: len(body) // 2])
            not_json = str(dataclasses.replace(whole, part=91))
            lines = [*gzip.decompress(body).splitlines()[:2], b"this is not JSON"]
            s3.put_object(Bucket=bucket, Key=not_json, Body=gzip.compress(b"\n".join(lines) + b"\n"))
            self._cloud.run_until(self._cloud.now + timedelta(minutes=1))
            for key in (truncated, not_json):
                output = s3.get_object(Bucket=self._outputs["transformed_bucket_name"], Key=outputs_key(key))
                became = json.load(output["Body"])
                rejected = next(name for name in became["outputs"] if "rejected_records" in name)
                file = s3.get_object(Bucket=self._outputs["transformed_bucket_name"], Key=rejected)["Body"].read()
                reasons = [str(reason) for reason in parquet.read_table(io.BytesIO(file))["reason"].to_pylist()]
                result.say(
                    f"{key}: {became['rows'][whole.stream]} of {pluralize(became['lines'], 'line')} became rows; "
                    f"reasons in rejected_records: {', '.join(reasons)}"
                )

    def run_named_queries(self) -> dict[str, QueryResult]:
        with self._steps.step("Run the named queries") as result:
            results = {}
            for name, query in named_queries(self._cloud.client("athena"), self._outputs["named_queries"]).items():
                result.progress(name)
                results[name] = self._query(query["QueryString"])
                result.say(f"{name}: {pluralize(len(results[name].rows), 'row')} in {results[name].seconds:.2f} s")
        return results

    def compare(self, console: Console) -> list[str]:
        """Print row counts next to those of the simulator's model; return the names of tables and views that differ."""
        with self._steps.step("Compare the rows with the simulator's model") as result:
            rows: list[tuple[str, int, int | None]] = []
            expected = self._expected()
            views = sorted(path.stem for path in (PROJECT / "queries" / "views").glob("*.sql"))
            for name in [*TABLES, *views]:
                result.progress(name)
                count = self._query(f'SELECT count(*) FROM "{name}"')  # noqa: S608 - a name of the project's own
                rows.append((name, int(count.rows[0][0] or 0), expected.get(name)))
        marks = {True: "equal", False: "DIFFERENT"}
        print_tables(
            console,
            table(
                "Rows in SQL and in the simulator's model",
                ("view", "rows", "model", ""),
                [(name, count, model, marks[count == model]) for name, count, model in rows if model is not None],
                caption="An unsaved track remains in current_saved_tracks until the next full read.",
            ),
            table(
                "Rows in the other tables and views",
                ("table or view", "rows"),
                [(name, count) for name, count, model in rows if model is None],
            ),
        )
        empty = [name for name, count, model in rows if count == 0 and model is None and name not in _MAY_BE_EMPTY]
        return empty + [name for name, count, model in rows if model is not None and count != model]

    def save(self, folder: Path) -> None:
        with self._steps.step("Save the tables, views and queries") as result:
            saved = save_lake(self._cloud.client, self._outputs, folder)
            result.say(f"{pluralize(saved.files, 'Parquet file')} and {saved.database.name}")

    def _expected(self) -> dict[str, int]:
        library = self._library
        return {
            "current_profile": 1,
            "current_playlists": len(library.playlists),
            "current_playlist_items": _entries(library),
            "current_saved_tracks": len(self._saved_since_full_read()),
            "current_top_tracks": sum(len(library.top_tracks(one)) for one in TIME_RANGES),
            "current_top_artists": sum(len(library.top_artists(one)) for one in TIME_RANGES),
            **{f"current_{kind.name}": len(library.saved(kind)) for kind in SAVED_KINDS},
            "current_catalogue": len(self._catalogue) + len(library.artist_albums(self._catalogue[0].split(":")[2])),
            "listens": len(library.plays_polled_since(_FIRST_POLL)),
            # Labels come from a file of the listener's, who has none.
            "labels": 0,
            "current_labels": 0,
        }

    def _saved_since_full_read(self) -> set[str]:
        # An unsaved track remains until the next full read.
        full = self._days - self._days % FULL_READ_DAYS
        mornings = (self._library.at(_FIRST_DAILY_RUN + timedelta(days=day)) for day in range(full, self._days + 1))
        return {saved.track.uri for morning in mornings for saved in morning.saved_tracks}

    def _query(self, sql: str) -> QueryResult:
        return run_query(
            self._cloud.client("athena"),
            sql,
            database=self._outputs["glue_database_name"],
            workgroup=self._outputs["athena_workgroup_name"],
        )

    def _objects(self, bucket_output: str, prefix: str) -> Iterator[str]:
        pages = self._cloud.client("s3").get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._outputs[bucket_output], Prefix=prefix):
            yield from (found["Key"] for found in page.get("Contents", ()))

    def _manifests(self) -> Iterator[dict[str, Any]]:
        s3, bucket = self._cloud.client("s3"), self._outputs["raw_bucket_name"]
        for key in self._objects("raw_bucket_name", RUNS_PREFIX):
            yield json.load(s3.get_object(Bucket=bucket, Key=key)["Body"])


def _begins_blank(text: str) -> bool:
    return text.startswith(" ") or not text.strip()


def _example(folder: Path) -> str:
    """Return a shell command that queries the saved lake with DuckDB."""
    # Double quotes, which a shell leaves alone between its single ones.
    database = json.dumps(str(folder / DATABASE_FILE))
    code = f'import duckdb; print(duckdb.connect({database}).sql("from queries.top_artists limit 5"))'
    return shlex.join([sys.executable, "-c", code])


def _entries(library: Library) -> int:
    return sum(len(library.playlist_entries(playlist.playlist_id)) for playlist in library.readable_playlists)


def _count(steps: Sequence[Step], kind: str) -> int:
    return sum(step.kind == kind for step in steps)


def _claim(folder: Path) -> None:
    """Mark a folder as the demo's own; the demo writes only to such folders.

    Raises:
        CommandError: it contains other files, or cannot be created.
    """
    try:
        if folder.is_dir() and not (folder / _MARKER).exists() and any(folder.iterdir()):
            raise CommandError(f"{folder} contains other files: pass another --folder.")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _MARKER).touch()
    except OSError as error:
        raise CommandError(f"{folder} cannot be used ({error.strerror}): pass another --folder.") from error


def _show(console: Console, results: Mapping[str, QueryResult]) -> None:
    for name, columns in _SHOWN.items():
        result = results[name]
        more = len(result.rows) - _SAMPLE_ROWS
        shown = [result.columns.index(column) for column in columns]
        # Names that are blank or begin with blanks are sorted first; they would be all that is seen.
        rows = sorted(result.rows, key=lambda row: _begins_blank(row[shown[0]] or ""))
        print_tables(
            console,
            table(
                name,
                columns,
                [[row[index] for index in shown] for row in rows[:_SAMPLE_ROWS]],
                caption=f"and {more} more" if more > 0 else None,
            ),
        )
    hours = results["listening_by_hour_and_weekday"]
    hour, listens = hours.columns.index("hour_of_day"), hours.columns.index("listens")
    by_hour = [sum(int(row[listens] or 0) for row in hours.rows if row[hour] == str(one)) for one in range(24)]
    print_tables(
        console,
        bar_chart(f"Plays by hour in {TIMEZONE}", [(f"{one:02}", by_hour[one]) for one in range(24)]),
    )
