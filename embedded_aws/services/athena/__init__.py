"""Athena on this machine: its API as moto has it, its SQL on DuckDB, its tables as the Glue catalog names them."""

from embedded_aws.services.athena.engine import AthenaEngine

__all__ = ["AthenaEngine"]
