"""What is said of a checkpoint that runs under the name of a workload."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from assay.ground import artifact
from assay.mlperf.workloads.mixtral_8x7b import MODEL
from assay.suts import identity
from assay.suts.shape import MIXTRAL_8X7B

NAME, COMMIT = MODEL.of_hub


def folder(path: Path, **fields: Any) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    (path / "config.json").write_text(json.dumps({**MIXTRAL_8X7B, **fields}))
    return path


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"num_hidden_layers": 2}, "3.2 B parameters"),
        ({"model_type": "llama"}, "46.7 B parameters"),
        ({"assay_weights": "random"}, "46.7 B parameters, random"),
    ],
)
def test_a_checkpoint_of_another_shape_or_of_random_weights_is_not_the_official_one(
    tmp_path: Path, fields: dict[str, Any], words: str
) -> None:
    found = identity.of(folder(tmp_path, **fields), MODEL)
    assert found.is_official is False
    assert found.note == f"not the weights of mistralai/Mixtral-8x7B-Instruct-v0.1: {words}"


def test_the_right_shape_of_unknown_origin_is_said_to_be_unproven(tmp_path: Path) -> None:
    found = identity.of(folder(tmp_path), MODEL)
    assert (found.is_official, found.parameters) == (None, 46_702_792_704)
    assert "was not checked" in found.note


@pytest.mark.parametrize(
    ("name", "is_official"),
    [
        (f"models--mistralai--Mixtral-8x7B-Instruct-v0.1/snapshots/{COMMIT}", True),
        (f"models--mistralai--Mixtral-8x7B-v0.1/snapshots/{COMMIT}", False),
        ("models--mistralai--Mixtral-8x7B-Instruct-v0.1/snapshots/" + "0" * 40, False),
    ],
)
def test_the_folder_of_the_hubs_own_client_proves_its_revision(
    tmp_path: Path, name: str, is_official: bool
) -> None:
    assert identity.of(folder(tmp_path / name), MODEL).is_official is is_official


def test_what_was_fetched_here_is_known_by_its_marker(tmp_path: Path) -> None:
    for origin, is_official in ((f"{NAME}@{COMMIT}", True), (f"some/other@{COMMIT}", False)):
        marker = json.dumps({"origin": origin, "files": {}})
        (folder(tmp_path / origin[:4]) / artifact.MARKER).write_text(marker)
        found = identity.of(tmp_path / origin[:4], MODEL)
        assert found.is_official is is_official
        assert is_official or "of some/other@" in found.note


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"repetition_penalty": 1.3}, "asks for repetition_penalty 1.3:"),
        ({"do_sample": True, "temperature": 0.6, "top_k": 50}, "asks for do_sample true, temperature 0.6:"),
        ({"eos_token_id": [2, 32000]}, r"asks for eos_token_id \[2, 32000\]:"),
        (
            {"forced_eos_token_id": 2, "suppress_tokens": [5]},
            r"forced_eos_token_id 2, suppress_tokens \[5\]:",
        ),
    ],
)
def test_what_a_checkpoint_prefers_and_no_sut_follows_is_said(
    tmp_path: Path, asked: dict[str, Any], words: str
) -> None:
    (tmp_path / identity.GENERATION).write_text(json.dumps(asked))
    assert re.search(words, identity.unfollowed(tmp_path, (2,)))


@pytest.mark.parametrize(
    "asked",
    [
        {"_from_model_config": True, "bos_token_id": 1, "eos_token_id": 2, "transformers_version": "4.36.0"},
        {"do_sample": False, "temperature": 1.0, "top_p": 1.0, "max_length": 32768, "use_cache": True},
        [],
    ],
)
def test_a_checkpoint_that_prefers_nothing_is_not_spoken_of(tmp_path: Path, asked: object) -> None:
    assert identity.unfollowed(tmp_path, (2,)) == ""
    (tmp_path / identity.GENERATION).write_text(json.dumps(asked))
    assert identity.unfollowed(tmp_path, (2,)) == ""
