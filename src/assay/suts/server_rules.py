"""What the settings of a server break of the rules: a function for each rule, with its source. Pure.

    @server_rule("V2", title="...", source="...", fix="...")
    def speculative_decoding(seen: Seen) -> Iterator[Said]: ...

An error makes a run in the closed division INVALID; a warning and a note are for whoever reads the result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from assay.mlperf.checker.finding import Finding, Severity
from assay.suts.server_settings import ServerSettings

RULES_DOCUMENT = "inference_rules"
CACHE_RULE = "V1"


@dataclass(frozen=True)
class ServerTerms:
    """What a job demands of the server that answers it."""

    prompt_tokens: int
    """Of the longest prompt; 0 = not known."""
    answer_tokens: int
    """Of the longest answer that is allowed; 0 = not known."""
    drafts: str = ""
    """How the round lets tokens be drafted in every scenario of the job; empty = it does not."""
    is_salted: bool = False
    """Every query has a salt that keeps it out of the prefix cache."""
    is_own: bool = False
    """Assay starts the server."""
    dtype: str = ""
    """Asked of a server that Assay starts."""


@dataclass(frozen=True)
class Seen:
    settings: ServerSettings
    terms: ServerTerms


@dataclass(frozen=True)
class Said:
    severity: Severity
    option: str
    message: str


@dataclass(frozen=True)
class ServerRule:
    code: str
    title: str
    source: str
    fix: str
    check: Callable[[Seen], Iterator[Said]]


SERVER_RULES: dict[str, ServerRule] = {}
_Check = Callable[[Seen], Iterator[Said]]


def server_rule(code: str, *, title: str, source: str, fix: str) -> Callable[[_Check], _Check]:
    """Register a rule under its code; a code may be used once."""

    def register(check: _Check) -> _Check:
        assert code not in SERVER_RULES, f"two rules have the code {code}"
        SERVER_RULES[code] = ServerRule(code, title, source, fix, check)
        return check

    return register


def findings(settings: ServerSettings, terms: ServerTerms, where: str) -> tuple[Finding, ...]:
    """In the order of the rules. `where`: the server, for a reader."""
    seen = Seen(settings, terms)
    return tuple(
        Finding(
            code=rule.code,
            severity=said.severity,
            path=where,
            message=said.message,
            found=said.option,
            expected=rule.title,
            source=rule.source,
            fix=rule.fix,
        )
        for rule in SERVER_RULES.values()
        for said in rule.check(seen)
    )


def sentence(finding: Finding) -> str:
    """`--speculative-config {}: tokens are drafted, which … (inference_rules, …)`."""
    return f"{finding.found}: {finding.message} ({finding.source})"


def breaches(found: Sequence[Finding]) -> tuple[str, ...]:
    """Why a closed run is INVALID."""
    return tuple(sentence(each) for each in found if each.severity is Severity.ERROR)


def remarks(found: Sequence[Finding]) -> tuple[str, ...]:
    return tuple(sentence(each) for each in found if each.severity is not Severity.ERROR)


@server_rule(
    CACHE_RULE,
    title="no query is answered from what another one left",
    source=f"{RULES_DOCUMENT}, FAQ on the KV cache: every query is computed in its entirety",
    fix="vLLM --no-enable-prefix-caching, SGLang --disable-radix-cache, TensorRT-LLM enable_block_reuse: false",
)
def prefix_cache(seen: Seen) -> Iterator[Said]:
    """A salt keeps queries apart, but who starts the server has no reason to leave the cache on."""
    if not seen.settings.prefix_cache:
        return
    if seen.terms.is_salted and not seen.terms.is_own:
        said = "it is on; every query has a salt of its own, so none is answered from another's"
        yield Said(Severity.WARNING, "prefix caching", said)
    else:
        yield Said(
            Severity.ERROR, "prefix caching", "it is on: answers from a warm cache are not the model's own"
        )


@server_rule(
    "V2",
    title="tokens are drafted where the round names workload and scenario, by its head and settings",
    source=f"{RULES_DOCUMENT}, appendix Speculative Decoding",
    fix="leave speculative decoding out",
)
def speculative_decoding(seen: Seen) -> Iterator[Said]:
    settings, allowed = seen.settings, seen.terms.drafts
    if not settings.drafts:
        return
    if not allowed:
        said = "speculative decoding is not allowed for this workload and scenario"
        yield Said(Severity.ERROR, settings.drafts, said)
        return
    stated = {"num-steps": settings.draft_steps, "topk": settings.draft_width}
    wrong = [
        f"{name} {value}" for name, value in stated.items() if value and f"{name} {value}" not in allowed
    ]
    if wrong:
        yield Said(Severity.ERROR, settings.drafts, f"{', '.join(wrong)} where the round says {allowed}")
    else:
        yield Said(Severity.NOTE, settings.drafts, f"allowed as the round describes it: {allowed}")


@server_rule(
    "V3",
    title="weights, keys and values in another format come from the given weights alone, and are described",
    source=f"{RULES_DOCUMENT}, Model and Quantization",
    fix="describe it in calibration.md and in weight_data_types of the system description",
)
def quantisation(seen: Seen) -> Iterator[Said]:
    settings, asked = seen.settings, seen.terms.dtype
    if settings.weights:
        said = "the weights are quantised: the submission describes how, and with which calibration data"
        yield Said(Severity.NOTE, f"quantization {settings.weights}", said)
    if settings.kv:
        said = "keys and values are quantised: the rules for activations hold"
        yield Said(Severity.NOTE, f"KV cache {settings.kv}", said)
    if asked and settings.dtype and settings.dtype.removeprefix("torch.") != asked:
        yield Said(Severity.WARNING, f"dtype {settings.dtype}", f"--precision says {asked}")


@server_rule(
    "V4",
    title="a first event with several tokens makes the time per token look shorter",
    source="LoadGen, TPOT: (end - first token) / (tokens - 1)",
    fix="a stream interval of 1, or look at TPOT by MLPerf Endpoints' definition in the result",
)
def stream_interval(seen: Seen) -> Iterator[Said]:
    if (interval := seen.settings.interval or 1) > 1:
        said = "tokens come several at a time, so times between events are not times between tokens"
        yield Said(Severity.NOTE, f"stream interval {interval}", said)


@server_rule(
    "V5",
    title="the context holds the longest prompt and the longest answer",
    source=f"{RULES_DOCUMENT}, FAQ on LLM benchmarks: the longest answer is not changed",
    fix="vLLM --max-model-len, SGLang --context-length, llama.cpp --ctx-size for each of its --parallel",
)
def context_length(seen: Seen) -> Iterator[Said]:
    context, terms = seen.settings.context, seen.terms
    needed = terms.prompt_tokens + terms.answer_tokens
    if context is not None and context < needed:
        said = (
            f"the longest prompt has {terms.prompt_tokens} tokens and an answer may have {terms.answer_tokens}, "
            f"{needed} in all"
        )
        yield Said(Severity.ERROR, f"context of {context} tokens", said)


@server_rule(
    "V6",
    title="every prompt is read whole",
    source=f"{RULES_DOCUMENT}, Pre- and post-processing; Benchmark detection",
    fix="leave the option out",
)
def cut_prompts(seen: Seen) -> Iterator[Said]:
    if seen.settings.cuts:
        yield Said(Severity.ERROR, seen.settings.cuts, "a prompt that is cut off is another prompt")


@server_rule(
    "V7",
    title="the model is the checkpoint's",
    source=f"{RULES_DOCUMENT}, Model: no retraining, no replaced weights",
    fix="leave the option out",
)
def other_model(seen: Seen) -> Iterator[Said]:
    for option in seen.settings.other_model:
        yield Said(Severity.ERROR, option, "the model that answers is not the one that the checkpoint holds")
