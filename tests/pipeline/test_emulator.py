"""On which machines Amazon's emulator of Lambda's runtime interface can be built."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.emulator.building import EmulatorError, build, find_go, needed


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
    install(tmp_path, f"echo go version go{'.'.join(map(str, needed()))} linux/amd64")
    assert find_go() == go
    install(tmp_path, "echo no such thing; exit 1")
    assert find_go() is None


def test_failed_build_is_a_sentence(tmp_path: Path) -> None:
    go = install(tmp_path, "echo 'dial tcp: no such host' >&2; exit 1")
    with pytest.raises(EmulatorError, match=r"^Go could not build .* It said: dial tcp: no such host$"):
        build(go, tmp_path / "emulator")
