"""Where the project is."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
"""The folder of `Pulumi.yaml` and `queries/`."""
