"""A published report (of CM, MLC or Assay) as text -> the command it shows and the figures it claims.

Reads what is there and judges nothing; `assay.audit` does that. Any text may be handed in: what is not found
is None or empty.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from assay.doors.readme_results import Claim, ReportedFigure, Validity, read_results

_COMMAND = re.compile(
    r"^\s*\$?\s*(?:(?:cm|mlc|mlcr|cmr|assay)\s+(?:run\s+script|run,script|docker\s+script)\b|(?:mlcr|cmr)\s"
    r"|assay\s+bench\b)"
)
_OF_CM = re.compile(
    r"generated using [^\n]*MLCommons[^\n]* automation framework|, Required accuracy for closed division",
    re.IGNORECASE,
)
_TITLE = re.compile(r"^# (\S+), round (\S+?)(?:,.*)?$", re.MULTILINE)
_OPTION = re.compile(r"^--?([^=\s]+?)(?:=(.*))?$", re.DOTALL)


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
    workload: str | None
    """As the title of Assay's report names it; None in a report of CM or MLC."""
    round: str | None
    precision: str | None
    precision_line: int
    samples: int | None
    """Samples of the dataset that the report says were used."""
    samples_line: int
    claims: tuple[Claim, ...]
    figures: tuple[ReportedFigure, ...]
    validities: tuple[Validity, ...]
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
    def has_results(self) -> bool:
        return bool(self.claims or self.figures)

    @property
    def scenarios(self) -> set[str | None]:
        """Scenarios that the results are of; None where the report does not name one."""
        claimed = {claim.scenario for claim in self.claims} | {figure.scenario for figure in self.figures}
        return claimed | {validity.scenario for validity in self.validities}

    @property
    def is_of_assay(self) -> bool:
        """True for a command of `assay bench`, whose options are `--name value`."""
        return self.words[:2] == ("assay", "bench")

    @property
    def is_cm(self) -> bool:
        """True for a report that CM or MLC wrote, by its command, its head or the form of its results."""
        return not self.is_of_assay and (bool(self.options) or _OF_CM.search(self.text) is not None)

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
    results = read_results(lines)
    command_line, words, options = _command(lines)
    precision_line, precision = _field(lines, r"model precision[^:]*:\s*(.*)")
    samples_line, samples = _field(lines, r"dataset: (\d+) of \d+ samples\b")
    title = _TITLE.search(text)
    return PublishedReport(
        is_report=bool(results.claims or results.figures or options),
        workload=title[1] if title else None,
        round=title[2] if title else None,
        precision=precision,
        precision_line=precision_line,
        samples=int(samples) if samples else None,
        samples_line=samples_line,
        claims=results.claims,
        figures=results.figures,
        validities=results.validities,
        options=tuple(options),
        words=tuple(words),
        command_line=command_line,
        text=text,
    )


def _field(lines: list[str], pattern: str) -> tuple[int, str | None]:
    """Line and first group of the first line that the pattern, in any case, matches."""
    for number, line in enumerate(lines, 1):
        if match := re.match(pattern, line.strip(), re.IGNORECASE):
            return number, match[1].strip() or None
    return 0, None


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
            elif options and words[:2] == ["assay", "bench"] and not options[-1].value:
                options[-1] = replace(options[-1], value=word)
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
