"""What a call of `spotify-etl query` asks for, and whether that makes sense."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cli.errors import CommandError
from cli.query.charts import SUFFIXES

FORMATS = ("table", "csv", "json", "parquet")
_FORMAT_OF_SUFFIX = {".csv": "csv", ".json": "json", ".jsonl": "json", ".ndjson": "json", ".parquet": "parquet"}


@dataclass(frozen=True, kw_only=True)
class QueryRequest:
    """What is asked, and where the rows go."""

    name: str = ""
    """Of a named query."""
    sql: str = ""
    file: Path | None = None
    """A file with SQL; `-` is standard input."""
    form: str = ""
    """One of `FORMATS`; '' for what the name of `out` says, or a table."""
    out: Path | None = None
    """The file to write; None for standard output."""
    chart: bool = False
    """Whether to draw the rows."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    interactive: bool = False
    """Whether to read queries from the terminal."""

    @property
    def names_a_query(self) -> bool:
        """Whether it says which query to run."""
        return bool(self.name or self.sql or self.file)

    @property
    def _has_options(self) -> bool:
        return bool(self.form or self.out or self.chart or self.parameters)

    def checked_form(self) -> str:
        """Return the format of the rows, one of `FORMATS`.

        Raises:
            CommandError: options contradict each other.
        """
        if self.interactive:
            self._check_shell()
            return "table"
        if sum(map(bool, (self.name, self.sql, self.file))) > 1:
            raise CommandError("Pass one of NAME, --sql and --file: a command runs one query.")
        if self._has_options and not self.names_a_query:
            raise CommandError("Which query? Pass a name, --sql or --file; without options, the names are listed.")
        if self.out and not self.out.parent.is_dir():
            raise CommandError(f"There is no folder {self.out.parent} for {self.out.name}: create it first.")
        if self.chart:
            self._check_chart()
            return "table"
        return self._form_of_rows()

    def _check_shell(self) -> None:
        if self.names_a_query or self._has_options:
            raise CommandError("Pass --shell alone: it reads queries from the terminal, and shows tables.")
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise CommandError("--shell needs a terminal: pass SQL from elsewhere with --file.")

    def _check_chart(self) -> None:
        if self.form:
            raise CommandError("Pass either --chart or --format: a chart is not a list of rows.")
        if self.out and self.out.suffix not in SUFFIXES:
            raise CommandError(f"A chart is an image or a page: --out must end with {', '.join(SUFFIXES)}.")

    def _form_of_rows(self) -> str:
        if self.form and self.form not in FORMATS:
            raise CommandError(f"There is no format {self.form}: choose one of {', '.join(FORMATS)}.")
        form = self.form or (_FORMAT_OF_SUFFIX.get(self.out.suffix.lower(), "") if self.out else "table")
        if self.out and form in {"", "table"}:
            raise CommandError(
                "Which format? Pass --format csv, json or parquet, or an --out that ends with one of them."
            )
        if form == "parquet" and not self.out and sys.stdout.isatty():
            raise CommandError("Parquet is not text: pass a file with --out, or redirect the output.")
        return form
