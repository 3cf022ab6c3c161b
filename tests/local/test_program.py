from __future__ import annotations

from pathlib import Path

from local.program import program_digest
from tests.pipeline.program import ROOT


def test_each_file_and_setting_of_the_program_counts(tmp_path: Path) -> None:
    (tmp_path / "handlers").mkdir()
    main, handler = tmp_path / "__main__.py", tmp_path / "handlers" / "one.py"
    main.write_text("a")
    handler.write_text("b")
    digests = [program_digest(tmp_path, {"timezone": "UTC"})]
    assert program_digest(tmp_path, {"timezone": "UTC"}) == digests[0]
    (tmp_path / "notes.md").write_text("not part of it")
    assert program_digest(tmp_path, {"timezone": "UTC"}) == digests[0]
    digests.append(program_digest(tmp_path, {"timezone": "Europe/Berlin"}))
    handler.write_text("changed")
    digests.append(program_digest(tmp_path, {"timezone": "UTC"}))
    handler.rename(tmp_path / "handlers" / "two.py")
    digests.append(program_digest(tmp_path, {"timezone": "UTC"}))
    main.write_text("ab")
    digests.append(program_digest(tmp_path, {"timezone": "UTC"}))
    assert len(set(digests)) == len(digests)


def test_the_projects_own_program_is_found(tmp_path: Path) -> None:
    assert program_digest(ROOT, {}) != program_digest(tmp_path, {})
