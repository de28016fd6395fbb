# mypy: ignore-errors
"""The `utils` module that hooks of MLC import by this name. It can be imported only while a hook runs."""

import logging

from cmind.utils import *  # noqa: F403

from assay.recipes.contract.helpers import (  # noqa: F401
    download_file,
    get_host_os_info,
    is_false,
    is_true,
    list_files_recursively,
    system,
    unzip_file,
)

logger = logging.getLogger("assay.recipes")


def compare_versions(i):
    """Returns `comparison` of version1 and version2: -1, 0 or 1."""
    from cmind.utils import compare_versions as compare

    return {"return": 0, "comparison": compare(i["version1"], i["version2"])}
