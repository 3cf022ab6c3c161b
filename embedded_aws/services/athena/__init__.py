"""Athena: moto's API, with SQL run on DuckDB over the tables of the Glue catalog."""

from embedded_aws.services.athena.engine import AthenaEngine

__all__ = ["AthenaEngine"]
