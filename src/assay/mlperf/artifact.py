"""The published model and datasets of mixtral-8x7b: their addresses and hashes, and how one gets here once.

A source is a path, `file://PATH`, `hf:OWNER/NAME@COMMIT`, an MLCommons `.uri`, or the address of one file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from assay.config import Precision
from assay.ground import artifact, download, hub, paths, r2, settings
from assay.ground.artifact import Item, Listing
from assay.ground.download import Patience, Remote, Report
from assay.ground.errors import ArtifactError, ConfigError, EnvironmentProblem
from assay.ground.hub import Hub
from assay.ground.redact import addresses
from assay.mlperf.dataset_file import is_dataset_name

STORAGE = "https://inference.mlcommons-storage.org"
MODEL = "hf:mistralai/Mixtral-8x7B-Instruct-v0.1@a60832cb6c88d5cb6e507680d0e9996fbad77050"
"""The revision of the reference: the tokenizer changed later. Source: mlcommons/inference, mixtral-8x7b."""
PARAMETERS = 46_702_792_704
"""Counted from its configuration: 32 layers of 1,451,270,144, embeddings 262,144,000, last norm 4,096."""
BYTES_PER_PARAMETER = {
    Precision.FLOAT32: 4.0,
    Precision.BFLOAT16: 2.0,
    Precision.FLOAT16: 2.0,
    Precision.INT8: 1.0,
    Precision.INT4: 0.5,
}


@dataclass(frozen=True)
class DatasetFile:
    """One published dataset file."""

    name: str
    url: str
    md5: str | None
    superseded_by: str | None = None


_CURRENT = "09292024_mixtral_15k_mintoken2_v1.pkl"
DATASETS = {
    file.name: file
    for file in (
        DatasetFile(_CURRENT, f"{STORAGE}/mixtral_8x7b/{_CURRENT}", None),
        DatasetFile(
            "2024.06.06_mixtral_15k_v4.pkl",
            f"{STORAGE}/mixtral_8x7b%2F2024.06.06_mixtral_15k_v4.pkl",
            "78823c13e0e73e518872105c4b09628b",
            superseded_by=_CURRENT,
        ),
        DatasetFile(
            "2024.06.06_mixtral_15k_calibration_v4.pkl",
            f"{STORAGE}/mixtral_8x7b%2F2024.06.06_mixtral_15k_calibration_v4.pkl",
            "75067c9fe5cb5baef216a4b124c61df1",
        ),
    )
}
"""Source: mlcommons/inference, language/mixtral-8x7b/README.md; MD5 is all that is published."""
DATASET = DATASETS[_CURRENT].url
CALIBRATION = DATASETS["2024.06.06_mixtral_15k_calibration_v4.pkl"].url


def warning(dataset: Path) -> str | None:
    """A sentence for who uses a superseded file, told by its name (a URL-quoted one too), or None."""
    # CM keeps the quoted name of the address: mixtral_8x7b%2F2024.06.06_mixtral_15k_v4.pkl
    name = PurePosixPath(unquote(dataset.name)).name
    file = DATASETS.get(name)
    if file is None or file.superseded_by is None:
        return None
    return (
        f"{name} is superseded by {file.superseded_by} from round v5.0 on: four of its reference answers "
        "are empty, and its targets belong to v4.1"
    )


def model(
    source: str = MODEL,
    hub_: Hub | None = None,
    report: Report = download.silent,
    patience: Patience | None = None,
) -> Path:
    """Folder of a checkpoint. Raises: ArtifactError, EnvironmentProblem, ConfigError."""
    folder = _obtain(source, "models", hub_ or Hub(), report, patience)
    if not (folder / "config.json").is_file():
        raise ArtifactError(f"{folder} is not a checkpoint: config.json is missing", "a Hugging Face folder")
    return folder


def dataset(
    source: str = DATASET, report: Report = download.silent, patience: Patience | None = None
) -> Path:
    """One dataset file. Raises: ArtifactError, EnvironmentProblem, ConfigError."""
    path = _obtain(source, "datasets", Hub(), report, patience)
    if path.is_file():
        return path
    found = [child for child in path.rglob("*") if is_dataset_name(child)]
    if len(found) != 1:
        raise ArtifactError(f"{path} holds {len(found)} dataset files", "name one of them")
    return found[0]


def require_room(precision: Precision, ram_bytes: int, folder: Path) -> None:
    """Hold the full model against the machine, before any of it is fetched.

    Raises: EnvironmentProblem with what is needed, what is there, and what would fit.
    """
    on_disk, in_ram = PARAMETERS * 2, PARAMETERS * BYTES_PER_PARAMETER[precision]
    free = download.free_bytes(folder)
    if free >= on_disk and ram_bytes >= in_ram:
        return
    fits = ram_bytes * 0.8 / BYTES_PER_PARAMETER[precision]
    raise EnvironmentProblem(
        f"mixtral-8x7b does not fit here: its weights are {on_disk / 1e9:.0f} GB on disk and "
        f"{in_ram / 1e9:.0f} GB in memory as {precision.value}; this machine has {free / 1e9:.0f} GB free "
        f"for the store and {ram_bytes / 1e9:.0f} GB of memory",
        f"a Mixtral of up to {fits / 1e9:.0f} billion parameters fits as {precision.value} "
        "(`assay model upcycle`, then name its folder), or `assay bench` for the embedded mixtral-nano",
    )


def _obtain(source: str, kind: str, hub_: Hub, report: Report, patience: Patience | None) -> Path:
    """The path itself, or the place in the store where the files of `source` now are."""
    store = settings.home() / kind
    if source.startswith("hf:"):
        name, _, revision = source.removeprefix("hf:").partition("@")
        folder = artifact.place(store, name.replace("/", "--"), f"{name}@{revision}")
        return artifact.obtain(folder, lambda: hub.listing(hub_, name, revision, patience), report, patience)
    try:
        parts = urlsplit(source)
    except ValueError as error:
        raise ConfigError(f"{addresses(source)!r} is no address: {error}", "check the address") from error
    if parts.scheme == "file":
        return _there(Path(unquote(parts.path)))
    if parts.scheme in ("http", "https"):
        name = PurePosixPath(unquote(parts.path)).name
        if name.endswith(".uri"):
            folder = artifact.place(store, name.removesuffix(".uri"), source)
            return artifact.obtain(folder, lambda: r2.listing(source, patience), report, patience)
        if not name:
            raise ArtifactError(f"{addresses(source)} names no file", "the address of one file, or of a .uri")
        known = DATASETS.get(name)
        listing = Listing(source, (Item(name, Remote(source, md5=known.md5 if known else None)),))
        folder = artifact.place(store, name, source)
        return artifact.obtain(folder, lambda: listing, report, patience) / name
    if "://" in source:
        raise ConfigError(
            f"{addresses(source)!r}: {parts.scheme} is not known here", "a path, file://, hf: or https://"
        )
    return _there(paths.given(source))


def _there(path: Path) -> Path:
    if not path.exists():
        raise ArtifactError(f"{path} does not exist", "check the path")
    return path
