"""The published model and datasets of mixtral-8x7b: their addresses and hashes, and how one gets here once.

A source is a path, `file://PATH`, `hf:OWNER/NAME@COMMIT`, an MLCommons `.uri`, or the address of one file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from assay.config import Precision
from assay.ground import artifact, download, hub, hub_cache, paths, r2, settings
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
    size_bytes: int | None = None
    """About; nobody publishes it beside the file."""


_CURRENT = "09292024_mixtral_15k_mintoken2_v1.pkl"
DATASETS = {
    file.name: file
    for file in (
        DatasetFile(_CURRENT, f"{STORAGE}/mixtral_8x7b/{_CURRENT}", None, size_bytes=71_000_000),
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


def here(source: str, what: str, hub_: Hub) -> Path | None:
    """Where the `checkpoint` or `dataset` of `source` lies since an earlier fetch; None when it is to be fetched."""
    kind = "models" if what == "checkpoint" else "datasets"
    if source.startswith("hf:"):
        return _hub_model_here(source, hub_)
    folder = _place(source, kind)
    if not artifact.is_complete(folder):
        return None
    return model(str(folder)) if kind == "models" else dataset(str(folder))


def _hub_model_here(source: str, hub_: Hub) -> Path | None:
    """In the cache of Hugging Face's client, else in the store; without a revision whichever is there."""
    name, _, revision = source.removeprefix("hf:").partition("@")
    if hub_.cache is not None and (found := hub_cache.snapshot(hub_.cache, name, revision)) is not None:
        return found
    if revision:
        folders = [_place(source, "models")]
    else:
        folders = sorted(_place(source, "models").parent.glob(f"{_hub_name(name)}@*"))
    return next((f for f in folders if (artifact.origin(f) or "").startswith(f"{name}@{revision}")), None)


def known_size(source: str) -> int | None:
    """Bytes of a published source; None where they are not known beforehand."""
    if source == MODEL:
        return 2 * PARAMETERS  # bfloat16; the tokenizer and the headers are 3 MB beside it
    known = DATASETS.get(_name_at(source))
    return known.size_bytes if known and known.url == source else None


def listed_size(source: str, hub_: Hub) -> int:
    """Bytes of a model of the hub, asked of the hub. Raises: ArtifactError when it does not answer."""
    name, _, revision = source.removeprefix("hf:").partition("@")
    brief = Patience(stall_s=15.0, attempts=1)
    return hub.listing(hub_, name, hub.commit(hub_, name, revision or "main", brief), brief).size_bytes


def size_text(count: int | None) -> str:
    """`93.4 GB`, `71 MB`."""
    if count is None:
        return "size not known before"
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def _place(source: str, kind: str) -> Path:
    """Folder of the store for a model at a commit of the hub, or for what lies at an address."""
    store = settings.home() / kind
    if source.startswith("hf:"):
        origin = source.removeprefix("hf:")
        return artifact.place(store, _hub_name(origin.partition("@")[0]), origin)
    return artifact.place(store, _name_at(source).removesuffix(".uri"), source)


def _hub_name(name: str) -> str:
    return name.replace("/", "--")


def _name_at(address: str) -> str:
    """File name that an address ends with. Raises: ConfigError for what is no address."""
    try:
        return PurePosixPath(unquote(urlsplit(address).path)).name
    except ValueError as error:
        raise ConfigError(f"{addresses(address)!r} is no address: {error}", "check the address") from error


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
    if source.startswith("hf:"):
        if (found := here(source, "checkpoint", hub_)) is not None:
            return found
        name, _, revision = source.removeprefix("hf:").partition("@")
        revision = hub.commit(hub_, name, revision or "main", patience)
        folder = _place(f"hf:{name}@{revision}", kind)
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
            folder = _place(source, kind)
            return artifact.obtain(folder, lambda: r2.listing(source, patience), report, patience)
        if not name:
            raise ArtifactError(f"{addresses(source)} names no file", "the address of one file, or of a .uri")
        known = DATASETS.get(name)
        listing = Listing(source, (Item(name, Remote(source, md5=known.md5 if known else None)),))
        folder = _place(source, kind)
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
