"""The facts of a system under test: everything that Assay knows of it before it is loaded.

Each SUT states one SutKind, in a module that imports nothing heavy. Doors, job, plan and record read it; none of
them compares a SUT's name. docs/extending.md shows one in full.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from assay.config import Device, Mode, OptionValue, Precision, Scenario
from assay.ground import extras, model_folder
from assay.ground.errors import ConfigError, EnvironmentProblem, did_you_mean
from assay.mlperf.sut.option import SutOption

if TYPE_CHECKING:
    from assay.mlperf.sut.planner import SutPlanner
    from assay.mlperf.workloads.workload import Workload

Refusal = str | None
"""A sentence that says why not; None = it can be run."""


def no_default_batch(workload: Workload, scenarios: tuple[Scenario, ...]) -> int | None:
    return None


def greedy_only(workload: Workload, scenario: Scenario, mode: Mode) -> Refusal:
    """The refusal of a SUT that knows greedy decoding alone."""
    if workload.decoding.is_greedy:
        return None
    return f"answers of {workload.name} are {workload.decoding.words}, which this SUT does not do"


def no_sampling(workload: Workload, scenario: Scenario, mode: Mode) -> Refusal:
    """The refusal of a SUT that knows greedy decoding and beam search."""
    if workload.decoding.temperature == 0:
        return None
    return f"answers of {workload.name} are {workload.decoding.words}, which this SUT does not do"


def any_model(config: Mapping[str, Any]) -> bool:
    return True


def safetensors(options: Mapping[str, OptionValue | None], checkpoint: Path) -> Sequence[Path]:
    return model_folder.weight_files(checkpoint)


def takes_all(workload: Workload, scenario: Scenario, mode: Mode) -> Refusal:
    return None


@dataclass(frozen=True)
class SutKind:
    """The facts of one SUT."""

    name: str
    """What `--sut` is given."""
    summary: str
    """One line for lists and help."""
    module: str
    """Dotted name of the module whose `build` makes the SUT, in the SUT process alone; see `interface.SutModule`."""
    needs_checkpoint: bool = True
    """Whether it loads weights: then a checkpoint must be there or be fetched, and is identified in the record."""
    needs_tokenizer: bool = False
    """Whether it reads `SutSpec.tokenizer`; one that needs a checkpoint has that folder's."""
    is_elsewhere: bool = False
    """It may compute on other machines, of which the counters of this one tell nothing."""
    ignores: tuple[str, ...] = ()
    """Fields of a config that have no effect on it, as the device and precision of a server that runs already."""
    is_fake: bool = False
    """Its answers are the reference's own: a run is stamped FAKE and submitted only when asked for."""
    precisions: tuple[Precision, ...] = ()
    """Precisions of its weights; () = it has no weights of its own, and accepts any precision."""
    devices: tuple[Device, ...] = tuple(Device)
    default_batch: Callable[[Workload, tuple[Scenario, ...]], int | None] = no_default_batch
    """Most sequences at once when none are asked for; None = it has no such number."""
    options: tuple[SutOption, ...] = ()
    refuse: Callable[[Workload, Scenario, Mode], Refusal] = takes_all
    """Why it cannot run a workload in a scenario and mode."""
    takes_model: Callable[[Mapping[str, Any]], bool] = any_model
    """Whether it runs a model with this config.json, as far as `model_type` says it."""
    weight_files: Callable[[Mapping[str, OptionValue | None], Path], Sequence[Path]] = safetensors
    """The files of a checkpoint that it loads, by its options. Raises: ArtifactError."""
    planner: str = ""
    """Dotted name of the module that looks for blockers and estimates memory and pace, a `SutPlanner`; empty = nothing
    can be said before it runs."""
    package: str = ""
    """Distribution that brings it; empty = Assay itself."""
    hosts: str = ""
    """Its option that names another SUT, which it runs several times; empty = it answers itself."""

    def __post_init__(self) -> None:
        """Raises: ConfigError for facts that no job could be held against."""
        members = {"precisions": Precision, "devices": Device, "options": SutOption}
        for fact, kind in members.items():
            if not isinstance(found := getattr(self, fact), tuple) or not all(
                isinstance(v, kind) for v in found
            ):
                raise ConfigError(f"the {fact} of SUT {self.name} are no tuple of {kind.__name__}")
        if not self.devices:
            raise ConfigError(f"SUT {self.name} runs on no device")
        names = [option.name for option in self.options]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ConfigError(f"SUT {self.name} declares the option {twice[0]} twice")

    def hosting(self, inner: SutKind) -> SutKind:
        """This SUT with the facts and options of the one that it hosts. Raises: ConfigError for one that hosts."""
        if inner.hosts:
            raise ConfigError(
                f"the {self.name} SUT cannot host {inner.name}, which hosts others", "name another SUT"
            )
        own = {option.name for option in self.options}
        return replace(
            self,
            summary=f"{self.summary}; each is {inner.name}: {inner.summary}",
            needs_checkpoint=inner.needs_checkpoint,
            needs_tokenizer=inner.needs_tokenizer,
            is_fake=inner.is_fake,
            precisions=inner.precisions,
            devices=inner.devices,
            default_batch=inner.default_batch,
            options=(*self.options, *(option for option in inner.options if option.name not in own)),
            refuse=inner.refuse,
            weight_files=inner.weight_files,
            hosts="",
        )

    def option(self, name: str) -> SutOption:
        """Raises: ConfigError with the nearest name."""
        for option in self.options:
            if option.name == name:
                return option
        names = [option.name for option in self.options]
        raise ConfigError(
            f"the {self.name} SUT has no option {name!r}", did_you_mean(name, names) or "it has no options"
        )

    def defaults(self) -> dict[str, OptionValue]:
        """Of the options that have one."""
        return {option.name: option.default for option in self.options if option.default is not None}

    def values(self, given: Mapping[str, OptionValue | None]) -> dict[str, OptionValue | None]:
        """Every option of this SUT with its value: as given, else its default. Raises: ConfigError."""
        unset = {option.name: option.default for option in self.options}
        read = {name: self.option(name).checked(value) for name, value in given.items() if value is not None}
        return {**unset, **read}

    def refuse_missing(self, given: Mapping[str, OptionValue | None]) -> None:
        """Raises: ConfigError for an option that must be given and is not."""
        for option in self.options:
            if option.is_required and not given.get(option.name):
                raise ConfigError(
                    f"the {self.name} SUT needs {option.flag}: {option.help}",
                    f"{option.flag} {option.metavar}",
                )

    def load_planner(self) -> SutPlanner | None:
        """Imports it: only a plan has a use for it. Raises: EnvironmentProblem when that fails."""
        if not self.planner:
            return None
        try:
            found = cast("SutPlanner", importlib.import_module(self.planner))
        except ImportError as error:
            raise extras.lacking(error) or EnvironmentProblem(
                f"the {self.name} SUT cannot be planned: {error}"
            ) from error
        if not self.package:
            return found
        from assay.mlperf.sut.foreign import ForeignPlanner

        return ForeignPlanner(self.package, self.name, found)

    def refuse_impossible(
        self,
        workload: Workload,
        scenarios: Iterable[Scenario],
        modes: Iterable[Mode],
        precision: Precision,
        device: Device,
    ) -> None:
        """Raises: ConfigError for what this SUT cannot do."""
        if self.precisions and precision not in self.precisions:
            raise ConfigError(
                f"the {self.name} SUT cannot run in {precision.value}",
                "--precision " + ", ".join(p.value for p in self.precisions),
            )
        if device not in self.devices:
            raise ConfigError(
                f"the {self.name} SUT does not run on {device.value}",
                "--device " + " or ".join(d.value for d in self.devices) + ", or another --sut",
            )
        modes = tuple(modes)
        for scenario in scenarios:
            for mode in modes:
                if reason := self.refuse(workload, scenario, mode):
                    raise ConfigError(reason, "another --sut; `assay list` names them")
