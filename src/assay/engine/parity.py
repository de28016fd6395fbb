"""The engine held against Hugging Face transformers in float32 on the same checkpoint and prompts.

In float32 the greedy tokens must be the same. Where the reference itself hardly decides (its two best logits, or
the last expert chosen and the first left out, closer than MARGIN) either choice is right, and a divergence there
does not count. Lower precisions are fed the reference's own tokens and compared score by score.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from assay.config import Precision
from assay.engine.api import Engine
from assay.engine.config import EngineConfig
from assay.engine.decoder_config import DecoderConfig
from assay.engine.sequence import EngineRequest

MARGIN = 1e-4
AGREEMENT_MIN = 0.98
"""Teacher-forced argmax agreement that a lower precision must reach."""

ANSWERS_TOLD = 32
"""Progress is told after so many answers."""

Prompt = tuple[int, ...]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Trace:
    """What the reference did with one prompt."""

    prompt: Prompt
    tokens: tuple[int, ...]
    """Greedy continuation"""
    is_close: tuple[bool, ...]
    """Per step: the reference hardly decided on the token, or on an expert at this or an earlier position"""
    logits_NV: Tensor
    """Float32 scores from which each token was chosen"""


@dataclass(frozen=True)
class Generated:
    """Free-running greedy tokens of one schedule against the reference."""

    batch: int
    shuffled: bool
    same: int
    """Prompts with the reference's tokens throughout"""
    close_calls: int
    """Prompts that diverge where the reference hardly decided"""
    diverged: tuple[tuple[int, int], ...]
    """(prompt number, step) of every divergence that counts"""


@dataclass(frozen=True)
class Scored:
    """Teacher-forced scores against the reference, over `steps` positions."""

    steps: int
    agreement: float
    """Part of the positions with the same argmax"""
    kl_mean: float
    """KL divergence from the reference's distribution, nats"""
    logit_error_max: float
    logit_spread: float
    """Standard deviation of the reference's logits, by which an error is large or small"""
    lost_margin_max: float
    """The reference's margin between its two best logits, where it was widest among the positions that do not
    agree; 0 when all agree"""


@dataclass(frozen=True)
class ParityReport:
    precision: str
    kv_precision: str
    kernels: str
    prompts: int
    steps: int
    generated: tuple[Generated, ...]
    scored: Scored

    @property
    def holds(self) -> bool:
        """float32 throughout: no divergence that counts. Lower: enough agreement."""
        if self.precision == self.kv_precision == Precision.FLOAT32.value:
            return not any(g.diverged for g in self.generated)
        return self.scored.agreement >= AGREEMENT_MIN

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "holds": self.holds}


def random_prompts(model: DecoderConfig, count: int, steps: int, seed: int = 0) -> list[Prompt]:
    """`count` prompts of 1 to 96 random ids that leave room for `steps` more."""
    rng = random.Random(seed)
    longest = max(1, min(96, model.max_positions - steps))
    return [
        tuple(rng.randrange(model.vocab_size) for _ in range(rng.randint(1, longest))) for _ in range(count)
    ]


def reference_traces(
    checkpoint: Path, prompts: Sequence[Prompt], steps: int, progress: Progress
) -> list[Trace]:
    """Greedy float32 continuations by transformers, one prompt at a time, as the reference recipe runs it."""
    from transformers import AutoModelForCausalLM, GenerationConfig

    model = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32)
    model.generation_config = (
        GenerationConfig()
    )  # greedy alone: no end, no penalty that the checkpoint asks for
    if hasattr(
        model, "set_experts_implementation"
    ):  # since transformers 5, whose fast one has shapes it cannot run
        model.set_experts_implementation("eager")
    traces = []
    for number, prompt in enumerate(prompts):
        progress(f"reference: prompt {number + 1} of {len(prompts)}")
        traces.append(_trace(model, prompt, steps))
    return traces


def answers(config: EngineConfig, prompts: Sequence[Prompt], steps: int, progress: Progress) -> list[Prompt]:
    """The engine's greedy continuation of each prompt by `steps` tokens. The model's own end is not heeded: a model
    that ends at once would leave nothing to compare."""
    engine = Engine(config, progress)
    requests = [EngineRequest(i, prompt, steps) for i, prompt in enumerate(prompts)]
    found = {}
    for answer in engine.generate(requests):
        found[answer.id] = answer.tokens
        if len(found) % ANSWERS_TOLD == 0:
            progress(f"{len(found)} of {len(requests)} answers")
    return [found[i] for i in range(len(prompts))]


