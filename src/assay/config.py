"""The benchmark asked for: one frozen value, made once at a door, read everywhere behind it.

Knows the names of the choices; not what a workload or a round allows (that is `mlperf`),
and not where text comes from (that is `doors`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any


class TextEnum(str, Enum):
    """A member is its value in text, whatever formats it and whichever Python."""

    def __str__(self) -> str:
        return str(self.value)


class Scenario(TextEnum):
    """How queries come: the one list of scenarios, with all that depends on them. The value is the folder's name.

    Source: LoadGen's test scenarios, mlperf.conf; inference_policies, Interactive scenario.
    """

    OFFLINE = "Offline"
    SERVER = "Server"
    INTERACTIVE = "Interactive"
    SINGLE_STREAM = "SingleStream"
    MULTI_STREAM = "MultiStream"

    @classmethod
    def named(cls, word: str) -> Scenario | None:
        """The scenario of that name, in any case; None for another word."""
        return next((member for member in cls if member.value.lower() == word.strip().lower()), None)

    @property
    def in_loadgen(self) -> str:
        """LoadGen's own name, in its settings and logs: it knows Interactive as Server with other limits."""
        return "Server" if self.is_paced else self.value

    @property
    def key_suffix(self) -> str:
        """What the model name of mlperf.conf and user.conf ends in."""
        return "-interactive" if self is Scenario.INTERACTIVE else ""

    @property
    def is_paced(self) -> bool:
        """Queries arrive at a rate; first tokens and the time per token have limits."""
        return self in (Scenario.SERVER, Scenario.INTERACTIVE)

    @property
    def is_one_by_one(self) -> bool:
        """A query is sent when the one before it is answered; the result is a latency."""
        return self in (Scenario.SINGLE_STREAM, Scenario.MULTI_STREAM)

    @property
    def reports_first_tokens(self) -> bool:
        return self is not Scenario.OFFLINE

    @property
    def has_early_stopping(self) -> bool:
        return self is not Scenario.OFFLINE

    @property
    def target_field(self) -> str:
        """Setting of user.conf that says how fast queries are expected: samples/s, or ms for one query."""
        return "target_latency" if self.is_one_by_one else "target_qps"


class Mode(TextEnum):
    PERFORMANCE = "performance"
    ACCURACY = "accuracy"


class Style(TextEnum):
    """TEST: a few samples, no duration. FAST: all samples, no duration. VALID: the round's own rules."""

    TEST = "test"
    FAST = "fast"
    VALID = "valid"


class Precision(TextEnum):
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"
    INT8 = "int8"
    INT4 = "int4"


BYTES_PER_WEIGHT = {
    Precision.FLOAT32: 4.0,
    Precision.BFLOAT16: 2.0,
    Precision.FLOAT16: 2.0,
    Precision.INT8: 1.0,
    Precision.INT4: 0.5,
}
"""Bytes of one weight; the scales of the integer formats are left out."""


class Device(TextEnum):
    CPU = "cpu"
    CUDA = "cuda"


class Division(TextEnum):
    CLOSED = "closed"
    OPEN = "open"
    NETWORK = "network"


OptionValue = str | int | float | bool | tuple[str, ...]
"""What an option of a SUT may be."""


@dataclass(frozen=True)
class Limits:
    """How much is run. None = what the style and the workload say."""

    samples: int | None = None
    """Samples of the dataset that are used: in test style spread over its subsets, else the first n."""
    batch: int | None = None
    """Most sequences that the SUT runs at once."""
    target_qps: float | None = None
    """Samples/s asked of LoadGen; None = a short probe decides, and the result records it."""
    min_duration_s: float | None = None
    """Shortest performance run, seconds."""


@dataclass(frozen=True)
class Paths:
    checkpoint: Path | None = None
    """Folder of a Hugging Face checkpoint; None = the workload's own."""
    dataset: Path | None = None
    """Dataset file in the official schema (.pkl, .parquet, .jsonl); None = the workload's own."""
    checkpoint_source: str | None = None
    """Where the checkpoint is fetched from when no folder is named: `hf:OWNER/NAME[@REVISION]` or an address."""
    dataset_source: str | None = None
    """Where the dataset is fetched from when no file is named: an address."""
    out: Path | None = None
    """Run folder to create; None = a new folder below ./assay-runs."""
    tokenizer: Path | None = None
    """Folder with the tokenizer; None = the checkpoint's."""
    accuracy_dataset: Path | None = None
    """Dataset file of the accuracy run, of a workload that has another one for it; None = it has `dataset`, too."""
    compliance_dataset: Path | None = None
    """Dataset file of TEST07; None = that test cannot be run."""
    lcb_tests: Path | None = None
    """File or folder with the tests of LiveCodeBench, by which its programs are graded; None = they are not graded."""


