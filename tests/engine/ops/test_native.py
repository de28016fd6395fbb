"""Every kernel against its plain reference over a table of shapes, in its AVX-512 and its portable form."""

from __future__ import annotations

import ctypes
import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor

from assay.config import Precision
from assay.engine.config import MixtralConfig
from assay.engine.ops import Step, reference
from assay.engine.ops.cpu import build, library
from assay.engine.ops.cpu.native import NativeOps, Scratch
from assay.engine.ops.plain import PlainOps
from assay.ground import settings
from assay.ground.errors import EnvironmentProblem

FORMS = pytest.mark.parametrize("portable", [False, True], ids=["vector", "portable"])
ROWS = (1, 2, 5, 6, 7, 13, 64, 300)


@pytest.fixture(scope="module")
def lib(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    if shutil.which("g++") is None:
        pytest.skip("no g++ on this machine: the kernels cannot be built")
    return library.load(build.build())


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed + sum(shape)))


def close(got: Tensor, expected: Tensor, part: float) -> None:
    """Largest difference, as a part of the largest expected value."""
    difference = (got.float() - expected.float()).abs().max() / expected.abs().max().clamp_min(1e-9)
    assert difference < part, f"off by {difference:.2e} of the largest value"


@FORMS
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize(("depth", "columns"), [(32, 64), (100, 72), (1040, 8), (2052, 130)])
def test_products_in_bfloat16(lib: ctypes.CDLL, portable: bool, rows: int, depth: int, columns: int) -> None:
    ops = NativeOps(lib, Precision.BFLOAT16, 2, portable)
    h, weight = random(rows, depth).bfloat16(), random(columns, depth, seed=1).bfloat16()
    expected = h.float() @ weight.float().T
    matrix = ops.pack_matrix(weight)
    close(ops.linear(h, matrix), expected, 1e-5)
    x = random(rows, columns, seed=2)
    sum_ = x + expected
    ops.add_linear(x, h, matrix)
    close(x, sum_, 1e-5)


@FORMS
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize(("depth", "columns"), [(32, 64), (100, 72), (4100, 10)])
def test_products_in_int8_are_exact_up_to_their_scales(
    lib: ctypes.CDLL, portable: bool, rows: int, depth: int, columns: int
) -> None:
    ops = NativeOps(lib, Precision.INT8, 2, portable)
    h, weight = random(rows, depth).bfloat16(), random(columns, depth, seed=1)
    scaled = reference.linear_int8(*reference.quantise_rows(h), *reference.quantise_rows(weight))
    got = ops.linear(h, ops.pack_matrix(weight))
    close(got, scaled, 8e-3)  # a value halfway between two steps may round either way
    close(got, h.float() @ weight.T, 3e-2)


@FORMS
def test_an_outlier_costs_the_other_numbers_of_an_int8_row_little(lib: ctypes.CDLL, portable: bool) -> None:
    ops = NativeOps(lib, Precision.INT8, 2, portable)
    h, weight = random(5, 576).bfloat16(), random(64, 576, seed=1)
    h[:, 3] = 200
    weight[:, 3] = 0
    close(ops.linear(h, ops.pack_matrix(weight)), h.float() @ weight.T, 0.2)


@FORMS
@pytest.mark.parametrize("precision", [Precision.BFLOAT16, Precision.INT8])
@pytest.mark.parametrize(
    ("rows", "experts", "active"), [(1, 8, 2), (9, 4, 2), (70, 8, 2), (33, 5, 3), (12, 3, 1)]
)
@pytest.mark.parametrize(("hidden", "inner"), [(64, 96), (36, 100)])
def test_experts(
    lib: ctypes.CDLL,
    portable: bool,
    precision: Precision,
    rows: int,
    experts: int,
    active: int,
    hidden: int,
    inner: int,
) -> None:
    ops, plain = NativeOps(lib, precision, 2, portable), PlainOps(Precision.FLOAT32)
    weights = [
        [(random(*shape, seed=10 * n + e) * 0.2).bfloat16() for e in range(experts)]
        for n, shape in enumerate(((inner, hidden), (inner, hidden), (hidden, inner)))
    ]
    h, gate = random(rows, hidden).bfloat16(), random(experts, hidden, seed=3)
    routing, expected_routing = ops.route(h, gate, active), plain.route(h.float(), gate, active)
    torch.testing.assert_close(routing.weight_TA, expected_routing.weight_TA, rtol=1e-5, atol=1e-6)
    assert torch.equal(routing.start_E, expected_routing.start_E)
    assert torch.equal(routing.row_R, expected_routing.row_R)
    assert torch.equal(routing.place_TA, expected_routing.place_TA)
    x = random(rows, hidden, seed=4)
    expected = x.clone()
    plain.add_experts(expected, h.float(), expected_routing, plain.pack_experts(*weights))
    ops.add_experts(x, h, routing, ops.pack_experts(*weights))
    close(x, expected, 1e-2 if precision is Precision.BFLOAT16 else 4e-2)


@FORMS
@pytest.mark.parametrize("width", [16, 36, 1024])
def test_norm(lib: ctypes.CDLL, portable: bool, width: int) -> None:
    x, weight = random(7, width) * 30, random(width, seed=1)
    got = NativeOps(lib, Precision.BFLOAT16, 2, portable).norm(x, weight, 1e-5)
    close(got, reference.rms_norm(x, weight, 1e-5), 5e-3)


