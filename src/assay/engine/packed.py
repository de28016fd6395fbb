"""A packed copy of a checkpoint's experts on disk: bytes as the kernels read them, so that a step reads front to back.

It is a folder inside the checkpoint's, one for each precision and form of kernels, with a file for each layer: expert
after expert, each whole blocks of a disk. `pack.json` is written last and holds every digest: without it there is no
copy. Attention, norms, routers, head and embeddings stay where the checkpoint has them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assay.config import Precision
from assay.engine.config import EngineConfig
from assay.ground import files
from assay.ground.errors import ArtifactError, ConfigError

MANIFEST = "pack.json"
VERSION = 1


@dataclass(frozen=True)
class Shard:
    """A file of weights that was packed, as it was then."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    precision: str
    form: str
    """Ops.form of the kernels that read it"""
    expert_bytes: int
    num_layers: int
    num_experts: int
    sources: tuple[Shard, ...]
    """Empty for random weights, which no file held before"""
    seed: int | None
    """Of random weights"""
    sha256: tuple[tuple[str, ...], ...]
    """Of each expert, by layer"""
    version: int = VERSION

    @property
    def size(self) -> int:
        """Bytes of all experts."""
        return self.num_layers * self.num_experts * self.expert_bytes


@dataclass(frozen=True)
class PackedCopy:
    """A whole copy."""

    folder: Path
    manifest: Manifest

    def file(self, layer: int) -> Path:
        return layer_file(self.folder, layer)


def layer_file(folder: Path, layer: int) -> Path:
    return folder / f"layer-{layer:03}.experts"


def folder_in(checkpoint: Path, precision: Precision, form: str) -> Path:
    """Where the copy of a checkpoint lies."""
    return checkpoint / f"packed-{precision.value}-{form}"


def folders_in(checkpoint: Path) -> tuple[Path, ...]:
    """Of all copies that are whole, whatever their precision."""
    return tuple(sorted(path.parent for path in checkpoint.glob(f"packed-*/{MANIFEST}")))


def pack_again(folder: Path) -> str:
    """What to try where the copy in this folder cannot be used: packing looks at all of it, and makes it anew."""
    precision = folder.name.split("-")[1]
    return f"pack it again: assay model pack --checkpoint {folder.parent} --precision {precision}"


def find(checkpoint: Path, precision: Precision, form: str) -> PackedCopy | None:
    """The whole copy of a checkpoint for these kernels; None where there is none.

    Raises: ArtifactError for one that is damaged, cut short, or of other weights than the checkpoint holds.
    """
    folder = folder_in(checkpoint, precision, form)
    if not (folder / MANIFEST).is_file():
        return None
    copy = PackedCopy(folder, _read(folder / MANIFEST))
    for layer in range(copy.manifest.num_layers):
        _refuse_cut_short(copy, layer)
    _refuse_other_weights(checkpoint, copy)
    return copy


def refuse_unfit(copy: PackedCopy, num_layers: int, num_experts: int, expert_bytes: int) -> None:
    """Raises: ArtifactError unless the copy holds the experts of a model of this shape."""
    manifest = copy.manifest
    found = (manifest.num_layers, manifest.num_experts, manifest.expert_bytes)
    asked = (num_layers, num_experts, expert_bytes)
    if found != asked or [len(of) for of in manifest.sha256] != [num_experts] * num_layers:
        raise ArtifactError(
            f"{copy.folder} holds {found[0]} layers of {found[1]} experts of {found[2]} bytes; "
            f"the model and its kernels want {asked[0]} of {asked[1]} of {asked[2]}",
            pack_again(copy.folder),
        )


def write(folder: Path, manifest: Manifest) -> PackedCopy:
    """Make the layers that lie in `folder` a copy. Raises: EnvironmentProblem when it cannot be written."""
    files.write_json(folder / MANIFEST, dataclasses.asdict(manifest))
    return PackedCopy(folder, manifest)


def shards(paths: Sequence[Path]) -> tuple[Shard, ...]:
    """The files as they are now; reads all of them."""
    return tuple(Shard(path.name, path.stat().st_size, files.sha256(path)) for path in paths)


def digest(memory: memoryview) -> str:
    return hashlib.sha256(memory).hexdigest()


def for_engine(config: EngineConfig, form: str, lacks_experts: bool, is_from_disk: bool) -> PackedCopy | None:
    """The copy that an engine reads: where there is one it spares packing, also into memory.

    Raises: ConfigError when there is none, and experts are on disk or nowhere else; ArtifactError as `find`.
    """
    copy = find(config.checkpoint, config.precision, form)
    if copy is not None or not (lacks_experts or is_from_disk):
        return copy
    checkpoint, precision = config.checkpoint, config.precision.value
    others = ", ".join(path.name for path in folders_in(checkpoint))
    if lacks_experts:
        why = "has no experts of its own"
    elif config.weights == "disk":
        why = "is to be read from disk"
    else:
        why = "does not fit into memory, so experts are read from disk"
    raise ConfigError(
        f"{checkpoint} {why}, and it has no packed copy in {precision} for kernels that read {form}"
        + (f"; it has {others}" if others else ""),
        f"assay model pack --checkpoint {checkpoint} --precision {precision}, once",
    )


def _read(path: Path) -> Manifest:
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
        sources = tuple(Shard(**shard) for shard in tree.pop("sources"))
        sha256 = tuple(tuple(map(str, of)) for of in tree.pop("sha256"))
        manifest = Manifest(**tree, sources=sources, sha256=sha256)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ArtifactError(
            f"{path} is not the manifest of a packed copy: {error}", pack_again(path.parent)
        ) from error
    if manifest.version != VERSION:
        raise ArtifactError(
            f"{path} has version {manifest.version}, expected {VERSION}", pack_again(path.parent)
        )
    return manifest


def _refuse_cut_short(copy: PackedCopy, layer: int) -> None:
    file, expected = copy.file(layer), copy.manifest.num_experts * copy.manifest.expert_bytes
    try:
        size = file.stat().st_size
    except OSError as error:
        raise ArtifactError(
            f"{file} is missing from a packed copy: {error.strerror}", pack_again(copy.folder)
        ) from error
    if size != expected:
        raise ArtifactError(
            f"{file} has {size} bytes, its packed copy says {expected}", pack_again(copy.folder)
        )


def _refuse_other_weights(checkpoint: Path, copy: PackedCopy) -> None:
    """By size, and by digest where a shard was written after it was packed."""
    packed_at = (copy.folder / MANIFEST).stat().st_mtime_ns
    for shard in copy.manifest.sources:
        path = checkpoint / shard.name
        try:
            now = path.stat()
        except OSError as error:
            raise ArtifactError(
                f"{copy.folder} was packed from {path}, which is not there: {error.strerror}",
                pack_again(copy.folder),
            ) from error
        is_other = now.st_size != shard.size
        if is_other or (now.st_mtime_ns > packed_at and files.sha256(path) != shard.sha256):
            raise ArtifactError(
                f"{copy.folder} was packed from other weights: {path} has changed since",
                pack_again(copy.folder),
            )
