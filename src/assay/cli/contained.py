"""`python -m assay.cli.contained CONFIG`: the part of a benchmark that runs inside a container."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from assay.cli.terminal import say
from assay.ground import lifeline, settings
from assay.ground.errors import AssayError


def main(text: str) -> int:
    """Runs the benchmark of a config file. Returns the exit code of the error, as elsewhere."""
    lifeline.tie(sys.stdin.fileno())  # the process outside has the other end, unless it is detached
    settings.set_home(Path(os.environ["ASSAY_HOME"]))
    from assay.bench import contained

    # This process also ends when the process that holds the run folder ends.
    lifeline.tie_to_holder(contained.folder_of(text))
    from assay.bench.running import Reporter
    from assay.cli.progress import ProgressLine

    try:
        with ProgressLine(sys.stdout) as line:
            contained.inside(text, Reporter(line.say, line.show))
    except AssayError as error:
        say(f"assay: {error}")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