def shape_of(heads: int, kv_heads: int, channels: int) -> MixtralConfig:
    return MixtralConfig(8, 64, 64, 2, heads, kv_heads, channels, 4, 2, 1e-5, 1e4, 512, False, ())


def ragged_step(chunks: list[tuple[int, int]]) -> Step:
    """A step of chunks (start, stop), each sequence in blocks of its own, dealt out in turn."""
    tables: list[list[int]] = [[] for _ in chunks]
    for number in range(64):
        for s in range(len(chunks)):
            tables[s].append(number * len(chunks) + s)
    tables = [table[: -(-stop // 16)] for table, (_, stop) in zip(tables, chunks)]

    def int32(values: list[int]) -> Tensor:
        return torch.tensor(values, dtype=torch.int32)

    starts, table_starts = [0], [0]
    for (start, stop), table in zip(chunks, tables):
        starts.append(starts[-1] + stop - start)
        table_starts.append(table_starts[-1] + len(table))
    return Step(
        tokens_T=torch.zeros(starts[-1], dtype=torch.int64),
        positions_T=int32([p for start, stop in chunks for p in range(start, stop)]),
        row_start_S=int32(starts),
        context_S=int32([stop for _, stop in chunks]),
        table_start_S=int32(table_starts),
        table=int32([b for table in tables for b in table]),
        sampled_L=torch.zeros(0, dtype=torch.int64),
    )


@FORMS
@pytest.mark.parametrize(
    ("heads", "kv_heads", "channels"), [(4, 2, 16), (16, 4, 64), (8, 1, 128), (6, 6, 80)]
)
def test_ragged_attention_over_paged_keys(
    lib: ctypes.CDLL, portable: bool, heads: int, kv_heads: int, channels: int
) -> None:
    """Prefill in two chunks, then decode, with sequences of many lengths side by side."""
    shape = shape_of(heads, kv_heads, channels)
    native, plain = NativeOps(lib, Precision.BFLOAT16, 2, portable), PlainOps(Precision.FLOAT32)
    turn = reference.rope_table(512, channels, 1e4)
    caches = native.new_cache(shape, 256), plain.new_cache(shape, 256)
    steps = [[(0, 1), (0, 17), (0, 130)], [(1, 40), (17, 50), (130, 290)], [(40, 41), (50, 51), (290, 291)]]
    for number, chunks in enumerate(steps):
        step = ragged_step(chunks)
        qkv = random(len(step.positions_T), (heads + 2 * kv_heads) * channels, seed=number)
        got, expected = (ops.attend(qkv, cache, 1, step, turn) for ops, cache in zip((native, plain), caches))
        close(got, expected, 2e-2)


@pytest.mark.parametrize("precision", [Precision.BFLOAT16, Precision.INT8])
def test_the_vector_and_the_portable_form_agree(lib: ctypes.CDLL, precision: Precision) -> None:
    """int8 sums are exact; bfloat16 products are summed in another order."""
    h, weight = random(37, 512).bfloat16(), random(200, 512, seed=1)
    vector, portable = (
        (ops := NativeOps(lib, precision, 2, form)).linear(h, ops.pack_matrix(weight))
        for form in (False, True)
    )
    if precision is Precision.INT8:
        assert torch.equal(vector, portable)
    else:
        close(vector, portable, 1e-6)


def test_a_built_library_is_kept_and_used_again(lib: ctypes.CDLL) -> None:
    built = build.build()
    stamp = built.stat().st_mtime_ns
    assert build.build() == built and built.stat().st_mtime_ns == stamp


def test_a_compiler_that_fails_leaves_no_library_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "g++"
    fake.write_text("#!/bin/sh\necho 'x.cpp:1: error: no such instruction' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path) + ":/usr/bin:/bin")
    settings.set_home(tmp_path / "home")
    with pytest.raises(EnvironmentProblem, match="no such instruction"):
        build.build()
    assert not list((tmp_path / "home").rglob("*.so"))


def test_memory_of_rows_is_kept_and_a_larger_step_gets_more(lib: ctypes.CDLL) -> None:
    scratch = Scratch(lib)
    first = scratch.take("rows", (4, 8))
    assert scratch.take("rows", (2, 8)).data_ptr() == first.data_ptr()
    assert scratch.take("others", (4, 8)).data_ptr() != first.data_ptr()
    larger = scratch.take("rows", (5, 8))
    assert larger.shape == (5, 8) and larger.is_contiguous()


def test_what_one_op_gave_is_left_alone_by_the_others(lib: ctypes.CDLL) -> None:
    ops = NativeOps(lib, Precision.INT8, 2)
    h = ops.norm(random(7, 64), torch.ones(64), 1e-5)
    y = ops.linear(h, ops.pack_matrix(random(48, 64)))
    h_before, y_before = h.clone(), y.clone()
    routing = ops.route(h, random(4, 64), 2)
    experts = ops.pack_experts(
        *([random(*shape, seed=e) for e in range(4)] for shape in ((96, 64), (96, 64), (64, 96)))
    )
    ops.add_experts(random(7, 64), h, routing, experts)
    assert torch.equal(h, h_before) and torch.equal(y, y_before)
