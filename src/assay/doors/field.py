"""Field: one setting of a BenchmarkConfig, and how it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from assay.mlperf.sut.option import BETWEEN


def of_layer(label: str, flag: str) -> str:
    """What a layer calls the setting of a flag: `flag --samples` or, of a function, `argument samples`."""
    words = {"{flag}": flag, "{argument}": flag.removeprefix("--").replace("-", "_")}
    for blank, word in words.items():  # not `format`: a label may be the name of a file, braces and all
        label = label.replace(blank, word)
    return label


def is_default(origin: str) -> bool:
    """Whether nobody asked for a value: `default`, `default of mixtral-nano`, and not the file `default.yaml`."""
    return origin == "default" or origin.startswith("default of ")


@dataclass(frozen=True)
class Field:
    """One setting: where it stands in the config and how it is asked for."""

    name: str
    """Dotted field of BenchmarkConfig; the same path is its key in run.yaml."""
    flag: str
    read: Callable[[str], Any]
    help: str
    metavar: str | None = None
    is_list: bool = False
    """Its text holds several values, one a line; its flag is given once for each."""
    is_switch: bool = False
    """Its text is yes or no; its flag stands alone, or with `--no-`."""

    def words(self, text: str) -> list[str]:
        """The words of a command line that ask for `text`."""
        if self.is_switch:
            return [self.flag if text == "yes" else f"--no-{self.flag[2:]}"]
        return [
            word for each in (text.split(BETWEEN) if self.is_list else [text]) for word in (self.flag, each)
        ]
