"""The order of one step through the model, with ops that only note what they were given."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from assay.engine.batch import Batch, Chunk
from assay.engine.decoder import Decoder, Layer
from assay.engine.families import read_model_config
from assay.engine.forward import lay_out
from assay.engine.insight import Meter
from assay.engine.ops import Routing, Step
from assay.engine.sequence import EngineRequest, Sequence


@dataclass
class NotingOps:
    """Each op adds its own number to the rows, so that what the head sees tells who was called."""

    calls: list[str] = field(default_factory=list)

    def add_attention(self, x_TD: Tensor, attention: Any, cache: Any, layer: int, step: Step) -> None:
        self.calls.append(f"{attention} {layer} {cache}")
        x_TD += 10

    def route(self, x_TD: Tensor, moe: Any) -> Routing:
        self.calls.append(f"route {moe}")
        start = torch.tensor([0, len(x_TD), len(x_TD), len(x_TD), 2 * len(x_TD)], dtype=torch.int32)
        return Routing(x_TD, start, start, start, start)

    def add_experts(self, x_TD: Tensor, routing: Routing, moe: Any) -> None:
        self.calls.append(f"experts {moe}")
        assert routing.h_TD is x_TD
        x_TD += 100

    def logits(self, x_LD: Tensor, head: Any) -> Tensor:
        self.calls.append(head)
        return x_LD


@pytest.fixture
def model(small_checkpoint: Path) -> Decoder:
    config = read_model_config(small_checkpoint)
    embed = torch.arange(config.vocab_size, dtype=torch.bfloat16)[:, None].repeat(1, config.hidden_size)
    layers = (Layer("a0", "m0"), Layer("a1", "m1"))
    return Decoder(config, NotingOps(), embed, layers, "head")  # type: ignore[arg-type]


def test_layers_run_in_order_and_the_head_sees_the_sampled_rows(model: Decoder) -> None:
    reading, ending = (
        Sequence(EngineRequest(0, (5, 6, 7)), blocks=[0]),
        Sequence(EngineRequest(1, (8, 9)), blocks=[1]),
    )
    step = lay_out(Batch((Chunk(reading, 0, 2), Chunk(ending, 0, 2))))
    meter = Meter(model.config)
    logits = model.logits(step, "cache", meter)
    assert model.ops.calls == [  # type: ignore[attr-defined]
        "a0 0 cache", "route m0", "experts m0", "a1 1 cache", "route m1", "experts m1", "head",
    ]  # fmt: skip
    assert logits.tolist() == [[9.0 + 2 * 110] * model.config.hidden_size]
    assert logits.dtype == torch.float32


def test_the_table_of_embeddings_stays_as_it_was(model: Decoder) -> None:
    before = model.embed_VD.clone()
    step = lay_out(Batch((Chunk(Sequence(EngineRequest(0, (5,)), blocks=[0]), 0, 1),)))
    model.logits(step, None, Meter(model.config))
    assert torch.equal(model.embed_VD, before)


def test_the_experts_of_each_layer_are_counted(model: Decoder) -> None:
    batch = Batch((Chunk(Sequence(EngineRequest(0, (5, 6)), blocks=[0]), 0, 2),))
    meter = Meter(model.config)
    model.logits(lay_out(batch), None, meter)
    meter.count_step(batch, 1)
    assert meter.experts_LE.tolist() == [[2, 0, 0, 2]] * 2
