"""Words that users of other tools type: other names of our options, and hints for verbs and options that have other
names here."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:  # every command imports this file
    from collections.abc import Container

_SERVER = "`assay bench WORKLOAD --sut endpoint --url URL` measures a running server; --sut serve starts one"
_RECIPE = "that is CM's dialect: `assay run script --tags=…`; here the words are `assay bench --help`"
_AGAIN = (
    "`assay bench --resume RUN` goes on with a stopped run; "
    "`assay bench --config RUN/config.json` runs the same job again"
)

_OF_SERVERS = [
    "--tensor-parallel-size",
    "--tp",
    "-tp",
    "--tp-size",
    "--pipeline-parallel-size",
    "-pp",
    "--data-parallel-size",
    "-dp",
    "--max-model-len",
    "--gpu-memory-utilization",
    "--max-num-batched-tokens",
    "--enforce-eager",
    "--kv-cache-dtype",
    "--enable-prefix-caching",
    "--no-enable-prefix-caching",
    "--mem-fraction-static",
    "--context-length",
    "--ctx-size",
    "--n-gpu-layers",
]
"""Options of vLLM, SGLang and llama.cpp. Source: their own --help."""

ALIASES = {
    "--samples": ("--limit", "--num-prompts", "--num-samples", "--max-samples", "-n"),
    "--out": ("--output-dir", "--output", "-o"),
    "--url": ("--base-url", "--target"),
    "--checkpoint": ("--model-path", "--model-dir"),
    "--dataset": ("--dataset-path", "--data-path"),
    "--target-qps": ("--request-rate", "--qps"),
    "--rate": ("--request-rate", "--qps"),
    "--concurrency": ("--max-concurrency",),
    "--max-in-flight": ("--max-concurrency",),
    "--batch": ("--batch-size",),
    "--precision": ("--dtype",),
    "--yes": ("-y", "--assume-yes"),
    "--system-name": ("--system",),
}
"""Our option -> other names for it. They work in every verb that has the option and does not use the name itself."""
OTHERWISE = {"load": ("--num-prompts",)}
"""Verb -> other names that would mean something else there: requests of `vllm bench serve`, prompts of a load."""

OPTIONS: dict[str, str | tuple[str, ...]] = {
    **dict.fromkeys(("--dry-run", "--plan"), "`assay plan` with the same options: what would be done"),
    "--list": "`assay list` shows what can be asked for",
    "--model": "WORKLOAD without an option, and its folder: `assay bench mixtral-8x7b --checkpoint DIR`",
    **dict.fromkeys(
        ("--base-url", "--target", "--endpoint", "--host", "--port"), ("--url http://HOST:PORT", _SERVER)
    ),
    "--api-key": ("--api-key-env NAME: the environment variable that holds the key", _SERVER),
    "--backend": ("--api API: how a server is asked, by itself where it is left out", "--sut SUT"),
    **dict.fromkeys(
        ("--num-prompts", "--num-requests", "--request-count", "--max-requests"),
        ("--duration T: a level is as long, and --samples N prompts come again in it", "--samples N"),
    ),
    **dict.fromkeys(
        ("--debug", "--log-level"),
        "--verbose; RUN/logs holds all that the processes of a run have said",
    ),
    **dict.fromkeys(("--silent", "--no-progress"), "--quiet"),
    **dict.fromkeys(("--yes", "-y", "--force", "-f"), "leave it out: no question is asked"),
    **dict.fromkeys(("--resume", "--continue"), _AGAIN),
    "--seed": "--round: the round decides the seeds",
    **dict.fromkeys(
        ("--gpus", "--gpu", "--num-gpus"),
        "--device cuda --sut transformers: one GPU; a server that --sut serve starts: --server-args",
    ),
    **{
        name: (
            f'--server-args "{name} …": options of the server that --sut serve starts',
            f"--url URL: the server there was started with its own {name}",
        )
        for name in _OF_SERVERS
    },
    "--max-num-seqs": '--batch N; of a server --max-in-flight N, or --sut serve --server-args "--max-num-seqs N"',
    **dict.fromkeys(("--rate", "--rps", "--target-qps"), ("--target-qps QPS", "--rate QPS")),
    **dict.fromkeys(
        ("--concurrency", "--batch", "--batch-size", "--max-in-flight"),
        ("--batch N; of a server --max-in-flight N", "--concurrency N"),
    ),
    "--url": "the URL without an option: `assay probe URL`; `assay bench`, `assay load` and `assay tune` have --url",
    "--goodput": "`assay load` has --goodput; in a run the round's limits count",
    **dict.fromkeys(("--quantization", "--quant"), "--precision TYPE"),
    **dict.fromkeys(
        ("--duration", "--min-duration", "--time", "--max-seconds"), ("--min-duration T", "--duration T")
    ),
    **dict.fromkeys(("--format", "--output-format", "--output-type"), "--json"),
    **dict.fromkeys(("--dataset-name", "--input-file"), "--dataset FILE"),
    **dict.fromkeys(("--docker", "--podman"), "--container docker, or --container podman"),
    **dict.fromkeys(
        ("--fail-under", "--strict", "--check"), "--gate: exit 1 for a missed target or an INVALID run"
    ),
    **dict.fromkeys(("--tags", "--adr", "--add_deps_recursive", "--env", "--docker_cache"), _RECIPE),
}
"""An option that we have not -> what does it here; of several the first that the verb has."""


def option(word: str, known: Container[str]) -> str:
    """What to type instead of an option, in a verb with the options `known`; empty where nothing fits. A hint that
    begins with an option fits the verbs that have it."""
    said = OPTIONS.get(word.lower(), ())
    hints = (said,) if isinstance(said, str) else said
    firsts = ((hint, hint.partition(" ")[0].rstrip(":")) for hint in hints)
    return next((hint for hint, first in firsts if not first.startswith("--") or first in known), "")


VERBS = {
    "serve": _SERVER,
    **dict.fromkeys(("resume", "continue", "rerun"), _AGAIN),
    **dict.fromkeys(("view", "open"), "`assay report RUN --html FILE` shows a run again"),
    **dict.fromkeys(("diff", "regression"), "`assay compare A B` holds two runs side by side"),
    **dict.fromkeys(("benchmark", "eval", "evaluate", "measure"), "assay bench"),
    "dry-run": "assay plan",
    "gate": "assay bench --gate",
    "validate": "assay check DIR",
    **dict.fromkeys(
        ("download", "fetch"),
        "`assay run script --tags=get,ml-model,mixtral` fetches; `assay plan` says how much",
    ),
    "clean": "`assay cache clear`; of recipes `assay rm cache -f`",
    **dict.fromkeys(
        ("config", "configure", "settings"), "assay bench --config FILE; variables: docs/environment.md"
    ),
    **dict.fromkeys(("runs", "trend"), "`assay history` lists the runs in ./assay-runs"),
    **dict.fromkeys(("upgrade", "self-update"), "pip install --upgrade assay-bench"),
    **dict.fromkeys(("models", "workloads", "rounds", "suts"), "assay list"),
}
