# mypy: ignore-errors
"""`mlc.utils`: the helpers of `cmind.utils` under their other name."""

from cmind.utils import *  # noqa: F403
