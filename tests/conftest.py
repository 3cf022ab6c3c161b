"""What applies to every test."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# No test depends on how fast the machine is at the moment.
settings.register_profile(
    "untimed",
    settings.get_profile(settings.get_current_profile_name()),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("untimed")
