"""Glue: crawlers."""
