"""Every kernel against its plain reference over a table of shapes, with each instruction set of this machine, and with
AMX tiles computed by plain C++, so that their logic is tested on every machine. oneDNN is one more set where it reads
our weights: its products are rounded to bfloat16."""

from __future__ import annotations

import ctypes
import math
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from assay.config import Precision
from assay.engine.decoder_config import DecoderConfig
from assay.engine.ops import AttentionWeights, Routing, Step, TilesFrom, reference
from assay.engine.ops.cpu import build, library, onednn, onednn_rates, rates
from assay.engine.ops.cpu.cpu_ops import CpuOps
from assay.engine.ops.cpu.instructions import InstructionSet, choose
from assay.engine.ops.plain import PlainOps
from assay.engine.sampling import greedy
from assay.ground import settings
from assay.ground.errors import EnvironmentProblem

FORMS = ("portable", "avx512", "amx", "stand-in", "onednn")
MARCHES = {
    "x86-64": "sse2",
    "haswell": "avx2 fma",
    "skylake-avx512": "avx512bw avx512vl avx512dq",
    "cascadelake": "avx512bw avx512vl avx512dq avx512_vnni",
}
"""The portable set as it is compiled for lesser processors, and the flags that one must have to run it"""
ROWS = (1, 2, 5, 6, 7, 13, 64, 300)
MODEL = DecoderConfig(96, 64, 96, 2, 4, 2, 16, 4, 2, 1e-5, 1e4, 512, False, ())


@dataclass(frozen=True)
class Form:
    """The kernels with one set of instructions."""

    lib: ctypes.CDLL
    instructions: InstructionSet
    onednn_from: int | None = None

    def part(self, exact: float) -> float:
        """The error that is allowed where sums in float32 allow `exact`."""
        return exact if self.onednn_from is None else max(exact, onednn_rates.ERROR_MAX)


@pytest.fixture(
    params=(*FORMS, *(pytest.param(m, marks=() if m == "haswell" else pytest.mark.slow) for m in MARCHES))
)
def form(request: pytest.FixtureRequest) -> Form:
    if shutil.which("g++") is None:
        pytest.skip("no g++ on this machine: the kernels cannot be built")
    if (march := request.param) in MARCHES:
        return lesser(march)
    stand_in = request.param == "stand-in"
    lib = library.load(build.build(("-DASSAY_TILES_STAND_IN",) if stand_in else ()))
    try:
        instructions, _ = choose(lib, "amx" if stand_in else request.param)
    except EnvironmentProblem as reason:
        pytest.skip(reason.message)
    if request.param == "onednn" and (why := onednn.unusable(MODEL, instructions)):
        pytest.skip(why)
    return Form(lib, instructions, 1 if request.param == "onednn" else None)


