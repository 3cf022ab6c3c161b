"""Spotify on 127.0.0.1: a library that lives in simulated time, and a simulator that serves it as the Web API does."""

from __future__ import annotations

from local.spotify.faults import FAULTS, Fault
from local.spotify.library import Library
from local.spotify.plan import LibraryPlan
from local.spotify.quotas import Quota
from local.spotify.simulator import Simulator

__all__ = ["FAULTS", "Fault", "Library", "LibraryPlan", "Quota", "Simulator"]
