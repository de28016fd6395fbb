"""The image for a benchmark: a Dockerfile made from the local installation, built once per digest.

There are two kinds. `host` is an empty image; this machine's Python and libraries are mounted into it read-only. It
needs no registry, and the measured installation is the local one. For any other base, Assay and its requirements are
installed into it, with the versions that are installed here.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import assay
from assay.ground import extras, scratch
from assay.ground.errors import EnvironmentProblem

HOST = "host"
"""The name of the base that needs no base image."""
SYSTEM = ("usr", "bin", "sbin", "lib", "lib64", "lib32")
"""Folders of programs and their libraries. Source: Filesystem Hierarchy Standard 3.0."""
LOADER_FILES = ("/etc/ld.so.cache", "/etc/alternatives")
REPOSITORY = "localhost/assay"
PACKAGE = "assay-bench"

Execute = Callable[[Sequence[str]], tuple[int, str]]
"""Runs a command. Returns its exit code and its output."""


@dataclass(frozen=True)
class Image:
    """An image to build, and what its containers need from the host."""

    dockerfile: str
    texts: Mapping[str, str] = field(default_factory=dict)
    """Files of the build context: path -> text."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Symbolic links of the build context: path -> target."""
    folders: Mapping[str, Path] = field(default_factory=dict)
    """Folders copied into the build context: path -> source."""
    mounts: tuple[Path, ...] = ()
    """Folders mounted read-only at the same path as on the host."""
    python: str = "python3"
    """The Python interpreter with Assay inside the container."""

    @property
    def tag(self) -> str:
        """The name of the image, from a digest of its Dockerfile and files. Equal content gives the same name."""
        state = hashlib.sha256(self.dockerfile.encode())
        for name, text in sorted({**self.texts, **self.links}.items()):
            state.update(f"\0{name}\0{text}".encode())
        for name, source in sorted(self.folders.items()):
            for path in sorted(source.rglob("*.*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    state.update(f"\0{name}\0{path.relative_to(source)}\0".encode() + path.read_bytes())
        return f"{REPOSITORY}:{state.hexdigest()[:16]}"


def plan(base: str | None) -> Image:
    """The image for `base`; None means `host`."""
    return host_image() if base in (None, HOST) else installed_image(str(base))


def host_image(root: Path = Path("/")) -> Image:
    """An empty image with the symbolic links of this system. Its programs and this interpreter are mounted."""
    links, system = {}, []
    for name in SYSTEM:
        folder = root / name
        if folder.is_symlink():
            links[f"root/{name}"] = str(folder.readlink())
        elif folder.is_dir():
            system.append(folder)
    packages = [Path(name) for name in sys.path if name and Path(name).is_dir()]  # .pth files add to it
    interpreter = [Path(sys.base_prefix), Path(sys.prefix), Path(assay.__file__).parents[1], *packages]
    loader = [Path(name) for name in LOADER_FILES if Path(name).exists()]
    texts = {
        "root/etc/passwd": "root:x:0:0:root:/tmp:/bin/sh\n",
        "root/etc/group": "root:x:0:\n",
    }
    # The container uses this Assay, even if its interpreter would find another one.
    dockerfile = f'FROM scratch\nCOPY root/ /\nENV HOME=/tmp PYTHONPATH="{Path(assay.__file__).parents[1]}"\n'
    return Image(dockerfile, texts, links, {}, _outermost([*system, *loader, *interpreter]), sys.executable)


def installed_image(base: str) -> Image:
    """Assay and what of its requirements and extras is installed here, inside `base`, which must have Python 3.10 or
    later with venv."""
    dockerfile = "\n".join(
        [
            f"FROM {base}",
            "RUN python3 -m venv /opt/assay",
            "COPY requirements.txt /opt/assay/",
            "RUN /opt/assay/bin/pip install --no-cache-dir -r /opt/assay/requirements.txt",
            "COPY assay /opt/assay/source/assay",
            "ENV PYTHONPATH=/opt/assay/source HOME=/tmp",
            "",
        ]
    )
    folders = {"assay": Path(assay.__file__).parent}
    texts = {"requirements.txt": "\n".join(requirements()) + "\n"}
    return Image(dockerfile, texts, folders=folders, python="/opt/assay/bin/python")


def requirements() -> list[str]:
    """`name==version` of each requirement of Assay and of its extras for users, as installed here. A local build
    (`+cpu`) is named by its release."""
    found = set()
    for line in metadata.requires(PACKAGE) or []:
        match, extra = re.match(r"[A-Za-z0-9._-]+", line), re.search(r"extra == .([\w-]+)", line)
        if match is None or match[0] == PACKAGE or (extra and extra[1] not in extras.LIBRARIES.values()):
            continue
        try:
            found.add(f"{match[0]}=={metadata.version(match[0]).partition('+')[0]}")
        except metadata.PackageNotFoundError:
            continue  # an extra that is not installed here, or needed only on other Python versions, as tomli
    return sorted(found)


def build(image: Image, engine: str, execute: Execute, show: Callable[[str], None]) -> str:
    """The tag of `image`. It is built if the engine does not have it, and `show` says so before. Raises:
    EnvironmentProblem with the end of the log."""
    tag = image.tag
    if execute([engine, "image", "inspect", tag])[0] == 0:
        return tag
    show(f"{engine} builds the image {tag}, once: {image.dockerfile.partition(chr(10))[0]}")
    with scratch.folder("assay-image-") as context:
        _lay_out(image, context)
        code, said = execute([engine, "build", "-t", tag, "-f", str(context / "Dockerfile"), str(context)])
    if code:
        raise EnvironmentProblem(
            f"{engine} could not build the image:\n{_tail(said)}",
            f"another base (--container-base IMAGE), or --container-base {HOST}: no base image at all",
        )
    return tag


def _lay_out(image: Image, context: Path) -> None:
    (context / "Dockerfile").write_text(image.dockerfile, encoding="utf-8")
    for path, text in image.texts.items():
        (context / path).parent.mkdir(parents=True, exist_ok=True)
        (context / path).write_text(text, encoding="utf-8")
    for path, target in image.links.items():
        (context / path).symlink_to(target)
    for path, source in image.folders.items():
        shutil.copytree(source, context / path, ignore=shutil.ignore_patterns("__pycache__"))


def _outermost(paths: Sequence[Path]) -> tuple[Path, ...]:
    """The paths that are not below another one of them."""
    unique = list(dict.fromkeys(paths))
    return tuple(path for path in unique if not any(other in path.parents for other in unique))


def _tail(text: str, lines: int = 12) -> str:
    return "\n".join(text.strip().splitlines()[-lines:])
