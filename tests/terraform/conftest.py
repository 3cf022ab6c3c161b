"""An empty cloud, and the pipeline that Terraform deploys to it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.embedded_aws.stage import Stage, zipped
from tests.markdown import blocks
from tests.pipeline.program import ROOT
from tests.terraform.terraform import Terraform, TerraformError

_CONFIGURATION = Path(__file__).parent / "weather"
_PROVIDER_PAGE = ROOT / "docs" / "local-cloud.md"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Run an empty cloud."""
    with Stage(tmp_path_factory.mktemp("cloud"), any_python=True) as stage:
        yield stage


@pytest.fixture(scope="module")
def terraform(cloud: Stage, tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    """Return Terraform with the configuration, the provider's settings of the docs, and nothing deployed."""
    folder, packages = tmp_path_factory.mktemp("weather"), tmp_path_factory.mktemp("packages")
    for source in _CONFIGURATION.glob("*.tf"):
        shutil.copy(source, folder)
    (provider,) = blocks(_PROVIDER_PAGE, "hcl")
    (folder / "provider.tf").write_text(provider, encoding="utf-8")
    for source in (_CONFIGURATION / "functions").glob("*.py"):
        (packages / f"{source.stem}.zip").write_bytes(zipped({"main.py": source.read_text(encoding="utf-8")}))
    (packages / "layer.zip").write_bytes(zipped({"requirements.lock": f"pyarrow=={version('pyarrow')}\n"}))
    try:
        return Terraform(cloud, folder, {"packages": str(packages), "pyarrow": version("pyarrow")})
    except TerraformError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
