"""Serves `cmind.access` calls from Python processes that recipes start: JSON in, JSON out."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from assay.recipes.actions.dispatch import access_for
from assay.recipes.home.location import home_from
from assay.recipes.run.console import Quiet
from assay.recipes.run.context import Context
from assay.recipes.tools.records import as_json


def main() -> int:
    request = json.load(sys.stdin)
    home = home_from(os.environ, os.environ.get("ASSAY_DIALECT", "cm"))
    answer = access_for(Context(home, Quiet(), os.environ))(request)
    if isinstance(answer.get("list"), list):
        answer["list"] = [{"path": str(Path(found.path)), "meta": found.meta} for found in answer["list"]]
    sys.stdout.write(as_json(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
