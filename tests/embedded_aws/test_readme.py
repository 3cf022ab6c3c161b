"""The pipeline of the README, as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

README = Path(__file__).parents[2] / "embedded_aws" / "README.md"


def test_pipeline_of_the_readme_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - the README's own code
    assert names["failed"] == []
    assert f"# {names['answer']}" in code
    assert names["answer"] == [["n", "mean"], ["3", "21.5"]]
