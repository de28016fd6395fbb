"""How an engine is to run: precision, room, order and kernels. What it runs is families.py's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from assay.config import Precision
from assay.ground.errors import ConfigError, did_you_mean

PRECISIONS = (Precision.FLOAT32, Precision.BFLOAT16, Precision.FLOAT16, Precision.INT8)
ORDERS = ("arrival", "longest-prompt")
KERNELS = ("auto", "native", "portable", "avx512", "amx", "onednn", "torch")
WEIGHTS = ("auto", "memory", "disk")
KV_PRECISIONS = ("auto", "int8")
THREADS_MAX = 4096
"""Far more than any processor has; OpenMP ends the process where threads cannot be started."""


@dataclass(frozen=True)
class EngineConfig:
    """How one engine runs."""

    checkpoint: Path
    precision: Precision = Precision.BFLOAT16
    max_running: int = 256
    """Most sequences that hold KV at once."""
    token_budget: int = 1024
    """Most tokens that one step computes, decode and prefill together."""
    kv_tokens: int | None = None
    """Room for KV, in tokens; None = what `max_running` typical sequences need and memory allows."""
    kv_precision: str = "auto"
    """Of keys and values. `auto`: the activations' own, 16 bits or float32; `int8` takes about half of 16 bits."""
    order: str = "arrival"
    """`arrival`, or `longest-prompt` first among the requests that wait when a new line is formed."""
    kernels: str = "auto"
    """`auto`: native where they can be built, else torch. `native` and `torch` insist; `portable`, `avx512` and `amx`
    run the native kernels with these instructions, and `onednn` lets oneDNN project attention in every step, to compare
    them."""
    threads: int | None = None
    """None = one per usable core."""
    weights: str = "auto"
    """Where experts live. `memory` insists; `disk` reads every one of them in every step; `auto`: memory, or where they
    do not fit as many as do, and the others are read from a packed copy."""
    memory_bytes: int | None = None
    """Most memory that the process may take; None = what is free."""
    typical_tokens: int = 512
    """Of a sequence near its end, prompt included: with experts on disk, KV is planned for max_running of these."""

    @property
    def has_int8_kv(self) -> bool:
        return self.kv_precision == "int8"

    def __post_init__(self) -> None:
        object.__setattr__(self, "checkpoint", Path(self.checkpoint))
        _refuse_unless(self.precision in PRECISIONS, f"precision {self.precision}", _names(PRECISIONS))
        object.__setattr__(self, "precision", Precision(self.precision))
        _refuse_unless(self.order in ORDERS, f"order {self.order!r}", did_you_mean(self.order, ORDERS))
        _refuse_unless(
            self.kernels in KERNELS, f"kernels {self.kernels!r}", did_you_mean(self.kernels, KERNELS)
        )
        _refuse_unless(
            self.weights in WEIGHTS, f"weights {self.weights!r}", did_you_mean(self.weights, WEIGHTS)
        )
        _refuse_unless(
            self.kv_precision in KV_PRECISIONS,
            f"kv_precision {self.kv_precision!r}",
            did_you_mean(self.kv_precision, KV_PRECISIONS),
        )
        for name in ("max_running", "token_budget", "kv_tokens", "threads", "memory_bytes", "typical_tokens"):
            value = getattr(self, name)
            is_whole = type(value) is int and value >= 1
            _refuse_unless(value is None or is_whole, f"{name} = {value!r}", "a positive whole number")
        _refuse_unless(
            (self.threads or 1) <= THREADS_MAX, f"threads = {self.threads}", f"at most {THREADS_MAX}"
        )
        _refuse_unless(
            self.token_budget >= self.max_running,
            f"token_budget {self.token_budget} < max_running {self.max_running}: decode alone would not fit",
            "raise token_budget or lower max_running",
        )


def _refuse_unless(holds: bool, what: str, hint: str) -> None:
    if not holds:
        raise ConfigError(f"the engine cannot run {what}", hint)


def _names(precisions: tuple[Precision, ...]) -> str:
    return "one of: " + ", ".join(p.value for p in precisions)
