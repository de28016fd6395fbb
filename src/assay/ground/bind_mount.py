"""The option of podman and docker that mounts a path of the host, whatever characters its name has."""

from __future__ import annotations

import csv
import io
from pathlib import Path


def bind_mount(source: Path | str, target: Path | str, *options: str) -> list[str]:
    """`--mount …` for an existing `source`. `--volume` would end a path at its first colon.

    The value is one line of CSV, so a path may hold a comma or a quote too. Source: podman-run(1), docker-run(1).
    """
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(
        ["type=bind", f"source={source}", f"target={target}", *options]
    )
    return ["--mount", line.getvalue().removesuffix("\n")]