def compare(
    config: EngineConfig, traces: Sequence[Trace], batches: Sequence[int], progress: Progress
) -> ParityReport:
    """Run the engine over the same prompts: at each batch size, once more shuffled, and teacher-forced."""
    engine = Engine(replace(config, max_running=max(batches), token_budget=max(*batches, 64)), progress)
    generated = []
    for batch, shuffled in [*((b, False) for b in batches), (max(batches), True)]:
        progress(f"engine: batch {batch}{', shuffled' if shuffled else ''}")
        engine.limit_running(batch)
        generated.append(_generate(engine, traces, batch, shuffled))
    progress("engine: teacher-forced scores")
    scored = _score(engine, traces)
    precisions = engine.precision, engine.kv_precision
    return ParityReport(
        *precisions, engine.ops.name, len(traces), len(traces[0].tokens), tuple(generated), scored
    )


def _trace(model: Any, prompt: Prompt, steps: int) -> Trace:
    ids = torch.tensor([prompt])
    with torch.inference_mode():
        whole = model.generate(
            ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=steps, pad_token_id=0
        )
        seen = model(whole, output_router_logits=True)
    start = len(prompt) - 1
    logits_NV = seen.logits[0, start:-1].float().clone()
    experts_close_P = torch.zeros(whole.shape[1], dtype=torch.bool)
    for router_PE in getattr(seen, "router_logits", None) or ():  # a dense model has none
        experts_close_P |= (
            _gap(router_PE.float().view(whole.shape[1], -1), model.config.num_experts_per_tok) < MARGIN
        )
    is_close_N = (experts_close_P.cumsum(0) > 0)[start:-1] | (_gap(logits_NV, 1) < MARGIN)
    return Trace(prompt, tuple(whole[0, len(prompt) :].tolist()), tuple(is_close_N.tolist()), logits_NV)


def _gap(scores_NX: Tensor, chosen: int) -> Tensor:
    """How far the last chosen score of each row is above the best one left out; infinite when none is."""
    if scores_NX.shape[-1] <= chosen:
        return torch.full((len(scores_NX),), float("inf"))
    best = scores_NX.topk(chosen + 1, dim=-1).values
    return best[:, chosen - 1] - best[:, chosen]


def _generate(engine: Engine, traces: Sequence[Trace], batch: int, shuffled: bool) -> Generated:
    requests = [EngineRequest(i, t.prompt, len(t.tokens)) for i, t in enumerate(traces)]
    if shuffled:
        random.Random(1).shuffle(requests)
    answers = {a.id: a.tokens for a in engine.generate(requests)}
    steps = {i: first_difference(answers[i], t.tokens) for i, t in enumerate(traces)}
    apart = [(i, step) for i, step in steps.items() if step is not None]
    diverged = tuple((i, step) for i, step in apart if not traces[i].is_close[step])
    return Generated(batch, shuffled, len(traces) - len(apart), len(apart) - len(diverged), diverged)


def first_difference(left: Sequence[int], right: Sequence[int]) -> int | None:
    """Index of the first token that differs, or None."""
    return next((i for i, (a, b) in enumerate(zip(left, right)) if a != b), None)


def _score(engine: Engine, traces: Sequence[Trace]) -> Scored:
    steps = same = 0
    kl_sum = square_sum = error_max = lost_max = 0.0
    for trace in traces:
        logits_NV = engine.score(trace.prompt + trace.tokens[:-1])[len(trace.prompt) - 1 :]
        is_lost_N = logits_NV.argmax(-1) != trace.logits_NV.argmax(-1)
        steps += len(logits_NV)
        same += int((~is_lost_N).sum())
        lost_max = max([lost_max, *_gap(trace.logits_NV, 1)[is_lost_N].tolist()])
        expected, got = trace.logits_NV.log_softmax(-1), logits_NV.log_softmax(-1)
        kl_sum += float((expected.exp() * (expected - got)).sum())
        square_sum += float(trace.logits_NV.var(-1).sum())
        error_max = max(error_max, float((logits_NV - trace.logits_NV).abs().max()))
    return Scored(steps, same / steps, kl_sum / steps, error_max, math.sqrt(square_sum / steps), lost_max)
