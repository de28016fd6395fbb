"""What a server was told, by its command line or by its own word, under names that are no server's. Pure.

Sources: vLLM docs/cli/serve.md and its metric cache_config_info; SGLang docs server_arguments.md and /server_info;
llama.cpp tools/server/README.md; TensorRT-LLM trtllm-serve --help and LlmArgs; TGI launcher.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Given = Mapping[str, str]
"""Option, with its dashes -> its value; empty for a switch."""
_UNITS = {"k": 1000, "K": 1024, "m": 10**6, "M": 2**20}
"""Source: vLLM, human_readable_int."""
_OF_CACHE_INFO = re.compile(r"^vllm:cache_config_info\{(.*)\}", re.MULTILINE)


@dataclass(frozen=True)
class ServerDialect:
    """How one kind of server spells what matters to a result. Each field names the options that say it."""

    cache_is_on: bool | None = None
    """Of prompts that were seen before, where nothing is said; None = not known."""
    cache_on: tuple[str, ...] = ()
    cache_off: tuple[str, ...] = ()
    drafts: tuple[str, ...] = ()
    """Somebody drafts tokens that the model then checks."""
    draft_steps: tuple[str, ...] = ()
    draft_width: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    kv: tuple[str, ...] = ()
    dtype: tuple[str, ...] = ()
    interval: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    slots: tuple[str, ...] = ()
    """The context is divided among so many."""
    cuts: tuple[str, ...] = ()
    """A prompt that is too long is cut, or its beginning is forgotten."""
    other_model: tuple[str, ...] = ()
    """The weights or the shape are not the checkpoint's."""
    tensor: tuple[str, ...] = ()
    pipeline: tuple[str, ...] = ()
    data: tuple[str, ...] = ()


DIALECTS: Mapping[str, ServerDialect] = {
    "vllm": ServerDialect(
        cache_is_on=True,
        cache_on=("--enable-prefix-caching",),
        cache_off=("--no-enable-prefix-caching",),
        drafts=("--speculative-config", "-sc", "--speculative-model"),
        draft_steps=("--num-speculative-tokens",),
        weights=("--quantization", "-q"),
        kv=("--kv-cache-dtype",),
        dtype=("--dtype",),
        interval=("--stream-interval",),
        context=("--max-model-len",),
        other_model=("--hf-overrides", "--rope-scaling", "--rope-theta", "--lora-modules", "--enable-lora"),
        tensor=("--tensor-parallel-size", "-tp"),
        pipeline=("--pipeline-parallel-size", "-pp"),
        data=("--data-parallel-size", "-dp"),
    ),
    "sglang": ServerDialect(
        cache_is_on=True,
        cache_off=("--disable-radix-cache",),
        drafts=("--speculative-algorithm", "--speculative-draft-model-path", "--speculative-draft-model"),
        draft_steps=("--speculative-num-steps",),
        draft_width=("--speculative-eagle-topk",),
        weights=("--quantization", "--torchao-config"),
        kv=("--kv-cache-dtype",),
        dtype=("--dtype",),
        interval=("--stream-interval",),
        context=("--context-length", "--max-model-len"),
        cuts=("--allow-auto-truncate",),
        other_model=("--json-model-override-args", "--lora-paths", "--enable-lora"),
        tensor=("--tensor-parallel-size", "--tp-size", "--tp"),
        pipeline=("--pipeline-parallel-size", "--pp-size", "--pp"),
        data=("--data-parallel-size", "--dp-size", "--dp"),
    ),
    "trtllm": ServerDialect(
        # Those with a dot stand in a YAML file: `server_config`.
        cache_is_on=True,
        cache_on=("--kv-cache-config.enable-block-reuse",),
        drafts=("--speculative-config",),
        draft_steps=("--speculative-config.max-draft-len",),
        weights=("--quant-config.quant-algo",),
        kv=("--kv-cache-config.dtype", "--quant-config.kv-cache-quant-algo", "--kv_cache_dtype"),
        dtype=("--dtype",),
        interval=("--stream_interval", "--stream-interval"),
        context=("--max-seq-len", "--max_seq_len"),
        other_model=("--lora-config",),
        tensor=("--tensor-parallel-size", "--tp_size"),
        pipeline=("--pipeline-parallel-size", "--pp_size"),
    ),
    "llamacpp": ServerDialect(
        # Every request of Assay's says cache_prompt: false.
        cache_is_on=False,
        cache_on=("--cache-reuse",),
        drafts=(
            "--model-draft",
            "--spec-draft-model",
            "-md",
            "--spec-type",
            "--hf-repo-draft",
            "--spec-draft-hf",
            "-hfd",
            "--lookup-cache-static",
            "-lcs",
            "--lookup-cache-dynamic",
            "-lcd",
        ),
        weights=("--model-ftype",),  # no option: /props says it of the GGUF
        kv=("--cache-type-k", "-ctk", "--cache-type-v", "-ctv"),
        context=("--ctx-size", "-c"),
        slots=("--parallel", "-np"),
        cuts=("--context-shift",),
        other_model=(
            "--lora",
            "--lora-scaled",
            "--override-kv",
            "--control-vector",
            "--control-vector-scaled",
            "--rope-scaling",
            "--rope-scale",
            "--rope-freq-base",
            "--rope-freq-scale",
        ),
    ),
    "tgi": ServerDialect(
        cache_is_on=True,
        drafts=("--speculate",),
        weights=("--quantize",),
        kv=("--kv-cache-dtype",),
        dtype=("--dtype",),
        context=("--max-total-tokens",),
        other_model=("--lora-adapters", "--rope-scaling"),
        tensor=("--num-shard",),
    ),
}
_AS_IS = ("auto", "none", "None", "all F32", "F16", "BF16")
"""What leaves a format as the checkpoint has it; the last three are a GGUF's that is not quantised."""
_NO = ("false", "0", "no")


