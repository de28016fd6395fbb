"""Job: a config with everything that its round decides. Impossible combinations end here, before any work.

It reads the config, the workload and the round, and decides counts, durations and generation rules. Only
`generation` looks at the disk, for what the checkpoint says of its ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from assay.config import BenchmarkConfig, Division, Mode, Scenario, Style
from assay.ground import model_folder
from assay.ground.errors import ConfigError, EnvironmentProblem
from assay.mlperf import workloads
from assay.mlperf.data.sample import Sample
from assay.mlperf.rounds.round import Round, Wheel
from assay.mlperf.rounds.round_workload import RoundWorkload
from assay.mlperf.run import choosing, wheels
from assay.mlperf.sut.interface import SutSpec
from assay.mlperf.sut.kind import SutKind
from assay.mlperf.workloads.workload import Generation, Workload


@dataclass(frozen=True)
class Job:
    """A config that can be run, with everything the round decides about it."""

    config: BenchmarkConfig
    workload: Workload
    round: Round
    rules: RoundWorkload
    kind: SutKind

    @property
    def batch(self) -> int | None:
        """Most sequences that the SUT runs at once: as asked, else its own default; None = it has no such number."""
        asked = self.config.limits.batch
        return asked or self.kind.default_batch(self.workload, self.config.scenarios)

    @property
    def wheel(self) -> Wheel:
        """The round's LoadGen for this Python. Raises: EnvironmentProblem when there is none."""
        for wheel in self.round.wheels:
            if wheels.file_for(wheel) is not None:
                return wheel
        raise EnvironmentProblem(
            f"round {self.round.name} has no LoadGen for this Python",
            "`assay doctor` lists the rounds that it can run",
        )

    @property
    def checkpoint(self) -> Path | None:
        """Folder of the weights: as asked, else what ships with the workload; None while they are away."""
        return checkpoint_of(self.config, self.workload)

    @property
    def tokenizer(self) -> Path | None:
        """Folder or file of the tokenizer that reads the answers."""
        return self.config.paths.tokenizer or self.checkpoint

    @property
    def whole_set(self) -> int:
        """Rows of the official data set of its mode, or of all modes."""
        accuracy = self.rules.accuracy_samples if self.config.modes == (Mode.ACCURACY,) else None
        return accuracy or self.rules.dataset_samples

    def of_mode(self, mode: Mode) -> Job:
        """The part of it in one mode, with that mode's data set."""
        paths = self.config.paths
        if mode is Mode.ACCURACY and paths.accuracy_dataset is not None:
            paths = replace(paths, dataset=paths.accuracy_dataset, accuracy_dataset=None)
        return replace(self, config=replace(self.config, modes=(mode,), paths=paths))

    def samples(self, available: int) -> int:
        """How many samples are used of a dataset of `available` rows. Raises: ConfigError when too few."""
        config = self.config
        asked = config.limits.samples
        if asked is None and config.style is Style.TEST:
            asked = self.workload.test_samples
        needed = self.whole_set
        if config.style is Style.VALID and available != needed:
            raise ConfigError(
                f"a valid-style run of {self.workload.name} needs the whole set of "
                f"{needed} samples, and the dataset holds {available}",
                "bring the official dataset, or ask for --style fast or test",
            )
        if asked is not None and asked > available and config.limits.samples is not None:
            raise ConfigError(
                f"{asked} samples asked, and the dataset holds {available}", f"--samples {available} or fewer"
            )
        return min(asked or available, available)

    def choose(self, samples: Sequence[Sample]) -> list[Sample]:
        """The samples of the dataset that are used. Raises: ConfigError when there are too few."""
        is_spread = self.config.style is Style.TEST
        return choosing.take(samples, self.samples(len(samples)), is_spread=is_spread)

    def min_duration_s(self) -> float:
        """Shortest performance run, seconds: as asked, else the round's own for valid style, else none."""
        if self.config.limits.min_duration_s is not None:
            return self.config.limits.min_duration_s
        return self.round.min_duration_ms / 1000 if self.config.style is Style.VALID else 0.0

    def sut_spec(self, checkpoint: Path | None, tokenizer: Path | None) -> SutSpec:
        """What the SUT is built from. Raises: ConfigError, as `generation` does."""
        config = self.config
        return SutSpec(
            kind=self.kind.name,
            checkpoint=checkpoint,
            tokenizer=tokenizer,
            device=config.device,
            precision=config.precision,
            batch=self.batch,
            generation=self.generation(checkpoint),
            server=any(scenario.reports_first_tokens for scenario in config.scenarios),
            options=self.kind.values(config.sut_options),
            exact=Mode.ACCURACY in config.modes,
            drafts=self.drafts,
        )

    def generation(self, checkpoint: Path | None) -> Generation:
        """Rules of the round; end-of-sequence id and vocabulary are the checkpoint's own where it states them.

        Raises: ConfigError when the round does not say how long an answer may be, or when the checkpoint's
        end-of-sequence ids lie outside its vocabulary.
        """
        least, most = self.rules.min_new_tokens, self.rules.max_new_tokens
        if self.config.modes == (Mode.ACCURACY,):
            most = self.rules.accuracy_max_new_tokens or most
        if least is None or most is None:
            raise ConfigError(
                f"round {self.round.name} does not say how long an answer of {self.workload.name} may be",
                "min_new_tokens and max_new_tokens in the file of the round",
            )
        stated = model_folder.read_config(checkpoint) if checkpoint else {}
        wished = model_folder.read_generation(checkpoint) if checkpoint else {}
        eos_ids = _eos_ids(stated, wished, self.workload)
        return Generation(
            min_new_tokens=least,
            max_new_tokens=most,
            eos_id=eos_ids[0],
            more_eos_ids=eos_ids[1:],
            decoding=self.workload.decoding,
            vocabulary=_vocabulary(stated, self.workload),
        )

    @property
    def drafts(self) -> str:
        """How the round lets tokens be drafted in every scenario of the job; empty = it does not."""
        allowed = [self.rules.speculative.get(each.value, "") for each in self.config.scenarios]
        return allowed[0] if all(allowed) else ""

    @property
    def is_paired(self) -> bool:
        return is_paired(self.config, self.rules)


