"""The ports of the local cloud."""

from __future__ import annotations

PORT = 4599
"""Port of AWS on 127.0.0.1 unless another one is chosen, also in `Pulumi.local.yaml`; the simulated Spotify has the
next one."""
