# mypy: ignore-errors
"""`mlc.utils`: the same helpers as `cmind.utils`."""

from cmind.utils import *  # noqa: F403