@dataclass(frozen=True)
class ServerSettings:
    """None or empty = not known, or as the checkpoint has it."""

    prefix_cache: bool | None = None
    drafts: str = ""
    """The option, as it was given."""
    draft_steps: int | None = None
    draft_width: int | None = None
    weights: str = ""
    """The format that they are turned into."""
    kv: str = ""
    dtype: str = ""
    interval: int | None = None
    """Tokens of an event."""
    context: int | None = None
    """Tokens of prompt and answer that one request may have."""
    cuts: str = ""
    other_model: tuple[str, ...] = ()
    devices: Mapping[str, int] = field(default_factory=dict)
    """`tensor`, `pipeline`, `data` -> how many parts, where more than one."""


def options_of(words: Sequence[str]) -> dict[str, str]:
    """Of a command line: the last one of a name counts. vLLM takes `_` for `-` in a name."""
    found: dict[str, str] = {}
    name = ""
    for word in words:
        if word.startswith("-") and not _is_number(word):
            name, has_value, value = word.partition("=")
            name = name if name in _SPELLED_LOW else name.replace("_", "-")
            found.pop(name, None)
            found[name] = value
            name = "" if has_value else name
        elif name:
            found[name], name = word, ""
    return found


def from_command(dialect: str, words: Sequence[str]) -> ServerSettings:
    """Of the command that starts it, with what the server does where nothing is said."""
    known, given = DIALECTS.get(dialect, ServerDialect()), options_of(words)
    is_on = known.cache_is_on
    for name, value in given.items():  # in the order of the command line
        if name in known.cache_on + known.cache_off:
            is_on = (name in known.cache_on) is not (value.lower() in _NO)
    return _settings(known, given, is_on)


