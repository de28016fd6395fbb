"""`assay import`: converts records of other tools into run folders that can be shown and compared."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from assay.cli.terminal import say, say_json
from assay.ground import paths

if TYPE_CHECKING:
    from assay.bench.foreign import ForeignRun

HELP = "a record of LoadGen, vllm bench, guidellm, AIPerf or MLPerf Endpoints as a run folder"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "source",
        metavar="FILE|DIR",
        type=paths.source,
        help="JSON of a tool, a folder of it, a folder of LoadGen's logs, or a tree of them",
    )
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=paths.given,
        help="run folder to make; for several runs, the folder that gets them (default: ./assay-runs/NAME)",
    )


def run(args: argparse.Namespace) -> int:
    import json

    from assay.bench import foreign
    from assay.report import outcome

    found = runs_of(args.source)
    out = args.out or Path("assay-runs") / f"imported-{args.source.absolute().name}"
    listed = []
    for number, each in enumerate(found, 1):
        place = out if len(found) == 1 else out / f"{number:03}-{Path(each.model).name}"
        made = foreign.write(each, place)
        scenarios = list(dict.fromkeys(run.scenario for run in each.runs))
        came_to = str(outcome.of(made))
        listed.append(
            {
                "folder": str(place),
                "tool": each.tool,
                "model": each.model,
                "scenarios": scenarios,
                "outcome": came_to,
            }
        )
        if not args.json:
            say(f"{place}  {each.tool}, {each.model}, {', '.join(scenarios)}: {came_to}")
    if args.json:
        say_json(json.dumps({"runs": listed}))
    return 0


def runs_of(source: Path) -> list[ForeignRun]:
    """The runs in a file or folder. Raises: ArtifactError when it has no known form; ConfigError for what Assay has
    made itself."""
    from assay.bench import foreign_logs, foreign_tools
    from assay.ground.errors import ConfigError
    from assay.mlperf.record.run_folder import RunFolder

    if RunFolder(source).result.is_file():
        raise ConfigError(f"{source} is a run folder already", f"assay report {source}")
    if verb := RunFolder(source).made_by:
        raise ConfigError(
            f"{source} holds what `assay {verb}` measured; only records of other tools are imported"
        )
    if source.is_dir():
        if found := list(foreign_logs.runs(source)):
            return found
        return foreign_tools.runs_in(source)
    return foreign_tools.runs(foreign_tools.read(source), source)
