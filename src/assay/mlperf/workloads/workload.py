"""Workload: what to measure, whatever the round. The numbers that change from round to round live in `round.py`.

A workload owns its world: dataset, prompts, rules of generation, scorers, scenarios, what to fetch. Nothing outside
its own file asks which one it is. `workloads/` holds those of the package; a package of one's own may add others
(docs/extending.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from assay.config import Scenario, Style
from assay.ground.hub_model import HubModel
from assay.mlperf.data.dataset import Dataset, Schema
from assay.mlperf.rounds.round_workload import RoundWorkload
from assay.mlperf.rounds.target import Score
from assay.mlperf.scoring.metric import Metric, Scorer
from assay.mlperf.scoring.score import by_metric
from assay.mlperf.workloads.datasets.building import Builder


@dataclass(frozen=True)
class Decoding:
    """How each token is chosen; the default is greedy."""

    beams: int = 1
    temperature: float = 0.0
    """0 = the likeliest token."""
    top_p: float = 1.0
    top_k: int = 0
    """0 = all tokens."""

    @property
    def is_greedy(self) -> bool:
        return self.beams == 1 and self.temperature == 0

    @property
    def words(self) -> str:
        """For a sentence about answers: `searched with 4 beams`."""
        if self.is_greedy:
            return "greedy"
        return (
            f"searched with {self.beams} beams"
            if self.beams > 1
            else f"sampled at temperature {self.temperature:g}"
        )


GREEDY = Decoding()


@dataclass(frozen=True)
class Generation:
    """Generation rules of one run. Source: inference_rules, section on additional inference parameters."""

    min_new_tokens: int
    max_new_tokens: int
    eos_id: int
    """Ends an answer; also fills up answers that are too short."""
    more_eos_ids: tuple[int, ...] = ()
    """Further ids that end an answer; Llama 3.1 has three in all."""
    decoding: Decoding = GREEDY
    vocabulary: int | None = None
    """Number of the model's token ids: an answer has none from here on. None = unknown."""

    @property
    def eos_ids(self) -> tuple[int, ...]:
        return (self.eos_id, *self.more_eos_ids)


@dataclass(frozen=True)
class PublishedModel:
    """The model of an official benchmark, as the Hugging Face hub or MLCommons holds it."""

    source: str
    """`hf:OWNER/NAME@COMMIT`, the revision of the reference; or the address of a `.uri`."""
    parameters: int
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Its config.json: `model_type`, and all that shape and memory follow from where it is a Llama or Mixtral."""
    stored_bytes: int | None = None
    """About, where its weights are not published at 2 bytes each."""
    kv_bytes_per_token: int | None = None
    """Keys and values of one token in all layers at 2 bytes a number, where `config` does not say it."""

    @property
    def of_hub(self) -> HubModel | None:
        return HubModel.read(self.source)

    @property
    def name(self) -> str:
        """OWNER/NAME, or the name of the `.uri`."""
        return self.of_hub.name if self.of_hub else PurePosixPath(self.source).stem

    @property
    def has_shape(self) -> bool:
        return "hidden_size" in self.config

    @property
    def size_bytes(self) -> int:
        """On disk; tokenizer and headers are a few MB beside it."""
        return self.stored_bytes or 2 * self.parameters


STORAGE = "https://inference.mlcommons-storage.org"
"""Where MLCommons publishes what needs no login; `metadata/NAME.uri` stands for a folder."""


@dataclass(frozen=True)
class DatasetFile:
    """One published dataset file."""

    name: str
    url: str
    """Its own address, or a `.uri` of the folder that it lies in, perhaps packed as NAME.gz."""
    md5: str | None = None
    superseded_by: str | None = None
    superseded_because: str = ""
    size_bytes: int | None = None
    """Approximate: it is not published beside the file."""
    is_calibration: bool = False

    @classmethod
    def in_folder(cls, name: str, folder: str, *, is_calibration: bool = False) -> DatasetFile:
        """The file `name` of a published folder. Source of the folders: mlperf-automations, get-dataset-* recipes."""
        return cls(name, f"{STORAGE}/metadata/{folder}.uri", is_calibration=is_calibration)


@dataclass(frozen=True)
class Workload:
    """A benchmark that Assay can run. Fields with a default may be left out."""

    name: str
    description: str
    schema: Schema
    """How its dataset becomes samples."""
    scorers: tuple[Scorer, ...]
    """What is measured of the answers; the metrics of all of them have different ids."""
    loadgen_keys: Mapping[Scenario, str]
    """The scenarios that it knows -> model name given to LoadGen in each."""
    eos_id: int
    """End-of-sequence id of a checkpoint whose config.json has none."""
    official: str = ""
    """Official benchmark whose rounds it is run in (their LoadGen, seeds and form of a submission), and whose place its
    entries take in an open submission. Empty = it is in the rounds itself."""
    own_rules: Callable[[Style], RoundWorkload] | None = None
    """Rules of a workload that is in no round; None = the round's."""
    official_results: Callable[[Sequence[Score]], Mapping[str, float]] = by_metric
    """Scores -> what accuracy.txt holds, under the names that checkers search for."""
    has_loadgen_settings: bool = False
    """Token latencies and Server limits of its keys are built into LoadGen (mlperf.conf); user.conf sets them else."""
    decoding: Decoding = GREEDY
    prompt_tokens_max: int = 0
    """Of its published dataset, or where the reference cuts; 0 = not known."""
    more_eos_ids: tuple[int, ...] = ()
    """Further ones of such a checkpoint."""
    builder: Builder | None = None
    """How `assay dataset build` makes a set in its schema; None = it does not."""
    own_checkpoint: Callable[[], Path] | None = None
    """Folder of a checkpoint that ships with it."""
    own_dataset: Callable[[Style], Dataset] | None = None
    """A dataset that ships with it."""
    model: PublishedModel | None = None
    """The model that is fetched when no checkpoint is named."""
    dataset_files: tuple[DatasetFile, ...] = ()
    """Published files; the first is fetched when none is named and the round names none."""
    mean_answer_tokens: Mapping[str, int] = field(default_factory=dict)
    """Subset -> mean length of the reference model's answers, where a dataset does not hold them."""
    checkpoint_hint: str = "--checkpoint DIR: a folder with config.json, *.safetensors and the tokenizer"
    dataset_hint: str = "--dataset FILE (.pkl, .parquet or .jsonl)"
    note: str = ""
    """A note for readers of any result; may be empty."""
    test_samples: int | None = 10
    """Samples of a test-style run when none are asked for; None = the whole dataset."""
    defaults: Mapping[str, str] = field(default_factory=dict)
    """Dotted config field -> text: what this workload sets unless asked otherwise."""

    @property
    def official_name(self) -> str:
        return self.official or self.name

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return tuple(metric for scorer in self.scorers for metric in scorer.metrics)

    @property
    def verdicts(self) -> frozenset[str]:
        """Ids of the metrics by which one answer is right or wrong."""
        return frozenset(metric.id for metric in self.metrics if metric.is_verdict)

    def dataset_file(self, name: str) -> DatasetFile | None:
        """The published file of that name, or None."""
        return next((file for file in self.dataset_files if file.name == name), None)

    def size_of(self, source: str) -> int | None:
        """Bytes of a published source; None where they are not known beforehand."""
        if self.model is not None and source == self.model.source:
            return self.model.size_bytes
        return next((file.size_bytes for file in self.dataset_files if file.url == source), None)
