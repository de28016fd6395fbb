"""Sets of files: complete and checked, or on their way; from the hub, from `.uri` metadata."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from assay.ground import artifact, hub, r2
from assay.ground.artifact import Item, Listing
from assay.ground.download import Remote
from assay.ground.errors import ArtifactError, EnvironmentProblem
from assay.ground.hub import Hub
from tests.ground import flaky_server as flaky

REVISION = "a" * 40
CONFIG = b'{"model_type": "mixtral"}'
WEIGHTS = b"w" * 5000


def blob(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def serve_model(server: flaky.Server, config_blob: str | None = None) -> Hub:
    tree = [
        {"type": "directory", "path": "sub", "size": 0, "oid": "0"},
        {"type": "file", "path": "config.json", "size": len(CONFIG), "oid": config_blob or blob(CONFIG)},
        {"type": "file", "path": "consolidated.00.pt", "size": 10**12, "oid": "0", "lfs": {"oid": "0" * 64}},
        {
            "type": "file",
            "path": "model-00001-of-00001.safetensors",
            "size": len(WEIGHTS),
            "oid": "0",
            "lfs": {"oid": hashlib.sha256(WEIGHTS).hexdigest(), "size": len(WEIGHTS)},
        },
    ]
    files = {
        f"/api/models/mistralai/tiny/tree/{REVISION}?recursive=true": json.dumps(tree).encode(),
        f"/mistralai/tiny/resolve/{REVISION}/config.json": CONFIG,
        f"/mistralai/tiny/resolve/{REVISION}/model-00001-of-00001.safetensors": WEIGHTS,
    }
    server.files.update(files)
    return Hub(server.url(""), token="secret")


def test_a_model_of_the_hub_arrives_checked_and_is_then_a_store_hit(tmp_path: Path) -> None:
    with flaky.serving() as server:
        hub_ = serve_model(server)
        folder = artifact.obtain(tmp_path / "m", lambda: hub.listing(hub_, "mistralai/tiny", REVISION))
        assert server.requests[0]["Authorization"] == "Bearer secret"
        asked = len(server.requests)
        artifact.obtain(folder, lambda: hub.listing(hub_, "mistralai/tiny", REVISION))
        assert len(server.requests) == asked
    assert (folder / "config.json").read_bytes() == CONFIG
    assert sorted(path.name for path in folder.iterdir()) == [
        artifact.MARKER,
        "config.json",
        "model-00001-of-00001.safetensors",
    ]
    marker = json.loads((folder / artifact.MARKER).read_text())
    assert marker["files"]["config.json"]["sha256"] == hashlib.sha256(CONFIG).hexdigest()


def test_the_smallest_file_comes_first_so_a_refused_token_is_told_early(tmp_path: Path) -> None:
    with flaky.serving() as server:
        hub_ = serve_model(server)
        server.script += [flaky.good, flaky.status(403)]
        with pytest.raises(ArtifactError) as caught:
            artifact.obtain(tmp_path / "m", lambda: hub.listing(hub_, "mistralai/tiny", REVISION))
        assert server.paths[1].endswith("config.json")
    assert "HF_TOKEN" in caught.value.hint


def test_a_small_file_with_another_git_blob_is_refused_and_dropped(tmp_path: Path) -> None:
    with flaky.serving() as server:
        hub_ = serve_model(server, config_blob="1" * 40)
        with pytest.raises(ArtifactError, match="git blob is"):
            artifact.obtain(tmp_path / "m", lambda: hub.listing(hub_, "mistralai/tiny", REVISION))
    assert not (tmp_path / "m" / "config.json").exists()
    assert not artifact.is_complete(tmp_path / "m")


def test_a_branch_is_not_a_revision() -> None:
    with pytest.raises(ArtifactError, match="'main' is not a commit"):
        hub.listing(Hub(), "mistralai/tiny", "main")


def test_the_disk_is_looked_at_before_the_first_byte(tmp_path: Path) -> None:
    with flaky.serving() as server:
        listing = Listing("big", (Item("w", Remote(server.url(), size_bytes=10**18)),))
        with pytest.raises(EnvironmentProblem, match=r"big takes 1000000.0 TB"):
            artifact.obtain(tmp_path / "m", lambda: listing)
        assert server.requests == []


def test_a_file_cut_short_afterwards_is_noticed_and_fetched_again(tmp_path: Path) -> None:
    with flaky.serving() as server:
        hub_ = serve_model(server)

        def obtain() -> Path:
            return artifact.obtain(tmp_path / "m", lambda: hub.listing(hub_, "mistralai/tiny", REVISION))

        weights = obtain() / "model-00001-of-00001.safetensors"
        weights.write_bytes(b"short")
        assert not artifact.is_complete(tmp_path / "m")
        obtain()
    assert weights.read_bytes() == WEIGHTS


def test_uri_metadata_leads_to_files_checked_by_their_md5(tmp_path: Path) -> None:
    rows = b"rows"
    with flaky.serving() as server:
        md5 = hashlib.md5(rows).hexdigest()
        server.files = {
            "/metadata/set.uri": server.url("/data/set").encode() + b"\n",
            "/metadata/set.md5": f"{md5}  ./part one/rows.pkl\n".encode(),
            "/data/set/part%20one/rows.pkl": rows,
        }
        folder = artifact.obtain(tmp_path / "set", lambda: r2.listing(server.url("/metadata/set.uri")))
    assert (folder / "part one" / "rows.pkl").read_bytes() == rows


def test_a_login_page_instead_of_metadata_is_told_as_such() -> None:
    with (
        flaky.serving(b"<html>please log in</html>") as server,
        pytest.raises(ArtifactError, match="holds no address") as caught,
    ):
        r2.listing(server.url("/metadata/set.uri"))
    assert "login" in caught.value.hint


@pytest.mark.parametrize("path", ["../x", "/etc/x", "", "a/../../x", "a\\b"])
def test_a_listing_cannot_write_outside_its_folder(path: str) -> None:
    with pytest.raises(ArtifactError, match="outside its folder"):
        Item(path, Remote("http://x/y"))
