"""Writes a Hugging Face checkpoint folder tensor by tensor; the folder is whole or absent. It knows safetensors
shards and the index, but not which tensors a model has."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assay.ground import files, scratch
from assay.ground.count import size_text
from assay.ground.errors import ArtifactError, ConfigError, EnvironmentProblem
from assay.ground.model_folder import INDEX, SINGLE

SHARD_BYTES = 2 << 30
"""Bytes of a file of weights. A choice: the writer holds as much in memory."""
TOKENIZER_FILES = (
    "tokenizer.model",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
)


class Shards:
    """Collects tensors and writes a file whenever `SHARD_BYTES` are full."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._held: dict[str, Any] = {}
        self._held_bytes = 0
        self._place: dict[str, str] = {}
        self._total_bytes = 0
        self._written = 0

    def add(self, name: str, tensor: Any) -> None:
        size = tensor.numel() * tensor.element_size()
        if self._held and self._held_bytes + size > SHARD_BYTES:
            self._write()
        self._held[name] = tensor.contiguous()
        self._held_bytes += size
        self._total_bytes += size

    def finish(self, config: Mapping[str, Any]) -> None:
        """Writes the last shard, the index, config.json and a greedy generation_config.json."""
        self._write()
        if self._written == 1:
            (self.folder / "model-00001.safetensors").rename(self.folder / SINGLE)
        else:
            index = {"metadata": {"total_size": self._total_bytes}, "weight_map": self._place}
            files.write_json(self.folder / INDEX, index)
        special = {k: v for k, v in config.items() if k.endswith("_token_id")}
        files.write_json(self.folder / "config.json", config)
        files.write_json(self.folder / "generation_config.json", {**special, "do_sample": False})

    def _write(self) -> None:
        from safetensors.torch import save_file

        self._written += 1
        file = f"model-{self._written:05}.safetensors"
        save_file(self._held, str(self.folder / file), metadata={"format": "pt"})
        (self.folder / file).chmod(0o644)  # save_file keeps it from all others
        self._place |= dict.fromkeys(self._held, file)
        self._held, self._held_bytes = {}, 0


@contextmanager
def staged_folder(out: Path, needed_bytes: int) -> Iterator[Path]:
    """A folder beside `out` that becomes `out` when the block ends well, else it is removed.

    Raises: ConfigError when `out` exists already, EnvironmentProblem when the disk has no room for
    `needed_bytes` or fills up.
    """
    if out.exists():
        raise ConfigError(f"{out} exists already", "name a new folder with --out, or remove that one")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(out.parent).free
    except OSError as error:
        raise EnvironmentProblem(f"cannot write to {out.parent}: {error}", "choose another --out") from error
    if free < needed_bytes:
        raise EnvironmentProblem(
            f"{out} needs {size_text(needed_bytes)} of disk and {size_text(free)} are free",
            "free space there, or choose another --out",
        )
    try:
        with scratch.folder(f".{out.name}.", ".part", out.parent) as stage:
            yield stage
            stage.chmod(0o755)
            stage.replace(out)
    except OSError as error:
        raise EnvironmentProblem(
            f"cannot write {out}: {error}", "free space there, or choose another --out"
        ) from error


def copy_tokenizer(source: Path, into: Path) -> None:
    """The tokenizer of a checkpoint folder, or one `tokenizer.model` / `tokenizer.json` file of any name.

    Raises: ArtifactError when there is none.
    """
    if source.is_file():
        name = "tokenizer.json" if source.suffix == ".json" else "tokenizer.model"
        shutil.copyfile(source, into / name)
        return
    found = [source / name for name in TOKENIZER_FILES if (source / name).is_file()]
    if not any(file.name in ("tokenizer.model", "tokenizer.json") for file in found):
        raise ArtifactError(
            f"{source}: no tokenizer.model and no tokenizer.json",
            "--tokenizer: a checkpoint folder, or the file",
        )
    for file in found:
        shutil.copyfile(file, into / file.name)
