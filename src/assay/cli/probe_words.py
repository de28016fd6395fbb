"""The report of a probe as text, with the consequences for a benchmark."""

from __future__ import annotations

import dataclasses
import json
from enum import Enum
from typing import Any

from assay.endpoint.probe.caching import Caching
from assay.endpoint.probe.report import ProbeReport
from assay.endpoint.tier import Tier

_TIERS = {
    Tier.A: "A: token ids in, token ids out",
    Tier.B: "B: text in, token ids out",
    Tier.C: "C: no token ids come back",
}
_CACHE_OFF = {
    "vllm": "--no-enable-prefix-caching",
    "sglang": "--disable-radix-cache",
    "trtllm": "kv_cache_config.enable_block_reuse: false",
}


def plain(report: ProbeReport) -> dict[str, Any]:
    """The report as JSON values."""

    def words(value: object) -> object:
        return value.value if isinstance(value, Enum) else str(value)

    found = json.loads(json.dumps(dataclasses.asdict(report), default=words))
    assert isinstance(found, dict)
    return found


def facts(report: ProbeReport) -> list[tuple[str, str]]:
    identity, caching = report.identity, report.caching
    rows = [
        ("version", identity.version or "not told"),
        ("model", report.model or "not told"),
        ("context", f"{identity.context} tokens" if identity.context else "not told"),
        ("API", f"{report.api}, {report.path}"),
        ("exactness", _TIERS[report.tier]),
        ("ids = usage", _yes(report.counts_agree)),
        ("prompt as sent", _yes(report.prompt_is_kept)),
        ("stop id in answer", _yes(report.stop_id_is_sent)),
        (
            "minimum of tokens",
            _yes(report.minimum_is_honoured) if report.has_min_tokens else "the API knows none",
        ),
        ("left-out sampling", _sampling(report)),
        ("prefix cache", _cache(caching)),
        ("per-request salt", _salt(report)),
        ("tokens per event", f"up to {report.tokens_per_event}" if report.tokens_per_event else "not told"),
        ("first byte", f"{report.first_byte_s * 1000:.1f} ms (median of 5 short requests)"),
    ]
    if report.added_to_text is not None:
        rows.append(("added to text", f"{report.added_to_text} ids (1 = a beginning-of-sequence id)"))
    if report.takes_vocabulary is not None:
        rows.append(
            ("vocabulary", "takes the tokenizer's last id" if report.takes_vocabulary else "is smaller")
        )
    return rows


def consequences(report: ProbeReport) -> list[str]:
    """The consequences as sentences, the most serious first. Sources: docs/endpoint.md."""
    found = [_allowed(report)]
    if report.prompt_is_kept is False:
        found.append(
            "the server does not see the prompt that is sent: token counts and answers would be wrong"
        )
    if report.takes_vocabulary is False:
        found.append("the server's vocabulary is smaller than the tokenizer's: is it the same model?")
    if report.caching.is_on:
        found.append(_cache_advice(report))
    elif report.caching.is_on is None:
        found.append("whether prompts are kept is not known: show the server's settings with a closed result")
    if not report.has_min_tokens or report.minimum_is_honoured is False:
        found.append(
            "a minimum of tokens cannot be asked for: an answer of one token, which LoadGen logs as an error, "
            "makes a run INVALID"
        )
    if report.samples_by_default:
        found.append("the server samples by default: Assay sends every sampling field, other clients may not")
    if (report.tokens_per_event or 1) > 1:
        found.append("several tokens come in one event: TPOT counts tokens, not events")
    if report.added_to_text and report.tier is not Tier.A:
        found.append("the server adds ids to text: a text that spells the beginning of sequence has it twice")
    return found


def _allowed(report: ProbeReport) -> str:
    if report.counts_agree is False:
        lost = " (llama.cpp counts a token inside an unfinished character and does not send it)"
        return "usage and ids disagree, so an answer like that counts as failed" + lost * (
            report.api == "llamacpp"
        )
    if report.tier is Tier.A:
        return "performance, accuracy and TEST06 can be run: ids are exact"
    if report.tier is Tier.B:
        return "performance can be run; accuracy and TEST06 only where text gives the dataset's own ids back"
    return "performance only: without token ids neither accuracy logs nor TEST06 are exact"


def _cache_advice(report: ProbeReport) -> str:
    option = _CACHE_OFF.get(report.identity.kind or "")
    off = f"start it with {option}" if option else "switch it off at the server"
    salt = "; a salt per query works as well" if report.caching.is_off_with_salt else ""
    return f"prefix caching between queries is on, which a closed run may not use: {off}{salt}"


def _yes(value: bool | None) -> str:
    return "not shown" if value is None else "yes" if value else "NO"


def _sampling(report: ProbeReport) -> str:
    stated = report.identity.sampling or {}
    named = ", ".join(
        f"{key} {stated[key]:g}" for key in ("temperature", "top_k", "top_p") if _is_number(stated.get(key))
    )
    shown = {None: "not shown", True: "answers differ: it samples", False: "answers are equal"}
    return shown[report.samples_by_default] + (f" ({named})" if named else "")


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _cache(caching: Caching) -> str:
    if caching.failure:
        return f"not shown: {caching.failure.detail[:200]}"
    seen = [f"second request at {caching.speed:.2f} of the first's time"]
    seen += [] if caching.cached_tokens is None else [f"{caching.cached_tokens} cached tokens stated"]
    seen += [] if caching.hits is None else [f"{caching.hits} hits counted"]
    return {None: "not known", True: "ON", False: "off"}[caching.is_on] + f" ({', '.join(seen)})"


def _salt(report: ProbeReport) -> str:
    if not report.has_salt:
        return "the API knows none"
    return {None: "known; not needed", True: "works", False: "does NOT work"}[report.caching.is_off_with_salt]
