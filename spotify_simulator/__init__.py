"""Spotify on 127.0.0.1: a library that changes in simulated time, served as the Web API serves it."""

from __future__ import annotations

from spotify_simulator.model.library import Library
from spotify_simulator.model.plan import LibraryPlan
from spotify_simulator.simulator import Shape, Simulator
from spotify_simulator.web.endpoints import SCOPES
from spotify_simulator.web.faults import FAULTS, Fault
from spotify_simulator.web.quotas import Quota

__all__ = ["FAULTS", "SCOPES", "Fault", "Library", "LibraryPlan", "Quota", "Shape", "Simulator"]