def from_server(dialect: str, said: Mapping[str, object]) -> ServerSettings:
    """Of what a running server tells of itself (`endpoint_server.description`): what it does not say is not known."""
    known = DIALECTS.get(dialect, ServerDialect())
    on = [value for name in known.cache_on if isinstance(value := said.get(_field(name)), bool)]
    off = [value for name in known.cache_off if isinstance(value := said.get(_field(name)), bool)]
    given = {
        f"--{name.replace('_', '-')}": "" if value is True else str(value)
        for name, value in said.items()
        if value is not None and value is not False and value != ""
    }
    return _settings(known, given, any(on) or not all(off) if on or off else None)


def cache_info(metrics: str) -> dict[str, object]:
    """What vLLM's /metrics tell of its cache, under the names of its options; empty where they do not."""
    found = _OF_CACHE_INFO.search(metrics)
    labels = dict(re.findall(r'(\w+)="([^"]*)"', found[1])) if found else {}
    made: dict[str, object] = {}
    if (is_on := labels.get("enable_prefix_caching")) in ("True", "False"):
        made["enable_prefix_caching" if is_on == "True" else "no_enable_prefix_caching"] = True
    if "cache_dtype" in labels:
        made["kv_cache_dtype"] = labels["cache_dtype"]
    if labels.get("num_gpu_blocks", "").isdecimal() and labels.get("block_size", "").isdecimal():
        made["kv_cache_tokens"] = int(labels["num_gpu_blocks"]) * int(labels["block_size"])
    engines = set(re.findall(r'^vllm:\w+\{[^}]*engine="(\d+)"', metrics, re.MULTILINE))
    if len(engines) > 1:
        made["data_parallel_size"] = len(engines)
    return made


def _settings(dialect: ServerDialect, given: Given, prefix_cache: bool | None) -> ServerSettings:
    inside = _object(given.get("--speculative-config", given.get("-sc", "")))
    steps = _number(_value(dialect.draft_steps, given)) or _number(str(inside.get("num_speculative_tokens")))
    context, slots = _number(_value(dialect.context, given)), _number(_value(dialect.slots, given))
    devices = {
        name: count
        for name in ("tensor", "pipeline", "data")
        if (count := _number(_value(getattr(dialect, name), given)) or 1) > 1
    }
    other = [f"{name} {given[name]}".strip() for name in dialect.other_model if name in given]
    if given.get("--load-format") == "dummy":  # of vLLM and SGLang: the weights are random
        other.append("--load-format dummy")
    return ServerSettings(
        prefix_cache=prefix_cache,
        drafts=_named(dialect.drafts, given),
        draft_steps=steps,
        draft_width=_number(_value(dialect.draft_width, given)),
        weights=_changed(dialect.weights, given),
        kv=_changed(dialect.kv, given),
        dtype=_changed(dialect.dtype, given),
        interval=_number(_value(dialect.interval, given)),
        context=context // slots if context and slots else context,
        cuts=_named(dialect.cuts, given),
        other_model=tuple(other),
        devices=devices,
    )


_SPELLED_LOW = {
    name
    for dialect in DIALECTS.values()
    for names in vars(dialect).values()
    if isinstance(names, tuple)
    for name in names
    if "_" in name
}


def _field(option: str) -> str:
    return option.lstrip("-").replace("-", "_")


def _named(names: Sequence[str], given: Given) -> str:
    """The first of the names that was given, with its value."""
    return next((f"{name} {given[name]}".strip() for name in names if name in given), "")


def _value(names: Sequence[str], given: Given) -> str:
    return next((given[name] for name in names if name in given), "")


def _changed(names: Sequence[str], given: Given) -> str:
    """Empty where the checkpoint decides."""
    value = _value(names, given)
    return "" if value in _AS_IS else value


def _number(text: str) -> int | None:
    """`8192`, `8k`, `8K`; None for what is no number above 0."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kKmM]?)", text)
    value = int(float(match[1]) * _UNITS.get(match[2], 1)) if match else 0
    return value or None


def _is_number(word: str) -> bool:
    return re.fullmatch(r"-\d+(\.\d+)?", word) is not None


def _object(text: str) -> Mapping[str, object]:
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
