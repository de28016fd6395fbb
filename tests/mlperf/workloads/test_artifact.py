"""Where models and datasets come from, and what is refused before anything is fetched."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from assay.config import Precision
from assay.ground import settings
from assay.ground.errors import ArtifactError, ConfigError, EnvironmentProblem
from assay.mlperf.workloads import artifact
from assay.mlperf.workloads.mixtral_8x7b import DATASET_FILES, MODEL
from tests.ground import flaky_server as flaky

V4 = "2024.06.06_mixtral_15k_v4.pkl"


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path) -> None:
    settings.set_home(tmp_path / "store")


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_path_that_is_there_is_used_where_it_is(form: str, tmp_path: Path) -> None:
    file = tmp_path / "rows with blank.jsonl"
    file.write_text("{}")
    assert (
        artifact.dataset(form.format(str(file).replace(" ", "%20") if "file" in form[:4] else file)) == file
    )
    assert not settings.home().exists()


def test_a_path_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"gone.pkl does not exist"):
        artifact.dataset(str(tmp_path / "gone.pkl"))


def test_a_checkpoint_needs_its_config(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"config.json is missing"):
        artifact.model(str(tmp_path))
    (tmp_path / "config.json").write_text("{}")
    assert artifact.model(str(tmp_path)) == tmp_path


def test_one_file_of_an_address_is_fetched_once_into_the_store() -> None:
    with flaky.serving(b"rows") as server:
        first = artifact.dataset(server.url("/some/rows.pkl"))
        second = artifact.dataset(server.url("/some/rows.pkl"))
        assert len(server.requests) == 1
    assert first == second
    assert first.parent.parent == settings.home() / "datasets"
    assert first.read_bytes() == b"rows"


def test_two_addresses_with_one_file_name_are_two_files() -> None:
    with flaky.serving() as server:
        server.files = {"/v1/rows.pkl": b"one", "/v2/rows.pkl": b"two", "/v2/rows.pkl?part=2": b"three"}
        got = [artifact.dataset(server.url(path)).read_bytes() for path in server.files]
        assert got == list(server.files.values())
        for version in ("a", "b"):
            server.files[f"/{version}/set.uri"] = server.url(f"/{version}").encode()
            server.files[f"/{version}/set.md5"] = (
                f"{hashlib.md5(version.encode()).hexdigest()}  x.pkl\n".encode()
            )
            server.files[f"/{version}/x.pkl"] = version.encode()
            assert artifact.dataset(server.url(f"/{version}/set.uri")).read_bytes() == version.encode()


def test_an_address_with_a_signature_leaves_none_of_it_behind() -> None:
    with flaky.serving(b"rows") as server:
        path = artifact.dataset(server.url("/rows.pkl?sig=geheim"))
    kept = [file.read_bytes() for file in settings.home().rglob("*") if file.is_file()]
    assert path.read_bytes() == b"rows"
    assert not any(b"geheim" in content for content in kept)


@pytest.mark.parametrize(
    "source", ["http://[::1/x.pkl", "http://host/", "http://host:x/f.pkl", "~nobody-here/x.pkl", "a\0b"]
)
def test_an_address_that_is_none_is_named(source: str) -> None:
    with pytest.raises(
        (ArtifactError, ConfigError), match=r"is no|names no file|is not|nonnumeric|does not exist"
    ):
        artifact.dataset(source)


def test_a_published_file_is_held_against_its_published_md5() -> None:
    with flaky.serving(b"other rows") as server, pytest.raises(ArtifactError, match="78823c13e0e7"):
        artifact.dataset(server.url(f"/mixtral_8x7b%2F{V4}"), files=DATASET_FILES)


def test_a_dataset_behind_uri_metadata_is_the_one_file_of_it() -> None:
    rows = b"rows"
    with flaky.serving() as server:
        server.files = {
            "/metadata/set.uri": server.url("/set").encode(),
            "/metadata/set.md5": f"{hashlib.md5(rows).hexdigest()}  rows.parquet\n".encode(),
            "/set/rows.parquet": rows,
        }
        assert artifact.dataset(server.url("/metadata/set.uri")).read_bytes() == rows


def test_an_unknown_scheme_is_a_usage_error() -> None:
    with pytest.raises(ConfigError, match="s3 is not known here"):
        artifact.dataset("s3://bucket/rows.pkl")


@pytest.mark.parametrize("name", [V4, f"mixtral_8x7b%2F{V4}"])
def test_the_v4_file_warns_that_it_is_superseded(name: str, tmp_path: Path) -> None:
    said = artifact.warning(tmp_path / name, DATASET_FILES)
    assert said is not None
    assert "superseded by 09292024_mixtral_15k_mintoken2_v1.pkl" in said


def test_the_current_file_and_a_file_of_ones_own_do_not_warn(tmp_path: Path) -> None:
    assert artifact.warning(tmp_path / "09292024_mixtral_15k_mintoken2_v1.pkl", DATASET_FILES) is None
    assert artifact.warning(tmp_path / "mine.pkl", DATASET_FILES) is None


def test_the_full_model_on_a_small_machine_is_refused_with_all_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.ground.download.free_bytes", lambda _: 50 * 10**9)
    with pytest.raises(EnvironmentProblem) as caught:
        artifact.require_room("mixtral-8x7b", MODEL, Precision.FLOAT16, 24 * 10**9, tmp_path)
    said = str(caught.value)
    assert "93.4 GB on disk and 93.4 GB in memory as float16" in said
    assert "50.0 GB free for the store and 24.0 GB of memory" in said
    assert "up to 10 billion parameters" in said


def test_the_full_model_on_a_machine_that_holds_it_is_not_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.ground.download.free_bytes", lambda _: 200 * 10**9)
    artifact.require_room("mixtral-8x7b", MODEL, Precision.FLOAT16, 128 * 10**9, tmp_path)
    with pytest.raises(EnvironmentProblem, match=r"186\.8 GB in memory as float32"):
        artifact.require_room("mixtral-8x7b", MODEL, Precision.FLOAT32, 128 * 10**9, tmp_path)


def test_a_description_beside_the_rows_is_not_taken_for_the_dataset(tmp_path: Path) -> None:
    rows, described = tmp_path / "rows.pkl", tmp_path / "dataset_info.json"
    described.write_text("[]")
    assert artifact.dataset(str(tmp_path)) == described
    rows.write_bytes(b"")
    assert artifact.dataset(str(tmp_path)) == rows
