"""The rules as text: one of them for `assay explain`, all of them as docs/rules.md."""

from __future__ import annotations

import re

from assay.ground.errors import ConfigError, did_you_mean
from assay.mlperf.checker import rules  # noqa: F401  importing them registers them
from assay.mlperf.checker.rule import RULES, Rule

_MARKUP = re.compile(r"[<\[\]*&~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
FAMILIES = {
    "T": "Tree",
    "S": "System description",
    "M": "Benchmark and scenarios",
    "F": "Files of an entry",
    "P": "Performance run",
    "A": "Accuracy run",
    "C": "Compliance tests",
    "E": "Runs of MLPerf Endpoints",
    "W": "Power",
    "X": "What no official checker looks at",
    "N": "What could not be judged",
}

DIFFERENCES = (
    "P1: the modular checker (from v6.0), and for LLMs v4.1's, pass a run that LoadGen calls INVALID.",
    "F1, F2, T1 to T9: the modular checker looks at no surplus files, hidden names, blanks or empty folders; its "
    "predecessor, which judged the rounds to v5.1, does.",
    "T4, T16: a link that leads out of the tree is followed by the checkers, and broken once the tree is packed.",
    "F6, S6, P16: a file that cannot be read ends the official checkers with a traceback; here it is an error.",
    "T13: pipes, devices and folders that cannot be listed are passed over by the checkers.",
    "X12: a run that its README calls a fake is refused; no checker reads the README.",
)
"""What Assay refuses and the official checkers accept. Warnings refuse nothing."""


def get(code: str) -> Rule:
    """Raises: ConfigError for a code that no rule has."""
    if code.upper() not in RULES:
        raise ConfigError(f"no finding has the code {code!r}", did_you_mean(code.upper(), RULES))
    return RULES[code.upper()]


def explain(rule: Rule) -> str:
    return "\n".join(
        [
            f"{rule.code}  {rule.title}",
            f"  severity  {rule.severity.value} (looks at each {rule.scope.level.value})",
            f"  source    {rule.source}",
            f"  fix       {rule.fix}",
        ]
    )


def cell(text: str) -> str:
    """Text of a table's cell in which Markdown finds nothing but the code between backticks.

    Example: `systems/<system>.json` outside of code would lose its middle.
    """
    parts = text.replace("|", "\\|").split("`")
    return "`".join(part if i % 2 else _MARKUP.sub(r"\\\g<0>", part) for i, part in enumerate(parts))


def document() -> str:
    """docs/rules.md."""
    lines = [
        "# Rules of `assay check`",
        "",
        "Generated from the rules themselves: `assay explain --all > docs/rules.md`. Severities: an error makes",
        "the tree no submission, a warning is for a reviewer, a note says what could not be judged. The figures",
        "that they hold a tree against are the round's: `assay rules --round v5.1 mixtral-8x7b`.",
    ]
    for letter, family in FAMILIES.items():
        lines += [
            "",
            f"## {family}",
            "",
            "| code | severity | finding | source | fix |",
            "|---|---|---|---|---|",
        ]
        for rule in sorted(RULES.values(), key=lambda r: int(r.code[1:])):
            if rule.code[0] == letter:
                cells = (rule.code, rule.severity.value, rule.title, rule.source, rule.fix)
                lines.append("| " + " | ".join(map(cell, cells)) + " |")
    lines += ["", "## Where errors go beyond the official checkers, on purpose", ""]
    lines += [f"- {cell(difference)}" for difference in DIFFERENCES]
    return "\n".join(lines) + "\n"
