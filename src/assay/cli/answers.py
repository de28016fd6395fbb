"""`assay answers`: the prompts of a run, its answers, the reference answers and the verdicts."""

from __future__ import annotations

import argparse

from assay.cli.terminal import say, say_json
from assay.config import Scenario
from assay.ground import paths
from assay.ground.errors import ConfigError, did_you_mean

HELP = "what a run was asked, what it answered, what is true, and the verdict"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", type=paths.source, help="run folder with an accuracy run")
    parser.add_argument("--scenario", type=scenario, help="scenario of the accuracy run (default: the first)")
    parser.add_argument("--subset", help="only this part of the dataset, as GSM8K")
    parser.add_argument("--wrong", action="store_true", help="only answers that were judged wrong")
    parser.add_argument("--dataset", type=paths.source, help="the run's dataset, if it has been moved")
    parser.add_argument(
        "--tokenizer", type=paths.source, help="folder of the tokenizer (default: as in the run)"
    )
    parser.add_argument(
        "--html", metavar="FILE", type=paths.given, help="write them as one self-contained page with filters"
    )


def scenario(text: str) -> Scenario:
    """Raises: ConfigError for a name that no scenario has."""
    found = Scenario.named(text)
    if found is None:
        names = [each.value.lower() for each in Scenario]
        raise ConfigError(f"--scenario: no scenario {text!r}", did_you_mean(text, names))
    return found


def run(args: argparse.Namespace) -> int:
    import dataclasses
    import json

    from assay.ground import files
    from assay.ground.count import counted
    from assay.mlperf.record.run_folder import RunFolder
    from assay.report import answers, answers_page

    wanted = answers.AnswerFilter(args.scenario, args.subset, args.wrong, args.dataset, args.tokenizer)
    found = answers.of(RunFolder(args.run), wanted)
    if args.html is not None:
        files.write_text(args.html, answers_page.render(args.run.name or str(args.run), found))
    if args.json:
        say_json(json.dumps({"answers": [dataclasses.asdict(answer) for answer in found]}))
        return 0
    if args.html is not None:
        say(f"{counted(len(found), 'answer')}: {args.html}")
        return 0
    for answer in found:
        say("\n".join(answers.lines(answer)) + "\n")
    say(counted(len(found), "answer"))
    return 0
