"""`spotify-etl labels`: imports a person's own labels and exclusions, in place of those before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from cli.import_history import account_logged_in
from cli.import_manifest import Run, write_manifest
from cli.label_files import Label, read_labels
from cli.presentation import pluralize, print_line
from cli.raw_bucket import raw_bucket
from cli.targets import Target
from handlers import layout
from handlers.raw.manifest import UnitRow
from handlers.raw.objects import RawWriter

STREAM = "labels"

_NOTHING = {"subject": "", "label": None, "excluded": False}
"""The only line of an import without labels, which would otherwise leave no trace and keep those before."""


def import_labels(path: Path, target: Target, *, account_id: str, console: Console) -> None:
    """Import the labels of a file; those of earlier files no longer count.

    Args:
        path: a CSV file with the columns subject, label and excluded.
        target: the pipeline.
        account_id: whose labels they are; '' for the logged-in account.
        console: where the result is printed.

    Raises:
        CommandError: the file cannot be understood, the account is not known yet, or AWS refused a request.
    """
    labels = read_labels(path)
    target.announce(console)
    with raw_bucket(target.output("raw_bucket_name"), target.client("s3")) as bucket, TemporaryDirectory() as folder:
        run = Run(account_id or account_logged_in(bucket.get(layout.LOGIN_STATE_KEY)), datetime.now(UTC))
        source = _LabelSource(run.started_at)
        with RawWriter(
            bucket,
            Path(folder),
            stream=STREAM,
            unit="",
            run_id=run.id,
            read_id=run.id,
            account_id=run.account_id,
        ) as raw:
            for record in [asdict(label) for label in labels] or [_NOTHING]:
                raw.add(record, source)
        unit = UnitRow(
            stream=STREAM,
            mode="full",
            read_id=run.id,
            status="complete",
            records=raw.records,
            objects=len(raw.keys),
            read_complete=True,
            read_keys=list(raw.keys),
            read_records=raw.records,
        )
        write_manifest(bucket, run, [unit])
    print_line(console, f"{_summary(labels)} They replace all earlier ones once they are in the tables: in a minute,")
    print_line(console, "run `spotify-etl crawl`, or wait for the next scheduled crawl.")


@dataclass(frozen=True)
class _LabelSource:
    """The source of the labels: no request, and the time at which the import began."""

    extracted_at: datetime
    path: str = ""
    params: Mapping[str, str] = field(default_factory=dict)


def _summary(labels: Sequence[Label]) -> str:
    if not labels:
        return "The file has no labels."
    excluded = sum(label.excluded for label in labels)
    return f"Imported {pluralize(len(labels), 'label')}" + (f", {excluded:,} of them exclusions." if excluded else ".")
