"""How a published model or dataset of a workload gets here once.

A source is a path, `file://PATH`, `hf:OWNER/NAME@COMMIT`, an MLCommons `.uri`, or the address of one file.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from assay.config import BYTES_PER_WEIGHT, Precision
from assay.ground import artifact, download, hub, hub_cache, paths, r2, remote_size, settings
from assay.ground.artifact import Item, Listing
from assay.ground.count import size_text
from assay.ground.download import Patience, Remote, Report
from assay.ground.errors import ArtifactError, ConfigError, EnvironmentProblem
from assay.ground.hub import Hub
from assay.ground.hub_model import HubModel
from assay.ground.redact import addresses
from assay.mlperf.data.dataset_file import is_dataset_name
from assay.mlperf.workloads.workload import DatasetFile, PublishedModel


def warning(dataset: Path, files: Sequence[DatasetFile]) -> str | None:
    """Warning for a superseded dataset file, recognised by its name (a URL-quoted one too), or None."""
    # CM keeps the quoted name of the address: mixtral_8x7b%2F2024.06.06_mixtral_15k_v4.pkl
    name = PurePosixPath(unquote(dataset.name)).name
    file = next((file for file in files if file.name == name), None)
    if file is None or file.superseded_by is None:
        return None
    return f"{name} is superseded by {file.superseded_by} {file.superseded_because}".rstrip()


def model(
    source: str,
    hub_: Hub | None = None,
    report: Report = download.silent,
    patience: Patience | None = None,
) -> Path:
    """Folder of a checkpoint. Raises: ArtifactError, EnvironmentProblem, ConfigError."""
    folder = _obtain(source, "models", hub_ or Hub(), report, patience)
    if not paths.source(folder / "config.json").is_file():
        inside = [path.parent for path in sorted(folder.glob("*/config.json"))]
        if len(inside) == 1:  # as MLCommons packs GPT-J
            return inside[0]
        raise ArtifactError(f"{folder} is not a checkpoint: config.json is missing", "a Hugging Face folder")
    return folder


def dataset(
    source: str,
    report: Report = download.silent,
    files: Sequence[DatasetFile] = (),
    name: str = "",
) -> Path:
    """One dataset file; one of the published `files` is held against its checksum. Of a folder that holds several the
    one called `name`, packed or not.

    Raises: ArtifactError, EnvironmentProblem, ConfigError.
    """
    path = _obtain(source, "datasets", Hub(), report, files=files)
    if paths.source(path).is_file():
        return path
    found = [child for child in path.rglob("*") if is_dataset_name(child) and not child.name.startswith(".")]
    # A .json file is often a description that lies beside the rows: it is the dataset only where nothing else is.
    found = [child for child in found if ".json" not in child.suffixes] or found
    if len(found) > 1:
        found = [child for child in found if child.name in (name, f"{name}.gz")][:1] or found
    if len(found) != 1:
        raise ArtifactError(f"{path} holds {len(found)} dataset files", "name one of them")
    return found[0]


def here(source: str, what: str, hub_: Hub, name: str = "") -> Path | None:
    """Where the `checkpoint` or dataset (its file `name`) of `source` lies since an earlier fetch; None where it is not
    here."""
    kind = "models" if what == "checkpoint" else "datasets"
    if (wanted := HubModel.read(source)) is not None:
        return _hub_model_here(wanted, hub_)
    folder = _place(source, kind)
    if not artifact.is_complete(folder):
        return None
    return model(str(folder)) if kind == "models" else dataset(str(folder), name=name)


def _hub_model_here(wanted: HubModel, hub_: Hub) -> Path | None:
    """In the cache of Hugging Face's client, else in the store; without a revision whichever is there."""
    if hub_.cache is not None and (found := hub_cache.snapshot(hub_.cache, wanted)) is not None:
        return found
    place = _hub_place(wanted)
    folders = [place] if wanted.revision else sorted(place.parent.glob(f"{wanted.folder_name}@*"))
    return next((f for f in folders if (artifact.origin(f) or "").startswith(wanted.origin)), None)


def listed_size(source: str, hub_: Hub) -> int | None:
    """Bytes of a model of the hub, or of the files at an address, asked of the server; None where it does not say.

    Raises: ArtifactError when it does not answer.
    """
    brief = Patience(stall_s=15.0, attempts=1)
    if (wanted := HubModel.read(source)) is not None:
        return hub.listing(hub_, *_at_commit(wanted, hub_, brief), brief).size_bytes
    if not source.endswith(".uri"):
        return remote_size.of(Remote(source))
    sizes = [remote_size.of(item.remote) for item in r2.listing(source, brief).items]
    return None if None in sizes else sum(filter(None, sizes))


def _place(source: str, kind: str) -> Path:
    """Folder of the store for what lies at an address."""
    return artifact.place(settings.home() / kind, _name_at(source).removesuffix(".uri"), source)


def _hub_place(model: HubModel) -> Path:
    """Folder of the store for a model at a commit of the hub."""
    return artifact.place(settings.home() / "models", model.folder_name, model.origin)


def _at_commit(model: HubModel, hub_: Hub, patience: Patience | None) -> HubModel:
    return model._replace(revision=hub.commit(hub_, model.name, model.revision or "main", patience))


def _name_at(address: str) -> str:
    """The file name at the end of an address. Raises: ConfigError when it is no address."""
    try:
        return PurePosixPath(unquote(urlsplit(address).path)).name
    except ValueError as error:
        raise ConfigError(f"{addresses(address)!r} is no address: {error}", "check the address") from error


def require_room(
    workload: str, model: PublishedModel, precision: Precision, ram_bytes: int, folder: Path
) -> None:
    """Compare the needs of the full model with the machine, before anything is fetched.

    Raises: EnvironmentProblem with what is needed, what is there, and what would fit.
    """
    on_disk, in_ram = model.size_bytes, model.parameters * BYTES_PER_WEIGHT[precision]
    free = download.free_bytes(folder)
    if free >= on_disk and ram_bytes >= in_ram:
        return
    fits = ram_bytes * 0.8 / BYTES_PER_WEIGHT[precision]
    is_mixtral = model.config.get("model_type") == "mixtral"
    other = (
        "`assay model upcycle` makes a Mixtral, then name its folder" if is_mixtral else "--checkpoint DIR"
    )
    raise EnvironmentProblem(
        f"{workload} does not fit here: its weights are {size_text(on_disk)} on disk and "
        f"{size_text(in_ram)} in memory as {precision.value}; this machine has {size_text(free)} free "
        f"for the store and {size_text(ram_bytes)} of memory",
        f"a model of up to {fits / 1e9:.0f} billion parameters fits as {precision.value} ({other}), "
        "or `assay bench` for the embedded workload",
    )


def _obtain(
    source: str,
    kind: str,
    hub_: Hub,
    report: Report,
    patience: Patience | None = None,
    files: Sequence[DatasetFile] = (),
) -> Path:
    """The path itself, or the place in the store where the files of `source` now are."""
    if (wanted := HubModel.read(source)) is not None:
        if (found := _hub_model_here(wanted, hub_)) is not None:
            return found
        exact = _at_commit(wanted, hub_, patience)
        listed = partial(hub.listing, hub_, *exact, patience)
        return artifact.obtain(_hub_place(exact), listed, report, patience)
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
        known = next((file for file in files if file.name == name), None)
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
