"""A checkpoint becomes a model of Hugging Face transformers: what keeps it from being loaded is said first."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.config import BYTES_PER_WEIGHT, Device
from assay.ground import memory, model_folder
from assay.ground.count import size_text
from assay.ground.errors import ArtifactError, ConfigError, EnvironmentProblem
from assay.ground.safetensors_header import Stored
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.interface import SutSpec
from assay.suts import device_map, shape
from assay.suts.device_map import DeviceMap, Place

HEADROOM = 1.1
"""Free memory asked for, as a multiple of the bare weights: activations and the KV cache of a small batch. A choice:
`transformers_plan.ram_bytes` counts them one by one."""


def prepare(checkpoint: Path, samples: Sequence[Sample]) -> int:
    """Everything that can be said of a checkpoint without loading it; gives the number of stored elements.

    Raises: ConfigError, ArtifactError as `transformers_sut.build`.
    """
    config = model_folder.read_config(checkpoint)
    shape.refuse_foreign_tokens(config, samples, checkpoint)
    stored = model_folder.stored_tensors(checkpoint)
    if not model_folder.says_quantised(config):  # else transformers knows how to read them
        model_folder.refuse_quantised(checkpoint, stored)
        _refuse_absent(checkpoint, config, stored)
    return sum(tensor.count for tensor in stored.values())


def _refuse_absent(checkpoint: Path, config: Mapping[str, Any], stored: Mapping[str, Stored]) -> None:
    """Tensors that `load` would miss, where the engine knows the family's names; for any other the load tells.

    Tensors that nobody asks for are passed over by transformers. Raises: ArtifactError.
    """
    from assay.engine import families, weights

    try:
        model = families.model_config(config, str(checkpoint))
    except ConfigError:
        return
    if weights.EMBED not in stored:
        return  # a bare decoder: transformers finds its tensors under shorter names
    is_stacked = any(weights.STACKED_GATE_UP in name for name in stored)
    expected = weights.expected_shapes(model, is_stacked)
    _refuse_keys(checkpoint, "missing", expected.keys() - stored.keys())
    other = [name for name, shape in expected.items() if name in stored and stored[name].shape != shape]
    _refuse_keys(checkpoint, "mismatched", other)


def _refuse_keys(checkpoint: Path | None, fault: str, names: Collection[object]) -> None:
    """Absent weights are drawn at random by transformers, with no more than a warning: a model never asked for."""
    if names:
        raise ArtifactError(
            f"{checkpoint} has {len(names)} {fault} tensors, as {min(map(str, names))}",
            "fetch the checkpoint again",
        )


def load(spec: SutSpec, wanted: DeviceMap | None, offload: Path | None) -> Any:
    """The model, ready to generate. `wanted` None = on one device; `offload`: folder for weights on disk.

    Raises: EnvironmentProblem without the device, ArtifactError for a checkpoint that is not whole.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, GenerationConfig

    if spec.device is Device.CUDA and not torch.cuda.is_available():
        raise EnvironmentProblem("device cuda asked for, and torch sees no CUDA device", "--device cpu")
    try:
        model, loading = AutoModelForCausalLM.from_pretrained(
            spec.checkpoint,
            dtype=getattr(torch, spec.precision.value),
            local_files_only=True,
            output_loading_info=True,
            **(device_map.arguments(wanted, _free_bytes(spec), offload) if wanted is not None else {}),
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ArtifactError(
            f"transformers cannot load {spec.checkpoint}: {error}", "a folder in Hugging Face format"
        ) from error
    for fault in ("missing", "mismatched"):
        _refuse_keys(spec.checkpoint, fault, loading.get(f"{fault}_keys") or ())
    # The rules of the round decide on every token, not what the checkpoint prefers (`identity.unfollowed` says so).
    model.generation_config = GenerationConfig()
    return (model if wanted is not None else model.to(spec.device.value)).eval()


def refuse_without_memory(parameters: int, spec: SutSpec) -> None:
    """Before anything is loaded. `parameters`: stored elements. Raises: EnvironmentProblem when the weights, in the
    precision asked for, are larger than the free memory."""

    if spec.device is not Device.CPU:
        return
    needed = parameters * BYTES_PER_WEIGHT[spec.precision] * HEADROOM
    free = memory.available()
    if needed > free:
        raise EnvironmentProblem(
            f"the weights in {spec.precision.value} need {size_text(needed)}, and {size_text(free)} are free",
            "a smaller precision, a smaller checkpoint or a larger machine; `assay plan` shows what would fit",
        )


def gpus(spec: SutSpec) -> int:
    """How many CUDA devices there are for this SUT; 0 on the processor."""
    import torch

    return torch.cuda.device_count() if spec.device is Device.CUDA else 0


def _free_bytes(spec: SutSpec) -> dict[Place, int]:
    """Of each device that may hold weights: without this list accelerate would take GPUs that were not asked for."""
    import torch

    free: dict[Place, int] = {n: torch.cuda.mem_get_info(n)[0] for n in range(gpus(spec))}
    return {**free, "cpu": memory.available()}
