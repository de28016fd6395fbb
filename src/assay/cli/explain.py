"""`assay explain`: explains a finding, the source of its rule, and how to fix it."""

from __future__ import annotations

import argparse
import dataclasses

from assay.cli.terminal import say, say_json

HELP = "what a finding code means, where the rule stands and how to fix it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", nargs="?", help="code of a finding, as P10")
    parser.add_argument("--all", action="store_true", help="print docs/rules.md")


def run(args: argparse.Namespace) -> int:
    import json

    from assay.audit import defects
    from assay.ground.errors import ConfigError
    from assay.mlperf.checker import rule, rules_text

    if args.all:
        text, found = rules_text.document() + defects.document(), [*rule.RULES, *defects.DEFECTS]
    elif args.code is None:
        raise ConfigError("which finding?", "assay explain P10, or assay explain --all")
    else:
        defect = defects.DEFECTS.get(args.code.upper())
        text = (defects.explain(defect) if defect else rules_text.explain(rules_text.get(args.code))) + "\n"
        found = [args.code.upper()]
    if args.json:
        say_json(json.dumps({"codes": [_facts(code) for code in found]}))
    else:
        say(text, end="")
    return 0


def _facts(code: str) -> dict[str, str | None]:
    """A code of the checker or of an audit. Only the checker's codes have a severity."""
    from assay.audit import defects
    from assay.mlperf.checker import rules_text

    if defect := defects.DEFECTS.get(code):
        return {"severity": None, **dataclasses.asdict(defect)}
    found = rules_text.get(code)
    severity = found.severity.value
    return {
        "severity": severity,
        **{name: getattr(found, name) for name in ("code", "title", "source", "fix")},
    }
