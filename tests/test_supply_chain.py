"""Everything is installed by hash: the locks, and every command that installs something."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = sorted(ROOT.glob("*.lock"))
# What may install: the commands of the project, and what its own programs start.
INSTALLING = [
    ROOT / "Makefile",
    *sorted((ROOT / ".ci").iterdir()),
    *sorted((ROOT / "scripts").glob("*")),
    *sorted((ROOT / "pipeline").glob("*.py")),
    ROOT / "Pulumi.yaml",
]
_INSTALL = re.compile(
    r"\bpip\b[^;&|]*?\binstall\b|\buvx?\b (?:pip (?:install|sync)|tool|run|add|sync)|\bnpm\b|\bcurl\b|\bwget\b"
)
_REQUIREMENT = re.compile(r"(?P<name>[a-z0-9][a-z0-9.-]*)(?:\[[a-z0-9, -]+\])?==(?P<version>[^\s;]+)(?: ; .+)?")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def unpinned(source: str) -> list[str]:
    """Return the commands in a text that install something without a hash.

    The project itself may be installed from its folder, without its dependencies and without downloading a build tool.
    """
    commands = re.split(r";(?: \\)?\n|&&|\|\||\n(?=\S)|\n\t|\n\n", source.replace("\\\n", " "))
    return [
        command.strip()
        for command in commands
        if _INSTALL.search(re.sub(r"[\"',]+", "", command))
        and "--require-hashes" not in command
        and not all(option in command for option in ("--no-deps", "--no-build-isolation", "--editable ."))
    ]


def unhashed(lock: str) -> list[str]:
    """Return the entries of a lock that are not a name, a version and hashes."""
    entries = re.split(r"\n(?=\S)", lock.strip())
    found = []
    for entry in entries:
        requirement, *hashes = re.split(r" \\\n +", entry)
        if not (_REQUIREMENT.fullmatch(requirement) and hashes and all(_HASH.fullmatch(one) for one in hashes)):
            found.append(entry)
    return found


@pytest.mark.parametrize("path", [path for path in INSTALLING if path.is_file()], ids=lambda path: path.name)
def test_no_command_installs_without_hashes(path: Path) -> None:
    assert unpinned(path.read_text(encoding="utf-8")) == []


def test_the_makefile_has_commands_that_install() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert len(re.findall(r"pip \S+ install", makefile)) == 5
    assert len(unpinned(makefile.replace("--require-hashes", "").replace("--no-deps", ""))) == 5


@pytest.mark.parametrize(
    "command",
    [
        "\t@python -m pip install uv==0.13.9\n",
        "\t@python -m pip install --quiet -r requirements.lock\n",
        "\tpython -m pip install --require-hashes -r a.lock && python -m pip install b\n",
        "\tpython -m pip install --editable .\n",
        '*(sys.executable, "-m", "pip", "install", "--quiet"),\n',
        "\tcurl -LsSf https://example.org/install.sh | sh\n",
        "\tbuild/uv/bin/uv tool install ruff\n",
    ],
)
def test_that_check_sees_a_command_without_hashes(command: str) -> None:
    assert unpinned(f"target:\n{command}")


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_entry_of_a_lock_has_its_hashes_and_nothing_names_an_index(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert unhashed(text) == []
    assert "://" not in text


@pytest.mark.parametrize(
    "lock",
    [
        "six==1.17.0\n",
        "six>=1.17.0 \\\n    --hash=sha256:" + "0" * 64,
        "six==1.17.0 \\\n    --hash=md5:" + "0" * 32,
        "six @ https://example.org/six.whl \\\n    --hash=sha256:" + "0" * 64,
        "--index-url https://example.org/simple",
        "--find-links wheels",
        "-e .",
    ],
)
def test_that_check_sees_an_entry_without_hashes(lock: str) -> None:
    good = "uv==0.13.9 \\\n    --hash=sha256:" + "1" * 64
    assert unhashed(good) == []
    assert unhashed(f"{good}\n{lock}\n") == [lock.strip()]


def test_every_lock_holds_the_versions_that_the_project_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups: dict[str, list[str | dict[str, str]]] = project["dependency-groups"]
    named = {
        "requirements.lock": project["project"]["dependencies"],
        **{
            f"requirements-{name}.lock": groups[name]
            for name in ("clients", "dbt", "dev", "extract", "publish", "runtime", "transform", "uv")
        },
    }
    assert sorted(named) == [lock.name for lock in LOCKS]
    for name, requirements in named.items():
        locked = {match[0] for match in re.finditer(r"^[a-z0-9.-]+==[^\s;]+", (ROOT / name).read_text(), re.MULTILINE)}
        plain = {re.sub(r"\[.*\]", "", one) for one in requirements if isinstance(one, str)}
        assert plain <= locked, name
