from __future__ import annotations

import json

from assay.engine.families import model_config
from assay.nano.shape import Shape
from assay.nano.shipped import checkpoint_dir


def test_the_shape_is_that_of_the_shipped_checkpoint() -> None:
    shipped = json.loads((checkpoint_dir() / "config.json").read_text())
    assert {key: shipped.get(key) for key in Shape().to_config()} == Shape().to_config()


def test_the_engine_reads_the_shape_as_it_is_meant() -> None:
    shape = Shape(hidden=64, heads=4, kv_heads=2, experts=3, layers=5)
    read = model_config(shape.to_config(), "config.json")
    assert (read.hidden_size, read.num_heads, read.num_kv_heads, read.head_dim) == (64, 4, 2, 16)
    assert (read.num_experts, read.experts_per_token, read.num_layers) == (3, 2, 5)
    assert not read.tied_embeddings