def lesser(march: str) -> Form:
    """The portable set, compiled for a lesser processor than this one."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    except OSError:
        flags = []
    if lacking := set(MARCHES[march].split()) - set(flags):
        pytest.skip(f"this processor has no {', '.join(sorted(lacking))}")
    return Form(library.load(build.build((f"-march={march}",))), InstructionSet.PORTABLE)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed + sum(shape)))


def close(got: Tensor, expected: Tensor, part: float) -> None:
    """Largest difference, as a part of the largest expected value."""
    difference = (got.float() - expected.float()).abs().max() / expected.abs().max().clamp_min(1e-9)
    assert difference < part, f"off by {difference:.2e} of the largest value"


def ops_for(form: Form, precision: Precision = Precision.BFLOAT16, model: DecoderConfig = MODEL) -> CpuOps:
    onednn_from = form.onednn_from if precision is Precision.BFLOAT16 else None
    return CpuOps(form.lib, precision, model, 2, form.instructions, None, onednn_from)


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize(("depth", "columns"), [(32, 64), (100, 72), (1040, 8), (2052, 130)])
def test_products_in_bfloat16(form: Form, rows: int, depth: int, columns: int) -> None:
    ops = ops_for(form, Precision.BFLOAT16)
    h, weight = random(rows, depth).bfloat16(), random(columns, depth, seed=1).bfloat16()
    close(ops.linear(h, ops.pack_matrix(weight)), h.float() @ weight.float().T, form.part(1e-5))


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize(("depth", "columns"), [(32, 64), (100, 72), (4100, 10)])
def test_products_in_int8_are_exact_up_to_their_scales(
    form: Form, rows: int, depth: int, columns: int
) -> None:
    ops = ops_for(form, Precision.INT8)
    h, weight = random(rows, depth).bfloat16(), random(columns, depth, seed=1)
    scaled = reference.linear_int8(*reference.quantise_rows(h), *reference.quantise_rows(weight))
    got = ops.linear(h, ops.pack_matrix(weight))
    close(got, scaled, 8e-3)  # a value halfway between two steps may round either way
    close(got, h.float() @ weight.T, 3e-2)


def test_an_outlier_costs_the_other_numbers_of_an_int8_row_little(form: Form) -> None:
    ops = ops_for(form, Precision.INT8)
    h, weight = random(5, 576).bfloat16(), random(64, 576, seed=1)
    h[:, 3] = 200
    weight[:, 3] = 0
    close(ops.linear(h, ops.pack_matrix(weight)), h.float() @ weight.T, 0.2)


@pytest.mark.parametrize("precision", [Precision.BFLOAT16, Precision.INT8])
@pytest.mark.parametrize(
    ("rows", "experts", "active"), [(1, 8, 2), (9, 4, 2), (70, 8, 2), (33, 5, 3), (12, 3, 1)]
)
@pytest.mark.parametrize(("hidden", "inner"), [(64, 96), (36, 100)])
def test_experts(
    form: Form,
    precision: Precision,
    rows: int,
    experts: int,
    active: int,
    hidden: int,
    inner: int,
) -> None:
    model = replace(
        MODEL, hidden_size=hidden, intermediate_size=inner, num_experts=experts, experts_per_token=active
    )
    ops, plain = ops_for(form, precision, model), PlainOps(Precision.FLOAT32, model)
    weights = [
        [(random(*shape, seed=10 * n + e) * 0.2).bfloat16() for e in range(experts)]
        for n, shape in enumerate(((inner, hidden), (inner, hidden), (hidden, inner)))
    ]
    norm, router = random(hidden, seed=5), random(experts, hidden, seed=3)
    moe, expected_moe = (each.pack_moe(norm, router, *weights) for each in (ops, plain))
    x = random(rows, hidden, seed=4)
    routing, rounded = ops.route(x, moe), reference.rms_norm(x, norm, model.rms_norm_eps).bfloat16()
    assert torch.equal(routing.h_TD, rounded)
    weight_TA, expert_TA = reference.top_experts(rounded, router, active)
    start_E, row_R, place_TA = reference.sort_by_expert(expert_TA, experts)
    torch.testing.assert_close(routing.weight_TA, weight_TA, rtol=1e-5, atol=1e-6)
    assert torch.equal(routing.start_E, start_E)
    assert torch.equal(routing.row_R, row_R)
    assert torch.equal(routing.place_TA, place_TA)
    added, expected = torch.zeros(2, rows, hidden)
    plain.add_experts(expected, Routing(rounded.float(), start_E, row_R, place_TA, weight_TA), expected_moe)
    ops.add_experts(added, routing, moe)
    close(added, expected, 1e-2 if precision is Precision.BFLOAT16 else 4e-2)


@pytest.mark.parametrize("width", [16, 36, 1024])
def test_norm(form: Form, width: int) -> None:
    x, weight = random(7, width) * 30, random(width, seed=1)
    got = ops_for(form, Precision.BFLOAT16).norm(x, weight)
    close(got, reference.rms_norm(x, weight, MODEL.rms_norm_eps), 5e-3)


def test_rows_that_threads_share_are_those_that_one_thread_makes(form: Form) -> None:
    x, weight = random(72, 1024), random(1024, seed=1)  # 65,536 numbers are worth a second thread
    ops = ops_for(form, Precision.BFLOAT16)
    together = ops.norm(x, weight).clone()
    assert torch.equal(together, torch.cat([ops.norm(part, weight).clone() for part in x.split(9)]))


@pytest.mark.parametrize("width", [1, 15, 16, 96, 1003])
def test_argmax_is_the_first_of_the_greatest(form: Form, width: int) -> None:
    ops = ops_for(form, Precision.BFLOAT16)
    scores = random(40, width).round()  # many are equal
    first = [row.index(max(row)) for row in scores.tolist()]
    assert ops.argmax(scores) == first == PlainOps(Precision.FLOAT32, MODEL).argmax(scores)
    scores[7] = float("-inf")
    assert ops.argmax(scores)[7] == 0


@pytest.mark.parametrize("width", [3, 16, 1003])
def test_a_row_of_nan_is_no_choice_of_a_banned_token(form: Form, width: int) -> None:
    scores = torch.full((2, width), float("nan"))
    scores[0] = 1
    assert greedy(scores, [set(), {width - 2}], ops_for(form)) == [0, -1]


@pytest.mark.parametrize("place", [0, 20, 1002])
def test_one_nan_among_numbers_is_no_choice_in_any_kernels(form: Form, place: int) -> None:
    scores = random(2, 1003)
    scores[1, place] = math.nan
    plain = PlainOps(Precision.FLOAT32, MODEL)
    assert ops_for(form).argmax(scores) == plain.argmax(scores) == [int(scores[0].argmax()), -1]


@pytest.mark.parametrize("rows", [2, 13])
def test_a_row_with_a_nan_has_nothing_but_nan_as_its_int8_product(form: Form, rows: int) -> None:
    ops = ops_for(form, Precision.INT8)
    h, weight = random(rows, 100).bfloat16(), ops.pack_matrix(random(72, 100, seed=1))
    whole = ops.linear(h, weight).clone()
    h[1, 7] = math.nan
    got = ops.linear(h, weight)
    assert bool(got[1].isnan().all())
    assert torch.equal(got[0], whole[0]) and torch.equal(got[2:], whole[2:])


def test_a_nan_in_int8_keys_reaches_its_own_sequence_alone(form: Form) -> None:
    ops = ops_for(form)
    attention = ops.pack_attention(AttentionWeights(torch.ones(64), random(128, 64), random(64, 64)))
    x = random(8, 64)
    x[2] = math.nan
    ops.add_attention(x, attention, ops.new_cache(4, True), 0, ragged_step([(0, 5), (0, 3)]))
    assert bool(x[2:5].isnan().any(dim=1).all()) and bool(x[5:].isfinite().all())


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


@pytest.mark.parametrize(
    ("precision", "is_int8"),
    [(Precision.BFLOAT16, False), (Precision.BFLOAT16, True), (Precision.INT8, True)],
)
@pytest.mark.parametrize(
    ("heads", "kv_heads", "channels"), [(4, 2, 16), (16, 4, 64), (8, 1, 128), (6, 6, 80)]
)
def test_ragged_attention_over_paged_keys(
    form: Form, precision: Precision, is_int8: bool, heads: int, kv_heads: int, channels: int
) -> None:
    """Prefill in two chunks, then decode, with sequences of many lengths side by side."""
    hidden = 64
    model = replace(MODEL, num_heads=heads, num_kv_heads=kv_heads, head_dim=channels)
    sets = ops_for(form, precision, model), PlainOps(Precision.FLOAT32, model)
    norm = random(hidden, seed=1)
    qkv = random((heads + 2 * kv_heads) * channels, hidden, seed=2).bfloat16() * 0.2
    out = random(hidden, heads * channels, seed=3).bfloat16() * 0.2
    attentions = [ops.pack_attention(AttentionWeights(norm, qkv, out)) for ops in sets]
    caches = [ops.new_cache(256, is_int8) for ops in sets]
    assert sets[0].kv_precision(caches[0]) == ("int8" if is_int8 else "bfloat16")
    steps = [[(0, 1), (0, 17), (0, 130)], [(1, 40), (17, 50), (130, 290)], [(40, 41), (50, 51), (290, 291)]]
    for number, chunks in enumerate(steps):
        step = ragged_step(chunks)
        before = random(len(step.positions_T), hidden, seed=number)
        got, expected = before.clone(), before.clone()
        for x, ops, attention, cache in zip((got, expected), sets, attentions, caches):
            ops.add_attention(x, attention, cache, 1, step)
        close(got - before, expected - before, 2e-2 if precision is Precision.BFLOAT16 else 6e-2)


@pytest.mark.parametrize("is_int8", [False, True])
@pytest.mark.parametrize("left", [50.0, math.nan, math.inf])
def test_a_block_that_another_sequence_left_counts_for_nothing(
    form: Form, left: float, is_int8: bool
) -> None:
    """Values and scales of tokens that are not there yet may be anything."""
    ops = ops_for(form)
    attention = ops.pack_attention(AttentionWeights(torch.ones(64), random(128, 64), random(64, 64)))
    used, fresh = (ops.new_cache(4, is_int8) for _ in range(2))
    ops.add_attention(random(60, 64) * left, attention, used, 0, ragged_step([(0, 60)]))
    for number, chunk in enumerate([(0, 3), (3, 16), (16, 17), (17, 35)]):
        step, before = ragged_step([chunk]), random(chunk[1] - chunk[0], 64, seed=number + 1)
        got = [before.clone(), before.clone()]
        for x, cache in zip(got, (used, fresh)):
            ops.add_attention(x, attention, cache, 0, step)
        assert torch.equal(*got) and bool(got[0].isfinite().all()) and not torch.equal(got[0], before)


def test_biases_and_norms_of_heads_apply_before_rows_are_turned(form: Form) -> None:
    hidden, heads, kv_heads, channels = 64, 4, 2, 32
    model = replace(MODEL, num_heads=heads, num_kv_heads=kv_heads, head_dim=channels)
    sets = ops_for(form, model=model), PlainOps(Precision.FLOAT32, model)
    wide = (heads + 2 * kv_heads) * channels
    weights = AttentionWeights(
        random(hidden, seed=1),
        random(wide, hidden, seed=2).bfloat16() * 0.2,
        random(hidden, heads * channels, seed=3).bfloat16() * 0.2,
        random(wide, seed=4),
        random(hidden, seed=5),
        random(channels, seed=6) + 1,
        random(channels, seed=7) + 1,
    )
    step, before = ragged_step([(0, 5), (0, 33)]), random(38, hidden, seed=8)
    got, expected = before.clone(), before.clone()
    for x, ops in zip((got, expected), sets):
        ops.add_attention(x, ops.pack_attention(weights), ops.new_cache(16), 1, step)
    close(got - before, expected - before, 2e-2)


@pytest.mark.parametrize("active", [1, 3])
def test_shares_that_are_not_renormalised_are_those_of_the_softmax_over_all_experts(
    form: Form, active: int
) -> None:
    model = replace(MODEL, experts_per_token=active, renormalises_experts=False)
    ops, experts = (
        ops_for(form, model=model),
        ([random(96, 64)] * 4, [random(96, 64)] * 4, [random(64, 96)] * 4),
    )
    x, norm, router = random(9, 64, seed=1), torch.ones(64), random(4, 64, seed=2) * 0.2
    routing = ops.route(x, ops.pack_moe(norm, router, *experts))
    expected, _ = reference.top_experts(routing.h_TD, router, active, renormalises=False)
    close(routing.weight_TA, expected, 1e-4)
    assert float(routing.weight_TA.sum(-1).max()) < 0.999


@pytest.mark.parametrize("precision", [Precision.BFLOAT16, Precision.INT8])
def test_every_instruction_set_gives_the_portable_answers(form: Form, precision: Precision) -> None:
    """int8 sums are exact; bfloat16 products are summed in another order."""
    h, weight = random(37, 512).bfloat16(), random(200, 512, seed=1)
    got, portable = (
        (ops := ops_for(each, precision)).linear(h, ops.pack_matrix(weight))
        for each in (form, Form(library.load(build.build()), InstructionSet.PORTABLE))
    )
    if precision is Precision.INT8:
        assert torch.equal(got, portable)
    else:
        close(got, portable, form.part(1e-6))


@pytest.mark.parametrize("precision", [Precision.BFLOAT16, Precision.INT8])
def test_few_rows_are_multiplied_by_vectors_from_weights_that_lie_as_tiles(
    precision: Precision, form: Form
) -> None:
    """Experts of one layer may run on both."""
    models = [
        CpuOps(form.lib, precision, MODEL, 2, form.instructions, TilesFrom(fewest, fewest))
        for fewest in (1, 20, 10_000)
    ]
    experts = [[random(*shape, seed=e) for e in range(4)] for shape in ((96, 64), (96, 64), (64, 96))]
    x, added = random(41, 64), []
    for fewest, ops in zip((1, 20, 10_000), models):
        form.lib.assay_configure(2, form.instructions, fewest, fewest)
        moe = ops.pack_moe(torch.ones(64), random(4, 64), *experts)
        out = torch.zeros(41, 64)
        ops.add_experts(out, ops.route(x, moe), moe)
        added.append(out)
    for out in added[1:]:
        close(out, added[0], 1e-2)


def test_a_built_library_is_kept_and_used_again() -> None:
    built = build.build()
    stamp = built.stat().st_mtime_ns
    assert build.build() == built and built.stat().st_mtime_ns == stamp


@pytest.mark.parametrize(
    ("compiler", "words"),
    [
        ("#!/bin/sh\necho 'x.cpp:1: error: no such instruction' >&2\nexit 1\n", "no such instruction"),
        ("#!/bin/sh\nexit 9\n", "exit code 9"),
        ("#!/nowhere/sh\n", "cannot be run"),
        ("no program", "cannot be run"),
    ],
)
def test_a_compiler_that_fails_leaves_no_library_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiler: str, words: str
) -> None:
    fake = tmp_path / "g++"
    fake.write_text(compiler)
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path) + ":/usr/bin:/bin")
    settings.set_home(tmp_path / "home")
    with pytest.raises(EnvironmentProblem, match=words):
        build.build()
    assert not list((tmp_path / "home").rglob("*.so"))


def test_a_compiler_that_takes_too_long_is_said_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "g++"
    fake.write_text("#!/bin/sh\nexec sleep 60\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path) + ":/usr/bin:/bin")
    monkeypatch.setattr(build, "BUILD_SECONDS_MAX", 0.1)
    with pytest.raises(EnvironmentProblem, match=r"was not done after 0\.1 s"):
        build.build()


@pytest.mark.parametrize(
    ("machine", "flag"),
    [
        ("x86_64", "-march"),
        ("AMD64", "-march"),
        ("riscv64", "-march"),
        ("aarch64", "-mcpu"),
        ("arm64", "-mcpu"),
        ("ppc64le", "-mcpu"),
    ],
)
def test_the_flag_for_this_processor_is_that_of_its_kind(machine: str, flag: str) -> None:
    assert build.native(machine) == f"{flag}=native"


def test_what_one_op_gave_is_left_alone_by_the_others(form: Form) -> None:
    ops = ops_for(form, Precision.INT8)
    experts = ([random(*shape, seed=e) for e in range(4)] for shape in ((96, 64), (96, 64), (64, 96)))
    moe = ops.pack_moe(torch.ones(64), random(4, 64), *experts)
    attention = ops.pack_attention(AttentionWeights(torch.ones(64), random(128, 64), random(64, 64)))
    head = ops.pack_head(torch.ones(64), random(96, 64))
    x = random(7, 64)
    routing, logits = ops.route(x, moe), ops.logits(x, head)
    before = routing.h_TD.clone(), routing.weight_TA.clone(), logits.clone()
    ops.add_attention(x.clone(), attention, ops.new_cache(4), 0, ragged_step([(0, 7)]))
    ops.add_experts(x.clone(), routing, moe)
    for got, kept in zip((routing.h_TD, routing.weight_TA, logits), before):
        assert torch.equal(got, kept)


def test_steps_of_changing_sizes_do_not_disturb_each_other(form: Form) -> None:
    ops = ops_for(form, Precision.INT8)
    experts = ([random(*shape, seed=e) for e in range(4)] for shape in ((96, 64), (96, 64), (64, 96)))
    moe = ops.pack_moe(torch.ones(64), random(4, 64), *experts)

    def added(rows: int) -> Tensor:
        x = random(60, 64)[:rows].clone()
        ops.add_experts(x, ops.route(x, moe), moe)
        return x

    alone = added(60)
    for rows in (3, 60, 17):
        assert torch.equal(added(rows), alone[:rows])


def test_measured_rates_hold_every_row_count_in_both_precisions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measuring holds tiles against the reference first."""
    monkeypatch.setattr(rates, "ROWS", (1, 3))
    monkeypatch.setattr(rates, "COLUMNS", 64)
    lib = library.load(build.build(("-DASSAY_TILES_STAND_IN",)))
    found = rates.measure(lib, tmp_path / "kernels.so")
    assert all(set(rate) == {"1", "3"} for kind in (found.vectors, found.tiles) for rate in kind.values())
    assert rates.kept_or_measured(lib, tmp_path / "kernels.so") == found


