"""A checkpoint folder in Hugging Face format, as files: its config.json, and the files that hold its weights.

Every SUT and the plan ask here, so that all of them speak of the same files. Knows names and formats of files,
not which tensors a model has.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assay.ground import paths
from assay.ground.errors import ArtifactError, AssayError, ConfigError
from assay.ground.safetensors_header import Stored, read_header

INDEX, SINGLE = "model.safetensors.index.json", "model.safetensors"
WANTED = "a folder in Hugging Face format, with config.json, *.safetensors and the tokenizer"
FLOAT_WANTED = "name the folder of the float checkpoint (the engine quantises by itself: --precision int8)"
SAID_QUANTISED = ("quantization_config", "compression_config")
"""Fields of config.json that say that weights were quantised. Source: transformers; compressed-tensors' older name."""
QUANTISED_FILES = ("hf_quant_config.json", "quantize_config.json", "quant_config.json")
"""Names of files that quantising tools write: TensorRT Model Optimizer, AutoGPTQ, AutoAWQ."""
QUANTISED_DTYPES = ("F8_", "F6_", "F4", "I8", "U8")
"""First letters of the dtypes in which no float checkpoint stores weights; F64 is a float."""
QUANTISED_NAMES = (".qweight", ".qzeros", ".weight_packed", ".weight_scale")
PICKLED = ("*.bin", "*.pt", "*.pth")


def read_config(folder: Path) -> dict[str, Any]:
    """config.json. Raises: ConfigError for a file in place of a folder, ArtifactError for no checkpoint."""
    path = folder / "config.json"
    if folder.is_file():
        raise _a_file(folder)
    if not paths.source(path).is_file():
        raise _no_config(folder)
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ArtifactError(f"{path} cannot be read: {error}", "fetch config.json again") from error
    if not isinstance(config, dict):
        raise ArtifactError(f"{path} does not hold a JSON object", "fetch config.json again")
    return config


def read_generation(folder: Path) -> dict[str, Any]:
    """generation_config.json; empty where there is none that can be read (`suts.identity` tells that)."""
    try:
        wished = json.loads((folder / "generation_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return wished if isinstance(wished, dict) else {}


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The files that are loaded: model.safetensors, else the shards that the index names. Each is there.

    Other weights beside them (consolidated.safetensors, adapter_model.safetensors) are not loaded.
    Source: transformers, from_pretrained of a local folder. Raises: ArtifactError.
    """
    if (folder / SINGLE).is_file():
        return (folder / SINGLE,)
    index = folder / INDEX
    if not index.exists():
        raise _no_weights(folder)
    try:
        shards = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        files = tuple(folder / Path(shard).name for shard in shards)
        if not files:
            raise ValueError("it names no file")
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ArtifactError(f"{index} is not a shard index: {error}", f"fetch {INDEX} again") from error
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise ArtifactError(
            f"{folder} lacks {len(missing)} weight file(s) of {len(files)}: {', '.join(missing[:3])}",
            "fetch what is missing: the checkpoint is not whole",
        )
    return files


def stored_tensors(folder: Path) -> dict[str, Stored]:
    """Every tensor that is loaded, from the headers of `weight_files`. Raises: ArtifactError."""
    return {name: stored for file in weight_files(folder) for name, stored in read_header(file).items()}


def says_quantised(config: Mapping[str, Any]) -> bool:
    """Whether config.json says that the weights were quantised."""
    return any(config.get(field) for field in SAID_QUANTISED)


def refuse_said_quantised(config: Mapping[str, Any], where: str) -> None:
    """Raises: ConfigError when config.json (named by `where`) says that the weights were quantised."""
    if says_quantised(config):
        raise ConfigError(f"{where}: the checkpoint is already quantised", FLOAT_WANTED)


def refuse_quantised(folder: Path, stored: Mapping[str, Stored]) -> None:
    """Raises: ConfigError for tensors that were quantised, whatever config.json says."""
    for name, tensor in stored.items():
        if tensor.dtype.startswith(QUANTISED_DTYPES) or name.endswith(QUANTISED_NAMES):
            files = [file for file in QUANTISED_FILES if (folder / file).is_file()]
            beside = f", with {files[0]} beside it" if files else ""
            raise ConfigError(
                f"{folder} is already quantised: {name} is {tensor.dtype}{beside}", FLOAT_WANTED
            )


def _a_file(path: Path) -> AssayError:
    what = f"{path} is a file, and a checkpoint is a folder"
    if path.suffix == ".gguf":
        return ConfigError(f"{what}; GGUF is not run", FLOAT_WANTED)
    near = path.parent if (path.parent / "config.json").is_file() else None
    return ConfigError(what, f"name its folder: {near}" if near else WANTED)


def _no_config(folder: Path) -> AssayError:
    what = f"no checkpoint in {folder}: config.json is missing"
    if not folder.exists():
        hub = f"; a model of the hub is hf:{folder.parent.name}/{folder.name}"
        return ArtifactError(f"{what}, as is the folder", WANTED + hub)
    if (folder / "adapter_config.json").is_file():
        return ArtifactError(f"{what}; it holds an adapter alone", _merge_hint(folder))
    if any(folder.glob("*.gguf")):
        return ArtifactError(f"{what}; it holds GGUF, which is not run", FLOAT_WANTED)
    if (folder / "params.json").is_file():
        return ArtifactError(f"{what}; it is in Mistral's own format", WANTED)
    inside = next(iter(sorted(folder.glob("snapshots/*/config.json"))), None)
    return ArtifactError(what, f"name the snapshot: {inside.parent}" if inside else WANTED)


def _no_weights(folder: Path) -> AssayError:
    """Why a folder with a config.json has no weights that are loaded, by what lies there instead."""
    what = f"no {SINGLE} and no {INDEX} in {folder}"
    found = sorted(file.name for file in folder.glob("*.safetensors"))
    if (folder / "adapter_config.json").is_file() or found == ["adapter_model.safetensors"]:
        return ArtifactError(f"{what}; it holds an adapter alone", _merge_hint(folder))
    if found:
        return ArtifactError(f"{what}; it holds {', '.join(found[:3])}", f"fetch {INDEX} too")
    if any(folder.glob("*.gguf")):
        return ArtifactError(f"{what}; it holds GGUF, which is not run", FLOAT_WANTED)
    pickled = sorted(file.name for kind in PICKLED for file in folder.glob(kind))
    if pickled:
        return ArtifactError(
            f"{what}; it holds {', '.join(pickled[:3])}, and pickled weights are not loaded",
            "convert them with transformers' save_pretrained, which writes safetensors",
        )
    return ArtifactError(what, WANTED)


def _merge_hint(folder: Path) -> str:
    try:
        base = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        name = base["base_model_name_or_path"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        name = "its base model"
    return f"merge it into {name} (peft: merge_and_unload, then save_pretrained) and name that folder"
