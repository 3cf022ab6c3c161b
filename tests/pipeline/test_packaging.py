"""The archives that Lambda runs: their content, reproducibility and size."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import os
import re
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from pipeline import packaging
from pipeline.packaging import AWS_SERVICES, FUNCTIONS, LAYERS, PackagingError, build_code, build_layer
from tests.benchmarks.isolated_imports import import_seconds, lambdas_python, unpack
from tests.pipeline.program import ROOT, run

ZIPPED_BUDGETS = {"extract": 8_000_000, "transform": 40_000_000, "publish": 8_000_000}
"""Bytes, with byte code."""
LOCK = "requests==2.34.2 \\\n    --hash=sha256:0f3c\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Create a small project, with an order of files and leftovers that must not matter."""
    root = tmp_path / "project"
    for name, text in {
        "handlers/extract/handler.py": "handler = 1\n",
        "handlers/__init__.py": "",
        "handlers/extract/__init__.py": "",
        "handlers/__pycache__/layout.cpython-311.pyc": "no",
        "handlers/notes.md": "no",
        "queries/views/b.sql": "SELECT 2\n",
        "queries/views/a.sql": "SELECT 1\n",
        "queries/named/c.sql": "no",
        "pipeline/lake.py": "no",
        **{f"requirements-{function}.lock": LOCK for function in LAYERS},
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def names(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return archive.namelist()


def test_the_code_holds_the_handlers_and_the_views(root: Path) -> None:
    archive = build_code(root)

    assert names(archive.path) == [
        "handlers/__init__.py",
        "handlers/extract/__init__.py",
        "handlers/extract/handler.py",
        "queries/views/a.sql",
        "queries/views/b.sql",
    ]
    assert archive.path.parent == root / "build" / "code"
    assert archive.sha256 == base64.b64encode(hashlib.sha256(archive.path.read_bytes()).digest()).decode()


def test_the_same_sources_give_the_same_bytes_in_any_folder(root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(root, elsewhere)
    for number, path in enumerate(sorted(elsewhere.rglob("*.py"))):
        os.utime(path, (1_000_000_000 + number, 1_000_000_000 + number))
        path.chmod(0o700)

    assert build_code(root).path.read_bytes() == build_code(elsewhere).path.read_bytes()


def test_any_change_of_the_code_is_another_archive(root: Path) -> None:
    before = build_code(root)
    (root / "queries/views/a.sql").write_text("SELECT 3\n")
    after = build_code(root)

    assert before.sha256 != after.sha256
    assert before.path != after.path


def test_the_projects_own_code_is_what_its_folders_hold() -> None:
    expected = [
        *(path.relative_to(ROOT).as_posix() for path in (ROOT / "handlers").rglob("*.py")),
        *(path.relative_to(ROOT).as_posix() for path in (ROOT / "queries/views").glob("*.sql")),
    ]

    assert names(build_code().path) == sorted(expected)
    assert "handlers/layout.py" in expected


@pytest.mark.parametrize("function", LAYERS)
def test_a_layer_without_packages_holds_the_lock_file(
    root: Path, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPOTIFY_ETL_LAYERS", "locks")
    archive = build_layer(function, "arm64", root=root)

    with zipfile.ZipFile(archive.path) as opened:
        assert {name: opened.read(name).decode() for name in opened.namelist()} == {"requirements.lock": LOCK}


def fake_install(lock: Path, architecture: str, target: Path) -> None:
    """Install what pip would install, with everything that a layer leaves out."""
    assert lock.name == "requirements-transform.lock"
    assert architecture == "arm64"
    for name in KEPT + LEFT_OUT:
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


KEPT = [
    "boto3/session.py",
    "boto3/data/s3/2006-03-01/resources-1.json",
    "botocore/data/endpoints.json",
    "botocore/data/s3/2006-03-01/service-2.json.gz",
    "botocore/session.py",
    "pyarrow-26.0.1.dist-info/METADATA",
    "pyarrow/__init__.py",
    "pyarrow/_json.cpython-313-aarch64-linux-gnu.so",
    "pyarrow/_parquet.cpython-313-aarch64-linux-gnu.so",
    "pyarrow/libarrow.so.2600",
    "pyarrow/libarrow_python.so.2600",
    "pyarrow/libarrow_substrait.so.2600",
    "pyarrow/parquet/core.py",
    "six.py",
]
LEFT_OUT = [
    "bin/jp.py",
    "boto3/examples/s3.rst",
    "botocore/data/ec2/2016-11-15/service-2.json.gz",
    "pyarrow-26.0.1.dist-info/RECORD",
    "pyarrow-26.0.1.dist-info/direct_url.json",
    "pyarrow/__pycache__/fs.cpython-313.pyc",
    "pyarrow/_flight.cpython-313-aarch64-linux-gnu.so",
    "pyarrow/_parquet_encryption.cpython-313-aarch64-linux-gnu.so",
    "pyarrow/_pyarrow_cpp_tests.cpython-313-aarch64-linux-gnu.so",
    "pyarrow/_s3fs.cpython-313-aarch64-linux-gnu.so",
    "pyarrow/_substrait.cpython-313-aarch64-linux-gnu.so",
    "pyarrow/array.pxi",
    "pyarrow/include/arrow/api.h",
    "pyarrow/lib.pyx",
    "pyarrow/libarrow_flight.so.2600",
    "pyarrow/libarrow_python.so",
    "pyarrow/libarrow_python.so.2600.1.0",
    "pyarrow/libarrow_s3.so.2600",
    "pyarrow/src/arrow/python/api.h",
    "pyarrow/tests/test_json.py",
]


def test_a_layer_holds_what_lambda_needs_and_is_built_once(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPOTIFY_ETL_LAYERS", raising=False)
    installs: list[str] = []
    said: list[str] = []

    def install(lock: Path, architecture: str, target: Path) -> None:
        installs.append(lock.name)
        fake_install(lock, architecture, target)

    monkeypatch.setattr(packaging, "_install", install)
    monkeypatch.setattr(packaging, "byte_code_compiler", lambda: None)
    first = build_layer("transform", "arm64", root=root, log=said.append)
    again = build_layer("transform", "arm64", root=root, log=said.append)
    elsewhere = build_layer("transform", "arm64", root=root, build=tmp_path / "other", log=said.append)

    assert names(first.path) == sorted(["requirements.lock", *(f"python/{name}" for name in KEPT)])
    assert again == first
    assert elsewhere.path.read_bytes() == first.path.read_bytes()
    assert len(installs) == 2
    assert said[0].startswith("Building the layer of transform for arm64: installing requirements-transform.lock")
    assert re.fullmatch(r"Built the layer of transform: \d+\.\d MB\.", said[1])
    assert said[2].startswith(
        "The layer of transform has no byte code, since there is no Python 3.13 on this machine: the function takes a "
        "second longer to start, and a deployment from a machine that has one changes the layer again."
    )


def test_a_layer_has_byte_code_that_needs_no_source(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPOTIFY_ETL_LAYERS", raising=False)
    monkeypatch.setattr(packaging, "_install", fake_install)
    monkeypatch.setattr(packaging, "byte_code_compiler", lambda: None)
    without = build_layer("transform", "arm64", root=root)
    # Whichever Python runs the tests makes byte code of its own version.
    monkeypatch.setattr(packaging, "byte_code_compiler", lambda: sys.executable)
    said: list[str] = []
    layer = build_layer("transform", "arm64", root=root, log=said.append)
    elsewhere = build_layer("transform", "arm64", root=root, build=tmp_path / "other")

    assert elsewhere.path.read_bytes() == layer.path.read_bytes()
    assert without.path != layer.path
    assert len(said) == 2
    tag = sys.implementation.cache_tag
    sources = [name for name in KEPT if name.endswith(".py")]
    compiled = {f"{folder(name)}__pycache__/{Path(name).stem}.{tag}.pyc" for name in sources}
    assert set(names(layer.path)) == {"requirements.lock", *(f"python/{name}" for name in {*KEPT, *compiled})}
    with zipfile.ZipFile(layer.path) as opened:
        byte_code = opened.read(f"python/boto3/__pycache__/session.{tag}.pyc")
    assert byte_code[:4] == importlib.util.MAGIC_NUMBER
    # PEP 552: by the hash of its source, and never compared with it.
    assert int.from_bytes(byte_code[4:8], "little") == 0b01
    assert byte_code[8:16] == importlib.util.source_hash(b"x")
    assert b"/opt/python/boto3/session.py" in byte_code[16:]


def folder(name: str) -> str:
    return name.rpartition("/")[0] + "/" if "/" in name else ""


def test_a_package_that_cannot_be_compiled_is_one_sentence(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPOTIFY_ETL_LAYERS", raising=False)
    monkeypatch.setattr(packaging, "_install", lambda _lock, _machine, target: (target / "six.py").write_text("(\n"))
    monkeypatch.setattr(packaging, "byte_code_compiler", lambda: sys.executable)
    with pytest.raises(
        PackagingError, match=r"^A package of the layer cannot be compiled by Python 3\.13: .*SyntaxErr"
    ):
        build_layer("transform", "arm64", root=root)


@pytest.mark.parametrize(
    ("answer", "found"),
    [("echo cpython-313", True), ("echo cpython-314", False), ("echo pypy-313", False), ("exit 127", False)],
)
def test_byte_code_is_made_by_lambdas_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, found: bool
) -> None:
    python = tmp_path / "python3.13"
    python.write_text(f"#!/bin/sh\n{answer}\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    assert packaging.byte_code_compiler() == (str(python) if found else None)

    # This Python, if it is the right one, before any other.
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setenv("PATH", "")
    assert packaging.byte_code_compiler() == (str(python) if found else None)

    # pyenv's, although it is not selected.
    selected = tmp_path / "pyenv" / "versions" / "3.13.7" / "bin" / "python3.13"
    selected.parent.mkdir(parents=True)
    python.rename(selected)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert packaging.byte_code_compiler() == (str(selected) if found else None)


def test_another_lock_file_is_another_layer(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPOTIFY_ETL_LAYERS", raising=False)
    monkeypatch.setattr(packaging, "_install", fake_install)
    monkeypatch.setattr(packaging, "byte_code_compiler", lambda: None)
    before = build_layer("transform", "arm64", root=root)
    (root / "requirements-transform.lock").write_text(LOCK + "six==1.17.0\n")

    assert build_layer("transform", "arm64", root=root).path != before.path


@pytest.mark.slow
def test_a_layer_that_lambda_would_refuse_is_one_sentence(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPOTIFY_ETL_LAYERS", raising=False)
    monkeypatch.setattr(packaging, "_install", fake_install)
    monkeypatch.setattr(packaging, "MAX_ZIP_BYTES", 100)

    with pytest.raises(PackagingError, match=r"^The transform layer is 0\.0 MB .* remove a dependency from the group"):
        build_layer("transform", "arm64", root=root)
    assert not list((root / "build").rglob("*.zip"))


@pytest.mark.slow
def test_packages_that_cannot_be_installed_are_one_sentence(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPOTIFY_ETL_LAYERS", raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")

    with pytest.raises(PackagingError) as raised:
        build_layer("transform", "arm64", root=root)
    assert str(raised.value).startswith(
        "The packages of requirements-transform.lock could not be installed for arm64: "
    )
    assert "\n" not in str(raised.value)


def test_the_layers_botocore_knows_every_service_that_the_handlers_ask() -> None:
    asked = {
        service
        for path in (ROOT / "handlers").rglob("*.py")
        for service in re.findall(r"""\b(?:client|resource)\(\s*["']([a-z0-9-]+)["']""", path.read_text())
    }

    assert asked <= set(AWS_SERVICES)


def test_the_program_deploys_the_archives() -> None:
    program = run()

    assert {Path(each.inputs["code"].path) for each in program.all("Function").values()} == {build_code().path}
    for function in LAYERS:
        made = dict(program.one("LayerVersion", f"spotify-etl-{function}").inputs)
        path = Path(made.pop("code").path)
        assert names(path) == ["requirements.lock"]
        assert made == {
            "layerName": f"spotify-etl-{function}-dev",
            "sourceCodeHash": base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode(),
            "compatibleArchitectures": ["arm64"],
            "compatibleRuntimes": ["python3.13"],
        }


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
@pytest.mark.parametrize("function", LAYERS)
def test_the_real_layers_fit(function: str, architecture: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPOTIFY_ETL_LAYERS", raising=False)
    archive = build_layer(function, architecture)
    with zipfile.ZipFile(archive.path) as opened:
        unzipped = sum(entry.file_size for entry in opened.infolist())
        present = set(opened.namelist())
        assert opened.read("requirements.lock") == (ROOT / f"requirements-{function}.lock").read_bytes()

    assert archive.path.stat().st_size <= ZIPPED_BUDGETS[function]
    assert unzipped < 130_000_000
    machine = {"arm64": "aarch64", "x86_64": "x86_64"}[architecture]
    needed = {
        "extract": {"python/spotipy/client.py"},
        "transform": {f"python/pyarrow/_parquet.cpython-313-{machine}-linux-gnu.so", "python/isal/igzip.py"},
        "publish": set[str](),
    }
    assert needed[function] | {"python/boto3/__init__.py", "python/aws_lambda_powertools/__init__.py"} <= present
    assert not [name for name in present if "/pyarrow/tests/" in name]
    compiled = {name for name in present if name.endswith(".pyc")}
    assert len(compiled) == (
        len([name for name in present if name.endswith(".py")]) if packaging.byte_code_compiler() else 0
    )
    assert all(name.endswith(".cpython-313.pyc") for name in compiled)


@pytest.mark.slow
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handler_starts_from_the_archives_alone_and_from_byte_code(
    function: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPOTIFY_ETL_LAYERS", raising=False)
    python = lambdas_python(monkeypatch)
    paths = unpack(function, tmp_path)
    # Python must not look at the sources of what has byte code.
    for source in paths[1].rglob("*.py"):
        source.write_text("raise AssertionError(__file__)")
    assert import_seconds(python, function, paths) > 0


def test_make_build_builds_and_names_everything(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SPOTIFY_ETL_LAYERS", "locks")
    monkeypatch.setattr("sys.argv", ["packaging", "arm64", "x86_64"])
    packaging.main()

    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 2 * len(LAYERS)
    assert all(re.fullmatch(r"build/(code|layers/locks)/[0-9a-f]{16}\.zip  \d+\.\d MB", line) for line in lines)


def test_an_unknown_architecture_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["packaging", "sparc"])

    with pytest.raises(SystemExit, match=r"^Unknown architecture 'sparc': it must be one of arm64, x86_64\.$"):
        packaging.main()
