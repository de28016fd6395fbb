"""What a user writes becomes a value: a function for each kind of text, which a Field names as its `read`.

Each takes one text and returns its value; each raises a ConfigError that says what may stand there. Where the text came
from is added by the door (`config_options.read`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from assay import suts
from assay.config import Precision
from assay.ground import paths
from assay.ground.errors import ConfigError, did_you_mean
from assay.ground.hub_model import HubModel

E = TypeVar("E", bound=Enum)

_SOURCE = re.compile(r"hf:[\w.-]+/[\w.-]+(@[\w./-]+)?|https?://[^\s/]+/\S+")
_COUNT = re.compile(r"\d{1,15}")
DURATION_MAX_S = 1e9
"""31 years: more is a slip of the pen."""
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|min|h)?")
SYNONYMS = {
    **dict.fromkeys(("fp16", "f16", "half"), "float16"),
    **dict.fromkeys(("fp32", "f32", "float", "single", "full"), "float32"),
    **dict.fromkeys(("bf16", "bfloat"), "bfloat16"),
    **dict.fromkeys(("i8", "w8a8", "w8a16"), "int8"),
    **dict.fromkeys(("gpu", "nvidia"), "cuda"),
    **dict.fromkeys(("perf", "speed"), "performance"),
    "acc": "accuracy",
}
"""What others call a choice of ours; named in a hint, as a name that is taken for another may be another thing."""
_SECONDS = {"ms": 0.001, "s": 1.0, None: 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def choice(kind: type[E]) -> Callable[[str], E]:
    """One member of an enum by its value, in any case of letters."""

    def read(text: str) -> E:
        for member in kind:
            if text.strip().lower() == str(member.value).lower():
                return member
        values = [str(member.value).lower() for member in kind]
        meant = SYNONYMS.get(text.strip().lower(), text)
        hint = f"did you mean {meant}?" if meant in values else did_you_mean(meant, values)
        raise ConfigError(f"{text!r} is not a {kind.__name__.lower()}", hint)

    return read


def precision(text: str) -> Precision:
    """One that no SUT runs is read, and refused by the SUT; among those that are offered it is none."""
    try:
        return choice(Precision)(text)
    except ConfigError as error:
        meant = SYNONYMS.get(text.strip().lower(), text)
        raise ConfigError(error.message, did_you_mean(meant, [p.value for p in suts.precisions()])) from None


def choices(kind: type[E]) -> Callable[[str], tuple[E, ...]]:
    """Members of an enum with commas between, at least one."""
    one = choice(kind)

    def read(text: str) -> tuple[E, ...]:
        asked = [one(part) for part in text.split(",") if part.strip()]
        if not asked:
            raise ConfigError(f"no {kind.__name__.lower()} in {text!r}", "name at least one")
        # In the order of the enum, each once: performance runs before accuracy, Offline before Server.
        return tuple(member for member in kind if member in asked)

    return read


def count(text: str) -> int:
    """A whole number from 1 on."""
    if not _COUNT.fullmatch(text.strip()) or int(text) < 1:
        raise ConfigError(f"{text[:40]!r} is not a count", "a whole number from 1 on, of at most 15 digits")
    return int(text)


LEAST_QPS = 1e-6
"""One sample in eleven days. user.conf holds plain decimals: a rate far below this one would be 0 there."""


def rate(text: str) -> float | None:
    """Samples/s; None for `auto`, which asks for a probe."""
    if text.strip().lower() == "auto":
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not LEAST_QPS <= value < 1e9:
        once = "; --scenario offline asks all at once" if value == math.inf else ""
        raise ConfigError(
            f"{text!r} is not a rate in samples/s",
            f"a number from {LEAST_QPS:g}, or `auto` for a short probe{once}",
        )
    return value


def seconds(text: str) -> float:
    """A duration with its unit, in seconds: 600s, 10m, 500ms; seconds where no unit stands."""
    match = _DURATION.fullmatch(text.strip().lower())
    length = float(match[1]) * _SECONDS[match[2]] if match else math.inf
    if length > DURATION_MAX_S:
        raise ConfigError(f"{text[:40]!r} is not a duration", "for example 600s, 10m or 500ms; 1e9 s at most")
    return length


def place(text: str) -> Path | str:
    """A path, or the address of what is to be fetched, as it stands: as a path it would lose a slash."""
    parts = urlsplit(text.strip())
    if parts.scheme == "file" and "://" in text:
        return paths.given(unquote(parts.path))
    if not text.strip().startswith(("hf:", "http:", "https:")) and "://" not in text:
        return paths.given(text)
    if not _SOURCE.fullmatch(text.strip()):
        raise ConfigError(
            f"{text!r} is no address that Assay fetches from",
            "a path, hf:OWNER/NAME, hf:OWNER/NAME@REVISION, https://… or file://…",
        )
    return text.strip()


def dataset_place(text: str) -> Path | str:
    """As `place`, of a dataset: a file, the folder that holds it, or an address outside the hub."""
    given = place(text)
    if isinstance(given, str) and HubModel.read(given):
        raise ConfigError(f"{text!r} is a model, not a dataset", "a path or https://…")
    return _file_in(given) if isinstance(given, Path) else given


def dataset_path(text: str) -> Path:
    """As `dataset_place`, of a dataset that is not fetched."""
    return _file_in(paths.given(text))


def _file_in(given: Path) -> Path:
    """The file, or the one dataset file in a folder: of any other folder the reader says what is wrong."""
    from assay.mlperf.data import dataset_file

    found = dataset_file.in_folder(given) if given.is_dir() else []
    return found[0] if len(found) == 1 else given


def word(text: str) -> str:
    """A text that is not empty, without the blanks around it."""
    if not text.strip():
        raise ConfigError("an empty value was given", "leave the option out, or name a value")
    return text.strip()


def sut(text: str) -> str:
    """The name of a SUT that there is."""
    return suts.kind(word(text)).name
