"""A published "generated using CM/MLC" report as text -> the command it shows and the figures it claims.

Reads what is there and judges nothing; `assay.audit` does that. Any text may be handed in: what is not found
is None or empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

METRICS = {
    "ROUGE1": "rouge1",
    "ROUGE2": "rouge2",
    "ROUGEL": "rougeL",
    "ROUGELSUM": "rougeLsum",
    "TOKENS_PER_SAMPLE": "tokens_per_sample",
    "gsm8k_accuracy": "gsm8k",
    "mbxp_accuracy": "mbxp",
    "GEN_LEN": "gen_len",
    "exact_match": "exact_match",
}
"""Name of a metric in the checkers and in these reports -> name in accuracy.txt and in the rounds."""
NUMBER = r"(-?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?)"
_CLAIM = re.compile(
    rf"^\W*`?([A-Za-z][\w.]*)`?\s*:\s*`?{NUMBER}`?\s*(?:,\s*Required accuracy for closed division(.*))?$"
)
_BOUND = re.compile(rf"(>=|<=)\s*{NUMBER}")
_FIGURE = re.compile(rf"^\W*`?([A-Za-z][A-Za-z /()]*?)`?\s*:\s*`?{NUMBER}`?\s*$")
_COMMAND = re.compile(
    r"^\s*\$?\s*(?:cm|mlc|mlcr|cmr|assay)\s+(?:run\s+script|run,script|docker\s+script)\b|^\s*\$?\s*(?:mlcr|cmr)\s"
)
_OPTION = re.compile(r"^--?([^=\s]+?)(?:=(.*))?$", re.DOTALL)


@dataclass(frozen=True)
class Claim:
    """One accuracy line: a metric, its value, and the thresholds printed beside it."""

    metric: str
    """In the words of the rounds; a name that no round knows is kept as printed."""
    printed: str
    value: float
    low: float | None
    high: float | None
    line: int


@dataclass(frozen=True)
class Figure:
    """One performance line: label as printed, value."""

    label: str
    value: float
    line: int


@dataclass(frozen=True)
class Option:
    """One option of the command, in order. `name` is without dashes: `env.CM_QUIET`."""

    name: str
    value: str
    line: int


@dataclass(frozen=True)
class PublishedReport:
    is_report: bool
    """True when the text has a command or results in the form of these reports."""
    platform: str | None
    precision: str | None
    precision_line: int
    claims: tuple[Claim, ...]
    figures: tuple[Figure, ...]
    options: tuple[Option, ...]
    words: tuple[str, ...]
    """Words of the command that are no options, in order."""
    command_line: int
    text: str

    def option(self, name: str) -> str | None:
        """Value of the last option of that name, as CM takes it."""
        return next((o.value for o in reversed(self.options) if o.name == name), None)

    def env(self, *names: str) -> str | None:
        """Value of the first of `names` (without CM_ or MLC_) that is set as an environment key."""
        for name in names:
            for prefix in ("CM_", "MLC_", ""):
                value = self.option(f"env.{prefix}{name}")
                if value is not None:
                    return value
        return None

    @property
    def variations(self) -> tuple[str, ...]:
        """Variations of --tags, without the underscore: `float16`, `offline`."""
        tags = self.option("tags") or ""
        return tuple(tag.strip()[1:] for tag in tags.split(",") if tag.strip().startswith("_"))

    def repeated(self) -> Mapping[str, tuple[str, ...]]:
        """Options given more than once -> their values in order."""
        values: dict[str, list[str]] = {}
        for option in self.options:
            values.setdefault(option.name, []).append(option.value)
        return {name: tuple(found) for name, found in values.items() if len(found) > 1}


def read(text: str) -> PublishedReport:
    """What a report shows. Lines are counted from 1."""
    lines = text.splitlines()
    claims, figures = _results(lines)
    command_line, words, options = _command(lines)
    precision_line, precision = _field(lines, "Model Precision")
    _, platform = _field(lines, "Platform")
    return PublishedReport(
        is_report=bool(claims or figures or options),
        platform=platform,
        precision=precision,
        precision_line=precision_line,
        claims=tuple(claims),
        figures=tuple(figures),
        options=tuple(options),
        words=tuple(words),
        command_line=command_line,
        text=text,
    )


def _field(lines: list[str], name: str) -> tuple[int, str | None]:
    for number, line in enumerate(lines, 1):
        if line.strip().startswith(f"{name}:"):
            return number, line.split(":", 1)[1].strip() or None
    return 0, None


def _section(lines: list[str], title: str) -> list[tuple[int, str]]:
    """Numbered lines below a heading that holds `title`, up to the next heading."""
    found: list[tuple[int, str]] = []
    inside = False
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("#"):
            inside = title in line.lower()
        elif inside:
            found.append((number, line))
    return found


def _results(lines: list[str]) -> tuple[list[Claim], list[Figure]]:
    claims = []
    for number, line in _section(lines, "accuracy results"):
        match = _CLAIM.match(line.strip())
        if match:
            bounds = {sign: _number(value) for sign, value in _BOUND.findall(match[3] or "")}
            metric = METRICS.get(match[1], match[1])
            claims.append(
                Claim(metric, match[1], _number(match[2]), bounds.get(">="), bounds.get("<="), number)
            )
    figures = []
    for number, line in _section(lines, "performance results"):
        match = _FIGURE.match(line.strip())
        if match:
            figures.append(Figure(match[1].strip(), _number(match[2]), number))
    return claims, figures


def _number(text: str) -> float:
    return float(text.replace(",", ""))


def _command(lines: list[str]) -> tuple[int, list[str], list[Option]]:
    """The first run command: its line, its words, its options with the line each stands on."""
    start = next((i for i, line in enumerate(lines) if _COMMAND.match(line)), None)
    if start is None:
        return 0, [], []
    words: list[str] = []
    options: list[Option] = []
    for number, line in enumerate(lines[start:], start + 1):
        for word in _split(line.rstrip().rstrip("\\")):
            match = _OPTION.match(word) if word.startswith("-") else None
            if match:
                options.append(Option(match[1], match[2] or "", number))
            else:
                words.append(word)
        if not line.rstrip().endswith("\\"):
            break
    return start + 1, words, options


def _split(line: str) -> list[str]:
    """Words of a shell line; a line that the shell would refuse is split at blanks."""
    import shlex

    try:
        return shlex.split(line)
    except ValueError:
        return line.split()