def checkpoint_of(config: BenchmarkConfig, workload: Workload) -> Path | None:
    """As `Job.checkpoint`, of a config that may be no job."""
    own = workload.own_checkpoint
    return config.paths.checkpoint or (own() if own else None)


def in_one_mode(config: BenchmarkConfig) -> BenchmarkConfig:
    """An accuracy run alone has its own data set for `dataset`; any other config as it is."""
    paths = config.paths
    if config.modes != (Mode.ACCURACY,) or paths.accuracy_dataset is None:
        return config
    paths = replace(paths, dataset=paths.accuracy_dataset, accuracy_dataset=None)
    return replace(config, paths=paths)


def of(config: BenchmarkConfig, kind: SutKind) -> Job:
    """The job that `config` asks for, under the rules of the workload itself where it is in no round. `kind`: its SUT.

    Raises: ConfigError for an unknown workload or round, and for a combination that cannot be run.
    """
    job = of_finished(config, kind)
    _refuse_impossible(job)
    return job


def of_finished(config: BenchmarkConfig, kind: SutKind) -> Job:
    """The job of a finished run, which cannot be refused any more, nor need its data set.

    Raises: ConfigError for an unknown workload or round.
    """
    workload = workloads.get(config.workload)
    round_ = workloads.round_of(config.round, workload.name)
    own = workload.own_rules
    rules = own(config.style) if own is not None else round_.workload(workload.name)
    return Job(replace(config, round=round_.name), workload, round_, rules, kind)


def is_paired(config: BenchmarkConfig, rules: RoundWorkload) -> bool:
    """True when the verdict comes from holding each answer beside the reference's: the workload's own whole set."""
    is_whole = config.limits.samples is None and config.paths.dataset is None
    return rules.paired_loss is not None and is_whole


def _refuse_impossible(job: Job) -> None:
    config, kind = job.config, job.kind
    kind.refuse_impossible(job.workload, config.scenarios, config.modes, config.precision, config.device)
    kind.values(config.sut_options)
    kind.refuse_missing(config.sut_options)
    _refuse_datasets(job)
    if config.style is Style.VALID:
        _refuse_part(job)
    for scenario in config.scenarios:
        refuse_scenario(job.workload, scenario)
        if scenario.is_paced and job.rules.token_latencies and scenario.value not in job.rules.latency:
            raise ConfigError(
                f"{job.workload.name} has no {scenario.value} limits in round {job.round.name}",
                f"--scenario {','.join(_limited(job.workload, job.rules)).lower()}",
            )
    _refuse_missing(job)


