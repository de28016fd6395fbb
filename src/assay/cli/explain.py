"""`assay explain`: what a finding means, where the rule stands and how to fix it."""

from __future__ import annotations

import argparse

from assay.cli.terminal import say

HELP = "what a finding code means, where the rule stands and how to fix it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", nargs="?", help="code of a finding, as P10")
    parser.add_argument("--all", action="store_true", help="print docs/rules.md")


def run(args: argparse.Namespace) -> int:
    from assay.audit import defects
    from assay.ground.errors import ConfigError
    from assay.mlperf.checker import rules_text

    if args.all:
        say(rules_text.document() + defects.document(), end="")
        return 0
    if args.code is None:
        raise ConfigError("which finding?", "assay explain P10, or assay explain --all")
    defect = defects.DEFECTS.get(args.code.upper())
    say(defects.explain(defect) if defect else rules_text.explain(rules_text.get(args.code)))
    return 0
