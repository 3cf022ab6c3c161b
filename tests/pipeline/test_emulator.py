"""On which machines Amazon's emulator of Lambda's runtime interface can be built."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.pipeline.emulator.building import FOLDER, EmulatorError, build, find_go, obstacle


def install(folder: Path, script: str) -> str:
    """Put a `go` that is a shell script into a folder, and return its path."""
    go = folder / "go"
    go.write_text(f"#!/bin/sh\n{script}\n")
    go.chmod(0o755)
    return str(go)


def test_go_is_used_only_if_it_is_new_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_go() is None
    go = install(tmp_path, "echo go version go1.19.8 linux/amd64")
    assert find_go() is None
    found = re.search(r"^go (.+)$", (FOLDER / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    assert obstacle() == f"there is no Go {found[1]} or later on PATH"
    install(tmp_path, f"echo go version go{found[1]} linux/amd64")
    assert find_go() == go
    assert obstacle() is None
    install(tmp_path, "echo no such thing; exit 1")
    assert find_go() is None


def test_modules_out_of_reach_are_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    install(tmp_path, "[ $1 = version ] && echo go version go9.0 linux/amd64 && exit 0; echo no such host >&2; exit 1")
    assert obstacle() == "Go does not reach the emulator's modules (no such host)"


def test_failed_build_is_a_sentence(tmp_path: Path) -> None:
    go = install(tmp_path, "echo 'dial tcp: no such host' >&2; exit 1")
    with pytest.raises(EmulatorError, match=r"^Go could not build .* It said: dial tcp: no such host$"):
        build(go, tmp_path / "emulator")
