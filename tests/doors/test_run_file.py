"""What a run.yaml asks for around the measurement; what it cannot mean is refused by its key."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.config import ContainerRequest, Delivery
from assay.doors import run_file
from assay.doors.run_file import RunFile
from assay.ground.errors import ConfigError

KNOWN = ("sut", "limits.samples", "paths.out")


def read(tmp_path: Path, text: str) -> RunFile:
    file = tmp_path / "run.yaml"
    file.write_text(text)
    return run_file.read(file, KNOWN)


def test_settings_are_text_by_dotted_name_and_the_delivery_is_apart(tmp_path: Path) -> None:
    found = read(tmp_path, "sut: echo\nlimits: {samples: 3}\ndelivery: {gate: yes}\norigin: {sut: flag}\n")
    assert found.settings == {"sut": "echo", "limits.samples": "3"}
    assert found.delivery == {"gate": True}
    assert found.delivery_over(Delivery(check=True)) == Delivery(check=True, gate=True)


def test_an_empty_group_asks_for_nothing(tmp_path: Path) -> None:
    for text in ("sut: echo\ndelivery:\n", "sut: echo\ndelivery: {}\n", "sut: echo\n"):
        assert read(tmp_path, text).delivery_over(Delivery(pack=True)) == Delivery(pack=True)


def test_a_container_may_be_asked_for_with_nothing_said_of_it(tmp_path: Path) -> None:
    assert (
        read(tmp_path, "delivery: {container: {}}").delivery_over(Delivery()).container == ContainerRequest()
    )
    usual = Delivery(container=ContainerRequest("podman"))
    assert read(tmp_path, "delivery: {container: null}").delivery_over(usual).container is None
    merged = read(tmp_path, "delivery: {container: {keep: true}}").delivery_over(usual).container
    assert merged == ContainerRequest("podman", keep=True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("delivery: 3", "'delivery' in .* is a group of keys, not 3"),
        ("delivery: [gate]", "is a group of keys"),
        ("delivery: {gatee: true}", r"unknown key 'delivery.gatee' in .*\n  try: did you mean gate\?"),
        ("delivery: {gate: 3}", "delivery.gate is '3', which is no bool"),
        ("delivery: {container: podman}", "'delivery.container' is a group of keys, not 'podman'"),
        ("delivery: {container: {keap: true}}", "unknown key 'delivery.container.keap'"),
        ("delivery: {may_fetch: null}", "delivery.may_fetch is 'None'"),
        ("delivery: {earlier_run: burn}", "none of refuse, reuse, replace"),
        ("delivery: {1: true}", "unknown key 'delivery.1'"),
        ("delivary: {gate: true}", "unknown key 'delivary'"),
    ],
)
def test_what_a_file_cannot_mean_is_refused_by_its_key(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read(tmp_path, text).delivery_over(Delivery())


def test_a_file_that_is_not_there_is_looked_for_under_names_like_its(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").touch()
    with pytest.raises(ConfigError) as caught:
        run_file.read(tmp_path / "run.yml", ())
    assert caught.value.hint == "did you mean run.yaml?"


def test_fields_that_are_dropped_are_as_usual_again(tmp_path: Path) -> None:
    found = read(tmp_path, "delivery: {gate: true, full: false}").without({"full"})
    assert found.delivery_over(Delivery()) == Delivery(gate=True, full=True)


@pytest.mark.parametrize("is_own", [True, False])
def test_the_config_of_a_run_names_neither_its_folder_nor_its_tree_for_another_run(
    tmp_path: Path, is_own: bool
) -> None:
    out = tmp_path if is_own else tmp_path / "other"
    file = tmp_path / "config.json"
    file.write_text(f"paths: {{out: {out}}}\nsubmission: {{out: {tmp_path}/tree}}\n")
    found = run_file.read(file, (*KNOWN, "submission.out")).settings
    assert found == ({} if is_own else {"paths.out": str(out), "submission.out": f"{tmp_path}/tree"})
