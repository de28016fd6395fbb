"""What is known of the weights before they are loaded: of a checkpoint's config.json, else of the published model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assay import suts
from assay.bench.preparation import Preparation
from assay.config import BYTES_PER_WEIGHT, Precision
from assay.ground import model_folder
from assay.ground.errors import ConfigError
from assay.mlperf import workloads
from assay.mlperf.workloads.workload import PublishedModel
from assay.suts import identity
from assay.suts import shape as shapes
from assay.suts.shape import RANDOM, WEIGHTS_KEY, ModelShape


@dataclass(frozen=True)
class KnownModel:
    """All fields are empty for a SUT without weights, and for a model of which nothing is known."""

    parameters: int | None = None
    shape: ModelShape | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    """Its config.json."""
    is_random: bool = False
    read_bytes: int = 0
    """Of the weight files; 0 while they are to be fetched."""

    def weight_bytes(self, precision: Precision) -> int:
        """In memory; 0 when the number of parameters is not known."""
        return int((self.parameters or 0) * BYTES_PER_WEIGHT[precision])


def of(prepared: Preparation) -> KnownModel:
    """Raises: ConfigError, ArtifactError for a config.json that cannot be read, or is of no model that is known."""
    model = published(prepared)
    if model is not None:
        if model.has_shape:
            shape = shapes.of(model.config)
            return KnownModel(shape.parameters, shape, dict(model.config))
        return KnownModel(model.parameters)
    folder = prepared.checkpoint
    if folder is None or prepared.kind is None or not prepared.kind.needs_checkpoint:
        return KnownModel()
    config = model_folder.read_config(folder)
    shape = shapes.of(config, str(folder / "config.json"))
    options = prepared.kind.values(prepared.config.sut_options)
    size = sum(path.stat().st_size for path in prepared.kind.weight_files(options, folder))
    return KnownModel(shape.parameters, shape, config, config.get(WEIGHTS_KEY) == RANDOM, size)


def other_weights(prepared: Preparation) -> str:
    """That the checkpoint asked for is not, or may not be, the workload's model; empty where it is, or none is."""
    asked = prepared.config.paths.checkpoint
    if asked is None or prepared.kind is None or not prepared.kind.needs_checkpoint:
        return ""
    known = identity.said_of(asked, workloads.model_of(prepared.workload))
    return known.note if known else ""


def published(prepared: Preparation) -> PublishedModel | None:
    """The workload's own model, where it is what will be fetched as the checkpoint."""
    model = prepared.workload.model
    return model if model and any(each.source == model.source for each in prepared.wanted) else None


def refuse_unable(prepared: Preparation) -> None:
    """Raises: ConfigError where the SUT does not run the model that would be fetched for it."""
    model, kind = published(prepared), prepared.kind
    if model is None or kind is None or kind.takes_model(model.config):
        return
    able = [
        f"--sut {each.name}"
        for each in suts.kinds()
        if each.needs_checkpoint and each.precisions and each.takes_model(model.config)
    ]
    raise ConfigError(
        f"the {kind.name} SUT does not run models like {model.name}",
        f"{' or '.join(able)}, or a server that runs it: --sut endpoint --url URL",
    )