def test_tiles_that_differ_from_the_reference_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lib = library.load(build.build(("-DASSAY_TILES_STAND_IN",)))
    monkeypatch.setattr(
        rates.CpuOps, "linear", lambda _, h, packed: torch.zeros(len(h), packed.layout.columns)
    )
    with pytest.raises(EnvironmentProblem, match="differ from the reference"):
        rates.measure(lib, tmp_path / "kernels.so")
    assert not list(tmp_path.glob("*.json"))


@pytest.mark.parametrize("precision", [Precision.BFLOAT16, Precision.INT8])
def test_an_expert_may_lie_anywhere_and_one_that_no_row_wants_nowhere(
    form: Form, precision: Precision
) -> None:
    ops = ops_for(form, precision)
    weights = [[random(*shape, seed=e) for e in range(4)] for shape in ((96, 64), (96, 64), (64, 96))]
    norm, router, x = torch.ones(64), random(4, 64), random(3, 64)
    whole, apart = ops.pack_moe(norm, router, *weights), ops.new_moe(norm, router)
    routing = ops.route(x, whole)
    for e in (3, 1, 2, 0):
        if routing.start_E[e] < routing.start_E[e + 1]:
            memory = torch.empty(ops.expert_bytes, dtype=torch.uint8)
            ops.pack_expert(*(of[e] for of in weights), memory)
            ops.place_expert(apart, e, memory)
    added, expected = torch.zeros(2, 3, 64)
    ops.add_experts(expected, routing, whole)
    ops.add_experts(added, ops.route(x, apart), apart)
    assert torch.equal(added, expected)


@pytest.mark.parametrize(("hidden", "inner"), [(64, 128), (72, 100)])
def test_random_experts_have_offsets_that_undo_unsigned_rows(form: Form, hidden: int, inner: int) -> None:
    """A row of zeros gives zeros, and one of small numbers what weights of this size give."""
    model = replace(MODEL, hidden_size=hidden, intermediate_size=inner, num_experts=1, experts_per_token=1)
    ops = ops_for(form, Precision.INT8, model)
    moe = ops.new_moe(torch.ones(hidden), torch.zeros(1, hidden))
    memory = torch.zeros(ops.expert_bytes, dtype=torch.uint8)
    ops.random_expert(torch.Generator().manual_seed(3), 0.02, memory)
    ops.place_expert(moe, 0, memory)
    x = torch.stack([torch.zeros(hidden), random(hidden)])
    added = torch.zeros(2, hidden)
    ops.add_experts(added, ops.route(x, moe), moe)
    assert not added[0].any()
    assert 0 < added[1].abs().max() < 0.1
