# ruff: noqa: INP001 - a script, no package
"""The settings for `make docs`: `Pulumi.yaml` and docs/settings.md.

Types, defaults and allowed values come from `pipeline.settings`, descriptions from `SpotifyEtlPipelineArgs`.
"""

from __future__ import annotations

import dataclasses
import html
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi.provider.experimental.analyzer import Analyzer

from pipeline.settings import NAMESPACE, Rule, Settings, key
from pipeline.spotify_etl_pipeline import SpotifyEtlPipelineArgs

_PROJECT = f"""\
name: {NAMESPACE}
description: Your Spotify library and listening history as SQL tables in your own AWS account.
runtime:
  name: python
  options:
    virtualenv: .venv
# Every setting; a stack file sets it as {NAMESPACE}:<name>. `make docs` writes this section: the defaults are in
# pipeline/settings.py, the descriptions in pipeline/spotify_etl_pipeline.py.
config:
"""
_PAGE = """\
# Settings

Set one with `pulumi config set dailyAt 07:30`, or in `Pulumi.<stack>.yaml` as `spotify-etl:dailyAt`. A wrong or unknown
setting ends `pulumi up`, before anything is changed, with a sentence that says what is allowed or what may be meant.
Settings are not secrets: the stack's state has them in plain text. The region, the accounts that may be deployed to and
tags are [the AWS provider's](deploy.md#steps): `aws:region`, `aws:allowedAccountIds` and `aws:defaultTags`. `make docs`
writes this page from `pipeline/settings.py` and `pipeline/spotify_etl_pipeline.py`.
"""


@dataclass(frozen=True, kw_only=True)
class _Setting:
    name: str
    rule: Rule
    default: Any
    description: str


def pages() -> dict[Path, str]:
    """Return the text of every generated file by its path in the project."""
    return {Path("Pulumi.yaml"): project_file(), Path("docs/settings.md"): settings_page()}


def project_file() -> str:
    """Return `Pulumi.yaml`."""
    return _PROJECT + "".join(map(_config_entry, _settings()))


def settings_page() -> str:
    """Return docs/settings.md."""
    head = "| setting | type | default | allowed | meaning |\n|---|---|---|---|---|\n"
    return f"{_PAGE}\n{head}{''.join(map(_row, _settings()))}"


def _settings() -> Iterator[_Setting]:
    analyzer = Analyzer(NAMESPACE)
    for each in dataclasses.fields(Settings):
        default = list(each.default) if isinstance(each.default, tuple) else each.default
        # On one line: a row of the page ends with its line.
        description = " ".join((analyzer.get_docstring(SpotifyEtlPipelineArgs, each.name) or "").split())
        yield _Setting(name=key(each), rule=each.metadata["rule"], default=default, description=description)


def _config_entry(setting: _Setting) -> str:
    items = ("    items:", "      type: string") if setting.rule.type == "array" else ()
    lines = (
        f"  {setting.name}:",
        f"    type: {setting.rule.type}",
        *items,
        # JSON is YAML too, and its strings are quoted: a bare 06:00 is a number to some parsers.
        f"    default: {json.dumps(setting.default)}",
        f"    description: {json.dumps(setting.description)}",
    )
    return "".join(f"{line}\n" for line in lines)


def _row(setting: _Setting) -> str:
    type_name = "list of strings" if setting.rule.type == "array" else setting.rule.type
    allowed = html.escape(setting.rule.allowed, quote=False)
    cells = (f"`{setting.name}`", type_name, f"`{json.dumps(setting.default)}`", allowed, setting.description)
    return f"| {' | '.join(cells)} |\n"
