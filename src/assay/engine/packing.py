"""Makes the packed copy of a checkpoint's experts, layer by layer. Killed, or stopped by a full disk, it goes on with
the next layer when it is asked again.

What is finished is noted in `packing.json` until all is: only `pack.json` makes a copy.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from assay.engine import packed
from assay.engine.checkpoint import Checkpoint
from assay.engine.config import EngineConfig
from assay.engine.decoder_config import DecoderConfig
from assay.engine.families import read_model_config
from assay.engine.ops import Ops
from assay.engine.ops.choice import choose_ops
from assay.engine.packed import MANIFEST, Manifest, PackedCopy
from assay.engine.weights import check_tensors, lacks_experts, read_experts
from assay.ground import files
from assay.ground.count import size_text
from assay.ground.errors import ArtifactError, ConfigError, EnvironmentProblem

NOTES = "packing.json"
DEVIATION = 0.02
"""Standard deviation of random weights. Source: initializer_range of DecoderConfig."""

Progress = Callable[[str], None]
Fill = Callable[[int, int, Tensor], None]
"""(layer, expert, its bytes to fill)"""


def pack(config: EngineConfig, progress: Progress) -> PackedCopy:
    """The packed copy of a checkpoint for the kernels and the precision of `config`; made unless it is there, and every
    byte of it as it was packed.

    Raises: ArtifactError for a checkpoint that is not sound, ConfigError for one without experts or that another
    process packs, EnvironmentProblem when the disk has no room or fills up; layers that are finished stay.
    """
    model, checkpoint = read_model_config(config.checkpoint), Checkpoint(config.checkpoint)
    ops, _ = choose_ops(config, model)
    folder = packed.folder_in(config.checkpoint, config.precision, ops.form)
    if lacks_experts(checkpoint, model):
        raise ConfigError(f"{checkpoint.folder} has no experts to pack", "the checkpoint as it was published")
    is_stacked = check_tensors(checkpoint, model)
    try:
        if (found := packed.find(config.checkpoint, config.precision, ops.form)) is not None:
            packed.refuse_unfit(found, model.num_layers, model.num_experts, ops.expert_bytes)
            _refuse_changed(found, progress)
            return found
    except ArtifactError as error:
        progress(f"{error.message}: packing it again")
        (folder / MANIFEST).unlink()
    progress(f"reading the digests of {len(checkpoint.files)} files")
    job = _Job(folder, _manifest(config, model, ops, packed.shards(checkpoint.files), None), progress)

    def fill(layer: int, expert: int, into: Tensor) -> None:
        if expert == 0:
            layers[:] = zip(*read_experts(model, checkpoint, layer, is_stacked))
        ops.pack_expert(*layers[expert], into)
        if expert == model.num_experts - 1:
            checkpoint.drop_pages()

    layers: list[tuple[Tensor, Tensor, Tensor]] = []
    return job.run(fill)


def write_random(config: EngineConfig, seed: int, progress: Progress) -> PackedCopy:
    """Random int8 experts for the config.json in config.checkpoint, as a packed copy that no weights stand behind. The
    same seed, shape and form of kernels give the same bytes. Raises: EnvironmentProblem as `pack`."""
    model = read_model_config(config.checkpoint)
    ops, _ = choose_ops(config, model)
    folder = packed.folder_in(config.checkpoint, config.precision, ops.form)
    generator = torch.Generator()

    def fill(layer: int, expert: int, into: Tensor) -> None:
        generator.manual_seed((seed * model.num_layers + layer) * model.num_experts + expert)
        ops.random_expert(generator, DEVIATION, into)

    return _Job(folder, _manifest(config, model, ops, (), seed), progress).run(fill)


def _manifest(
    config: EngineConfig, model: DecoderConfig, ops: Ops, sources: tuple[packed.Shard, ...], seed: int | None
) -> Manifest:
    """Without digests: nothing is packed yet."""
    shape = (ops.expert_bytes, model.num_layers, model.num_experts)
    return Manifest(config.precision.value, ops.form, *shape, sources, seed, ())


@dataclass(frozen=True)
class _Job:
    """One copy, from nothing or from what was finished earlier."""

    folder: Path
    manifest: Manifest
    progress: Progress

    def run(self, fill: Fill) -> PackedCopy:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with files.held(self.folder) as is_ours:
                if not is_ours:
                    raise ConfigError(f"another process packs into {self.folder}", "wait until it has ended")
                return self._pack(fill)
        except OSError as error:
            raise files.as_problem(error, self.folder) from error

    def _pack(self, fill: Fill) -> PackedCopy:
        digests = self._finished()
        count = self.manifest.num_layers
        self._refuse_without_space(count - len(digests))
        memory = torch.zeros(self.manifest.expert_bytes, dtype=torch.uint8)
        for layer in range(len(digests), count):
            self.progress(f"packing layer {layer + 1} of {count}")
            digests.append(self._write(layer, fill, memory))
            self._note(digests)
        copy = packed.write(self.folder, dataclasses.replace(self.manifest, sha256=tuple(digests)))
        (self.folder / NOTES).unlink(missing_ok=True)
        return copy

    def _write(self, layer: int, fill: Fill, memory: Tensor) -> tuple[str, ...]:
        """A layer's file, whole or not at all, and the digests of its experts."""
        digests = []
        with files.staged(packed.layer_file(self.folder, layer)) as part, part.open("wb") as file:
            for expert in range(self.manifest.num_experts):
                fill(layer, expert, memory)
                view = memoryview(memory.numpy())
                file.write(view)
                digests.append(packed.digest(view))
            file.flush()
            os.fsync(file.fileno())
            if hasattr(os, "posix_fadvise"):  # these pages are not wanted soon, others are
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        return tuple(digests)

    def _finished(self) -> list[tuple[str, ...]]:
        """Digests of the layers that an earlier attempt at the same copy finished, each read and checked again."""
        try:
            tree = json.loads((self.folder / NOTES).read_text(encoding="utf-8"))
            if tree["of"] != self._identity():
                return []
            noted = [tuple(map(str, of)) for of in tree["sha256"]]
        except (OSError, ValueError, TypeError, KeyError):
            return []
        sound = []
        for layer, digests in enumerate(noted):
            if _digests(packed.layer_file(self.folder, layer), self.manifest.expert_bytes) != digests:
                self.progress(f"layer {layer + 1} is not as it was written: packing goes on from there")
                break
            sound.append(digests)
        if sound:
            self.progress(f"{len(sound)} layers were packed before")
        return sound

    def _note(self, digests: Iterable[tuple[str, ...]]) -> None:
        files.write_json(self.folder / NOTES, {"of": self._identity(), "sha256": list(digests)})

    def _identity(self) -> object:
        """What must be the same for finished layers to count; as JSON gives it back."""
        return json.loads(json.dumps(dataclasses.asdict(self.manifest)))

    def _refuse_without_space(self, num_layers: int) -> None:
        needed = num_layers * self.manifest.num_experts * self.manifest.expert_bytes
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            raise EnvironmentProblem(
                f"{self.folder} needs {size_text(needed)} of disk and {size_text(free)} are free",
                "free space there, or bring the checkpoint to a larger disk",
            )


def _refuse_changed(copy: PackedCopy, progress: Progress) -> None:
    """Raises: ArtifactError for a layer whose bytes are not those that were packed; reads all of them."""
    progress(f"reading the {len(copy.manifest.sha256)} layers that are there")
    for layer, digests in enumerate(copy.manifest.sha256):
        if _digests(copy.file(layer), copy.manifest.expert_bytes) != digests:
            raise ArtifactError(f"{copy.file(layer)} is not as it was packed")


def _digests(file: Path, size: int) -> tuple[str, ...]:
    try:
        with file.open("rb") as opened:
            found = []
            while piece := opened.read(size):
                found.append(packed.digest(memoryview(piece)))
            return tuple(found)
    except OSError:
        return ()
