"""Which model a checkpoint is, compared with the workload's own: by shape, and by origin where it is known. A run
carries the name of a workload; this module says what really ran under that name."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.ground import artifact, model_folder
from assay.ground.errors import AssayError
from assay.ground.hub_model import HubModel
from assay.mlperf.workloads.workload import PublishedModel
from assay.suts import shape
from assay.suts.shape import RANDOM, WEIGHTS_KEY

GENERATION = "generation_config.json"
NEUTRAL = {
    "temperature": 1.0,
    "top_k": 50,
    "top_p": 1.0,
    "typical_p": 1.0,
    "num_beams": 1,
    "repetition_penalty": 1.0,
    "encoder_repetition_penalty": 1.0,
    "length_penalty": 1.0,
    "diversity_penalty": 0.0,
    "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0,
}
"""Values that change nothing. Source: GenerationConfig of transformers."""
NO_WISH = ("_", "transformers_version", "use_cache", "cache_", "output_", "return_", "max_length", "max_new")
"""Beginnings of keys that do not affect which token is chosen. The round limits the length of answers."""


@dataclass(frozen=True)
class Identity:
    """`is_official`: True, False, or None where shape and names agree and nothing proves the weights."""

    official: str
    parameters: int
    is_official: bool | None
    note: str
    """A sentence for the reader; empty for the official weights."""


def of(checkpoint: Path, model: PublishedModel) -> Identity:
    """Compares the checkpoint in a folder with a workload's published model at the reference's revision. Raises:
    ConfigError, ArtifactError for a folder that is no checkpoint of a Llama or Mixtral model."""
    config = model_folder.read_config(checkpoint)
    found = shape.of(config, str(checkpoint / "config.json"))
    size = count(found.parameters)
    official = model.of_hub or HubModel(model.name)
    name, commit = official.name, official.revision[:7]

    def told(is_official: bool | None, note: str) -> Identity:
        return Identity(name, found.parameters, is_official, note)

    if config.get(WEIGHTS_KEY) == RANDOM:
        return told(False, f"not the weights of {name}: {size} parameters, random")
    if config.get("model_type") != model.config.get("model_type") or found != shape.of(model.config):
        return told(False, f"not the weights of {name}: {size} parameters")
    origin = _origin(checkpoint)
    if origin == official.origin:
        return told(True, "")
    if origin is not None:
        return told(False, f"not the weights of {name}@{commit}: {size} parameters, of {origin}")
    return told(
        None,
        f"{size} parameters in the shape of {name}; that they are its weights at {commit} was not checked",
    )


def count(parameters: int) -> str:
    """`46.7 B`, `4.5 M`, `900`."""
    for unit, scale in (("B", 1e9), ("M", 1e6)):
        if parameters >= scale:
            return f"{parameters / scale:.1f} {unit}"
    return f"{parameters:,}"


def _origin(checkpoint: Path) -> str | None:
    """OWNER/NAME@COMMIT of a model that Assay or Hugging Face's own client fetched; None for a folder of unknown
    origin."""
    if (said := artifact.origin(checkpoint)) is not None:
        return said
    # Hugging Face's cache: models--OWNER--NAME/snapshots/COMMIT
    home = checkpoint.resolve().parents
    if len(home) > 1 and home[0].name == "snapshots" and home[1].name.startswith("models--"):
        name = home[1].name.removeprefix("models--").replace("--", "/", 1)
        return HubModel(name, checkpoint.resolve().name).origin
    return None


def unfollowed(checkpoint: Path, eos_ids: Collection[int]) -> str:
    """Settings in generation_config.json that no SUT follows, as a sentence; empty when there are none. Source:
    inference_rules, additional inference parameters: answers are greedy, whatever the checkpoint prefers."""
    try:
        asked = json.loads((checkpoint / GENERATION).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, RecursionError) as error:
        return f"{GENERATION} of the checkpoint cannot be read and is not followed: {error}"
    wishes = ", ".join(_wishes(asked, eos_ids)) if isinstance(asked, Mapping) else ""
    return (
        f"{GENERATION} of the checkpoint asks for {wishes}: not followed, by MLPerf's rules answers are greedy"
        if wishes
        else ""
    )


def _wishes(asked: Mapping[str, Any], eos_ids: Collection[int]) -> Iterator[str]:
    for key, value in sorted(asked.items()):
        if key == "eos_token_id":
            is_wish = not _is_known(value, eos_ids)
        elif key.startswith(NO_WISH) or (key.endswith("_token_id") and not key.startswith("forced")):
            is_wish = False
        else:
            is_wish = bool(value) and value != NEUTRAL.get(key)
        if is_wish:
            yield f"{key} {json.dumps(value)[:60]}"


def said_of(checkpoint: Path, model: PublishedModel | None) -> Identity | None:
    """As `of`; None without a published model, and for a folder that is no such checkpoint: loading it reports that."""
    if model is None:
        return None
    try:
        return of(checkpoint, model)
    except AssayError:
        return None


def _is_known(eos: object, eos_ids: Collection[int]) -> bool:
    return eos is None or set(eos if isinstance(eos, list) else [eos]) <= set(eos_ids)
