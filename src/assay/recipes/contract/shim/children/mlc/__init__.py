# mypy: ignore-errors
"""The part of `mlc` that recipes import: the same as `cmind`, under its other name."""

from cmind import access  # noqa: F401

from . import utils  # noqa: F401

__version__ = "1.3.8"
