from __future__ import annotations

import pytest

from assay.ground.hub_model import HubModel


@pytest.mark.parametrize(
    ("source", "model"),
    [
        ("hf:owner/name", HubModel("owner/name")),
        ("hf:owner/name@v1.0", HubModel("owner/name", "v1.0")),
        ("hf:owner/name@refs/pr/1", HubModel("owner/name", "refs/pr/1")),
        ("/models/hf:owner", None),
        ("https://x.org/owner/name@v1", None),
    ],
)
def test_a_source_names_a_model_of_the_hub_or_something_else(source: str, model: HubModel | None) -> None:
    assert HubModel.read(source) == model


def test_the_origin_and_the_folder_are_written_in_one_place() -> None:
    model = HubModel("owner/name", "a" * 40)
    assert (model.origin, model.folder_name) == (f"owner/name@{'a' * 40}", "owner--name")
