"""Source of the layout: huggingface_hub, "Understand caching"."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.ground import hub_cache
from assay.ground.hub_model import HubModel

COMMIT = "a60832cb6c88d5cb6507cf4d1f43a54e1ba5ffee"


def kept(cache: Path, *, ref: str | None = "main") -> Path:
    home = cache / "models--me--model"
    folder = home / "snapshots" / COMMIT
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"")
    if ref:
        (home / "refs").mkdir()
        (home / "refs" / ref).write_text(f"{COMMIT}\n")
    return folder


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"HF_HUB_CACHE": "/a", "HUGGINGFACE_HUB_CACHE": "/b", "HF_HOME": "/c"}, "/a"),
        ({"HUGGINGFACE_HUB_CACHE": "/b", "HF_HOME": "/c"}, "/b"),
        ({"HF_HOME": "/c", "XDG_CACHE_HOME": "/d"}, "/c/hub"),
        ({"XDG_CACHE_HOME": "/d"}, "/d/huggingface/hub"),
        ({"HF_HOME": "~/hf"}, "~/hf/hub"),
        ({}, "~/.cache/huggingface/hub"),
    ],
)
def test_the_clients_cache_is_where_its_variables_say(environ: dict[str, str], folder: str) -> None:
    assert hub_cache.folder(environ) == Path(folder).expanduser()


@pytest.mark.parametrize("revision", ["", "main", COMMIT])
def test_a_model_is_found_by_branch_and_by_commit(revision: str, tmp_path: Path) -> None:
    folder = kept(tmp_path)
    assert hub_cache.snapshot(tmp_path, HubModel("me/model", revision)) == folder


@pytest.mark.parametrize(
    ("name", "revision"), [("me/other", ""), ("me/model", "dev"), ("me/model", "b" * 40), ("me/model", "\0")]
)
def test_another_model_or_revision_is_not_there(name: str, revision: str, tmp_path: Path) -> None:
    kept(tmp_path)
    assert hub_cache.snapshot(tmp_path, HubModel(name, revision)) is None


def test_without_a_ref_no_branch_is_known(tmp_path: Path) -> None:
    folder = kept(tmp_path, ref=None)
    assert hub_cache.snapshot(tmp_path, HubModel("me/model", "")) is None
    assert hub_cache.snapshot(tmp_path, HubModel("me/model", COMMIT)) == folder


@pytest.mark.parametrize("lost", ["config.json", "model.safetensors"])
def test_a_model_that_is_half_there_is_not_there(lost: str, tmp_path: Path) -> None:
    (kept(tmp_path) / lost).unlink()
    assert hub_cache.snapshot(tmp_path, HubModel("me/model", "main")) is None