def _refuse_datasets(job: Job) -> None:
    """Raises: ConfigError for a second data set too many, and for one too few of a valid-style run."""
    config, has_two_sets = job.config, job.rules.accuracy_samples is not None
    if config.paths.accuracy_dataset is not None and not has_two_sets:
        raise ConfigError(
            f"{job.workload.name} has one data set for performance and accuracy", "--dataset FILE alone"
        )
    if (
        config.style is Style.VALID
        and len(config.modes) > 1
        and has_two_sets
        and config.paths.accuracy_dataset is None
    ):
        raise ConfigError(
            f"{job.workload.name} has a data set for performance and another for accuracy",
            "--accuracy-dataset FILE names the second",
        )


def _refuse_part(job: Job) -> None:
    """Raises: ConfigError for a valid-style run that would be less than the round demands."""
    limits, least_ms = job.config.limits, job.round.min_duration_ms
    if limits.samples is not None:
        raise ConfigError(
            "a valid-style run takes the whole dataset, so --samples has no place in it",
            "leave --samples out, or ask for --style test",
        )
    asked_s, is_closed = limits.min_duration_s, job.config.submission.division is Division.CLOSED
    if is_closed and asked_s is not None and asked_s * 1000 < least_ms:
        raise ConfigError(
            f"--min-duration {asked_s:g}s is below the {least_ms / 1000:g} s that round {job.round.name} demands of "
            "closed",
            "leave it out, or ask for --division open",
        )


def _limited(workload: Workload, rules: RoundWorkload) -> list[str]:
    """The scenarios of the workload that the round has limits for, or that need none."""
    return [each.value for each in workload.loadgen_keys if not each.is_paced or each.value in rules.latency]


def refuse_scenario(workload: Workload, scenario: Scenario) -> None:
    """Raises: ConfigError for a scenario that the workload does not know, and for MultiStream."""
    if scenario is Scenario.MULTI_STREAM:
        raise ConfigError(
            "MultiStream is not run: no round measures a language model in it", "--scenario singlestream"
        )
    if scenario not in workload.loadgen_keys:
        known = [each.value for each in workload.loadgen_keys]
        raise ConfigError(
            f"{workload.name} is measured in {' and '.join(known)}, not in {scenario.value}",
            f"--scenario {','.join(known).lower()}",
        )


def _refuse_missing(job: Job) -> None:
    """Raises: ConfigError for what does not come with the workload and is not named."""
    workload, kind, paths = job.workload, job.kind, job.config.paths
    checkpoint = workload.own_checkpoint or paths.checkpoint
    if kind.needs_checkpoint and checkpoint is None:
        raise ConfigError(f"{workload.name} does not ship with Assay", workload.checkpoint_hint)
    if kind.needs_tokenizer and not (paths.tokenizer or checkpoint):
        raise ConfigError(f"the {kind.name} SUT needs the tokenizer of {workload.name}", "--tokenizer DIR")
    if workload.own_dataset is None and paths.dataset is None:
        raise ConfigError(f"the dataset of {workload.name} does not ship with Assay", workload.dataset_hint)


def _eos_ids(stated: Mapping[str, Any], wished: Mapping[str, Any], workload: Workload) -> tuple[int, ...]:
    """`eos_token_id` of a config.json, one or several, else of a generation_config.json, else the workload's own; never
    empty. Raises: ConfigError when no token of the vocabulary is among those that are stated.

    The workload's own comes first where the checkpoint lists it: Llama 3.1 has 128001, 128008 and 128009, and ends its
    answers in 128009.
    """
    said = next(
        (tree["eos_token_id"] for tree in (stated, wished) if tree.get("eos_token_id") is not None), None
    )
    found = [each for each in (said if isinstance(said, list) else [said]) if type(each) is int]
    size = _vocabulary(stated, workload)
    if found and not any(each >= 0 and (size is None or each < size) for each in found):
        raise ConfigError(
            f"eos_token_id of the checkpoint is {said}, outside its vocabulary of {size} tokens: no answer would end",
            "in config.json the id that ends its answers; tokenizer_config.json names the token",
        )
    return tuple(sorted(found, key=lambda each: each != workload.eos_id)) or (
        workload.eos_id,
        *workload.more_eos_ids,
    )


def _vocabulary(stated: Mapping[str, Any], workload: Workload) -> int | None:
    """`vocab_size` of a config.json, else of the model that the workload names."""
    published = workload.model.config if workload.model else {}
    size = (stated or published).get("vocab_size")
    return size if type(size) is int else None
