"""Errors of a data folder."""

from __future__ import annotations


class DataError(Exception):
    """The account's state cannot be read or saved."""


class DataInUseError(DataError):
    """Another process uses the data folder."""


class DataVersionError(DataError):
    """Another version wrote the data folder."""


class DataDamagedError(DataError):
    """The data folder cannot be read."""


class DataNotSavedError(DataError):
    """A change cannot be saved, for instance because the disk is full."""
