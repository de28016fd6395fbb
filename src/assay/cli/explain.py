"""`assay explain`: explains a finding, the source of its rule, and how to fix it."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping, Sequence

from assay.cli.terminal import say, say_json

HELP = "what a finding code means, where the rule stands and how to fix it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", nargs="*", help="codes of findings, as P10; without one a list of all")
    parser.add_argument("--all", action="store_true", help="print docs/rules.md")


def run(args: argparse.Namespace) -> int:
    """Raises: ConfigError for a code that neither the checker nor an audit has."""
    import json

    from assay.audit import defects
    from assay.ground.errors import ConfigError, did_you_mean
    from assay.mlperf.checker import rule, rules_text

    known = [*rule.RULES, *defects.DEFECTS]
    asked = [code.upper() for code in args.code]
    for code in asked:
        if code not in known:
            near = did_you_mean(code, known)
            listed = "`assay explain` lists all codes"
            raise ConfigError(
                f"no finding has the code {code!r}", near if near.startswith("did you mean") else listed
            )
    found = known if args.all else asked or sorted(known, key=_natural)
    if args.json:
        say_json(json.dumps({"codes": [_facts(code) for code in found]}))
    elif args.all:
        say(rules_text.document() + defects.document(), end="")
    elif not asked:
        say(_list([_facts(code) for code in found]))
    else:
        told = [
            defects.explain(defects.DEFECTS[code])
            if code in defects.DEFECTS
            else rules_text.explain(rule.RULES[code])
            for code in asked
        ]
        say("\n\n".join(told))
    return 0


def _natural(code: str) -> tuple[str, int]:
    """A2 before A10."""
    return code[0], int(code[1:])


def _list(found: Sequence[Mapping[str, str | None]]) -> str:
    """A line for each code. Those of an audit have no severity."""
    lines = [f"{facts['code']:<5} {facts['severity'] or 'audit':<8} {facts['title']}" for facts in found]
    return "\n".join([*lines, "assay explain CODE: its rule, where that stands, and the fix"])


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
