"""What an empty cloud tells Pulumi."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import yaml

from cli.local_cloud.environment import export_lines
from cli.local_cloud.pulumi_stack import pulumi_commands, pulumi_variables, stack_configuration
from tests.cli.local_cloud.conftest import pretended
from tests.local.test_cloud_folder import RECORD
from tests.pipeline.program import ROOT


@pytest.mark.parametrize("spotify", ["simulated", "live"])
def test_the_configuration_has_the_ports_of_the_cloud(spotify: str) -> None:
    ours = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text())
    made = yaml.safe_load(stack_configuration(dataclasses.replace(RECORD, port=5001, spotify=spotify)))

    [endpoints] = made["config"].pop("aws:endpoints")
    assert set(endpoints.values()) == {"http://127.0.0.1:5001", "http://localhost:5001"}
    assert set(endpoints) == set(ours["config"].pop("aws:endpoints")[0])
    simulated = {
        "spotify-etl:spotifyApiUrl": "http://127.0.0.1:5002/v1/",
        "spotify-etl:spotifyAccountsUrl": "http://127.0.0.1:5002/",
    }
    assert made == {**ours, "config": {**ours["config"], **(simulated if spotify == "simulated" else {})}}


def test_only_an_empty_cloud_keeps_pulumis_state() -> None:
    full = pretended("/my data", "127.0.0.1:1", "key")
    empty = dataclasses.replace(full, outputs={})

    assert not [line for line in export_lines(full) if "PULUMI" in line]
    assert set(export_lines(empty)) - set(export_lines(full)) == {
        "export PULUMI_BACKEND_URL=file:///my%20data/pulumi",
        "export PULUMI_CONFIG_PASSPHRASE=''",
        "export SPOTIFY_ETL_LAYERS=locks",
    }
    assert pulumi_variables(Path("/my data"))["SPOTIFY_ETL_LAYERS"] == "locks"
    assert pulumi_commands(Path("/my data"))[-1][0] == ("pulumi up -s local --config-file '/my data/Pulumi.local.yaml'")
