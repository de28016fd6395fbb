# mypy: ignore-errors
"""The part of `mlc` that recipes import. It is the same as `cmind`."""

from cmind import access  # noqa: F401

from . import utils  # noqa: F401

__version__ = "1.3.8"
