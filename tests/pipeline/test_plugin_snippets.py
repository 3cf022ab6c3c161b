"""The snippets of plugin/README.md and the YAML example use names that the component has."""

from __future__ import annotations

import json
import re

import yaml

from pipeline.settings import NAMESPACE
from tests.pipeline.program import ROOT

README = (ROOT / "plugin" / "README.md").read_text(encoding="utf-8")
SCHEMA = json.loads((ROOT / "plugin" / "schema.json").read_text(encoding="utf-8"))
[(TOKEN, COMPONENT)] = SCHEMA["resources"].items()
NAME = TOKEN.rpartition(":")[2]


def snippet(language: str) -> str:
    """Return the one snippet in a language."""
    [found] = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return str(found)


def test_typescript() -> None:
    code = snippet("ts")
    assert f'from "@pulumi/{SCHEMA["name"]}"' in code
    [arguments] = re.findall(rf"new \w+\.{NAME}\([^{{]*{{(.*)}}\)", code)
    used = re.findall(r"(\w+): ", arguments)
    assert used
    assert set(used) <= set(COMPONENT["inputProperties"])
    outputs = re.findall(r"= pipeline\.(\w+)", code)
    assert outputs
    assert set(outputs) <= set(COMPONENT["properties"])


def test_go() -> None:
    code = snippet("go")
    package = SCHEMA["name"].replace("-", "")
    assert f"{package}.New{NAME}(ctx" in code
    assert f"&{package}.{NAME}Args{{" in code
    used = re.findall(r"^\t(\w)(\w*): +pulumi\.StringRef\(", code, re.MULTILINE)
    assert used
    for head, tail in used:
        described = COMPONENT["inputProperties"][head.lower() + tail]
        # Of a plain and optional input, Pulumi makes a pointer.
        assert (described["type"], described["plain"]) == ("string", True)


def test_yaml_example() -> None:
    project = yaml.safe_load((ROOT / "examples" / "yaml" / "Pulumi.yaml").read_text(encoding="utf-8"))
    pipeline = project["resources"]["pipeline"]
    assert pipeline["type"] == f"{NAMESPACE}:{NAME}"
    assert set(pipeline["properties"]) <= set(COMPONENT["inputProperties"])
    outputs = {text.removeprefix("${pipeline.")[:-1] for text in project["outputs"].values()}
    assert outputs == set(COMPONENT["properties"])
