"""What a node of a cluster is and has, looked at on the node; and whether all nodes are alike. Knows nothing of Ray."""

from __future__ import annotations

import hashlib
import platform
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from assay.ground import cores, memory

LIBRARIES = (
    "assay-bench",
    "ray",
    "torch",
    "transformers",
    "accelerate",
    "numpy",
    "tokenizers",
    "safetensors",
)
"""Whose versions may change answers or pace."""
WHOLE_BYTES = 16 << 20
"""Files up to here are told by their content: configurations and tokenizers. Weights are, once they are loaded."""


@dataclass(frozen=True)
class NodeFacts:
    host: str
    versions: Mapping[str, str]
    """Library -> version; one that is absent has none."""
    files: Mapping[str, str]
    """Path of each file of the model -> what is known of it without loading: its digest, or its size."""
    missing: tuple[str, ...]
    """Paths that are to be there and are not."""
    cores: int
    memory_bytes: int
    system: Mapping[str, str]
    """The fields of the system description."""


def facts(folders: Sequence[Path], packages: Iterable[str] = ()) -> NodeFacts:
    """Of the machine that this runs on."""
    from assay.machine import probe

    return NodeFacts(
        host=socket.gethostname(),
        versions=_versions((*LIBRARIES, *packages)),
        files={str(path): _known_of(path) for folder in folders for path in _files(folder)},
        missing=tuple(str(folder) for folder in folders if not folder.is_dir()),
        cores=cores.usable(),
        memory_bytes=memory.total(),
        system={name: str(found.value) for name, found in probe.fields().items() if found.value},
    )


def differences(nodes: Mapping[str, NodeFacts]) -> list[str]:
    """Why these nodes cannot measure together, a sentence each; the first node is what the others are held against."""
    found = [f"{name} lacks {path}" for name, each in nodes.items() for path in each.missing]
    first, *others = nodes
    for other in others:
        mine, theirs = nodes[first], nodes[other]
        found += _differences(first, mine.versions, other, theirs.versions)
        if not mine.missing and not theirs.missing:
            found += _differences(first, mine.files, other, theirs.files)
    return found


def _differences(first: str, mine: Mapping[str, str], other: str, theirs: Mapping[str, str]) -> list[str]:
    return [
        f"{name} is {mine.get(name, 'absent')} on {first}, {theirs.get(name, 'absent')} on {other}"
        for name in sorted({*mine, *theirs})
        if mine.get(name) != theirs.get(name)
    ]


def _versions(names: Iterable[str]) -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []


def _known_of(path: Path) -> str:
    size = path.stat().st_size
    if size > WHOLE_BYTES:
        return f"{size} bytes"
    return f"SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