@dataclass(frozen=True)
class SubmissionRequest:
    """Who submits, and where the tree goes."""

    submitter: str | None = None
    division: Division = Division.OPEN
    system_name: str | None = None
    out: Path | None = None


@dataclass(frozen=True)
class BenchmarkConfig:
    """One benchmark job. `origin` maps a dotted field name to where its value came from."""

    workload: str = "mixtral-nano"
    scenarios: tuple[Scenario, ...] = (Scenario.OFFLINE,)
    modes: tuple[Mode, ...] = (Mode.PERFORMANCE, Mode.ACCURACY)
    style: Style = Style.TEST
    round: str | None = None
    """None = the newest round that holds the workload."""
    sut: str = "engine"
    device: Device = Device.CPU
    precision: Precision = Precision.FLOAT32
    limits: Limits = Limits()
    paths: Paths = Paths()
    submission: SubmissionRequest = SubmissionRequest()
    sut_options: Mapping[str, OptionValue] = field(default_factory=dict)
    """Options of the SUT alone, as its `SutKind` declares them; one that is left out has its default."""
    origin: Mapping[str, str] = field(default_factory=dict, compare=False)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, `origin` included; a source stands where its path would, as it is asked for."""
        found: dict[str, Any] = plain(self)
        for name in ("checkpoint", "dataset"):
            source = found["paths"].pop(f"{name}_source")
            found["paths"][name] = found["paths"][name] or source
        return found


@dataclass(frozen=True)
class ContainerRequest:
    """How to run in a container."""

    engine: str | None = None
    """`podman` or `docker`; None = whichever is there, podman first."""
    base: str | None = None
    """Base image; None = what is installed here is mounted."""
    privileged: bool = False
    reuse: bool = False
    """Go on in a container of an earlier run of the same image, if one is there."""
    detached: bool = False
    """Start in the background, then wait for it; the log is brought back either way."""
    keep: bool = False
    """Leave the container when it has ended."""


class EarlierRun(TextEnum):
    """What becomes of a run that the run folder already holds."""

    REFUSE = "refuse"
    REUSE = "reuse"
    """A finished run is taken as it is, an unfinished one is replaced."""
    REPLACE = "replace"
    RESUME = "resume"
    """A finished run is taken as it is, an unfinished one goes on."""


@dataclass(frozen=True)
class MayFetch:
    """What may be downloaded when no path is given."""

    model: bool = True
    dataset: bool = True


FETCH_NOTHING = MayFetch(model=False, dataset=False)


@dataclass(frozen=True)
class Delivery:
    """What happens before and after the measurement, and where it is made. None of it changes what is measured."""

    submit: bool = False
    """Build the submission tree."""
    allow_fake: bool = False
    """Accept a run of a fake SUT in the tree, and mark it."""
    full: bool = True
    """Errors of the checker fail the job. Short: they are told, as a test run must have some."""
    check: bool = False
    pack: bool = False
    compliance: bool = False
    earlier_run: EarlierRun = EarlierRun.REFUSE
    clean_submission: bool = False
    """Remove an earlier submission tree first."""
    gate: bool = False
    """A missed target or an INVALID run fails the job."""
    refuse_invalid: bool = False
    """An INVALID run fails the job."""
    container: ContainerRequest | None = None
    unsafe_no_sandbox: bool = False
    """Run generated programs without a sandbox; the record says so."""
    may_fetch: MayFetch = MayFetch()
    is_tree_beside_run: bool = False
    """Where no folder is named, the tree is `RUN_submission` beside the run folder; else `submission` in it."""
    default_submitter: str = "unnamed"
    """Folder of the submitter when no name was given."""


@dataclass(frozen=True)
class Request:
    """A benchmark and everything asked for around it: what each door makes of its text."""

    config: BenchmarkConfig
    delivery: Delivery = Delivery()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, as config.json holds them: the fields of the config, and `delivery` beside them."""
        return {**self.config.to_dict(), "delivery": plain(self.delivery)}


def plain(value: Any) -> Any:
    """A value of this program as JSON holds it: dataclasses as objects, enums as their value, paths as text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(v) for v in value]
    return str(value) if isinstance(value, Path) else value
