"""Words that users of other tools type: other names of our options, and hints for verbs and options that have other
names here."""

from __future__ import annotations

_SERVER = "`assay bench WORKLOAD --sut endpoint --url URL` measures a running server; --sut serve starts one"
_RECIPE = "that is CM's dialect: `assay run script --tags=…`; here the words are `assay bench --help`"
_AGAIN = (
    "`assay bench --resume RUN` goes on with a stopped run; "
    "`assay bench --config RUN/config.json` runs the same job again"
)

ALIASES = {
    "--samples": ("--limit", "--num-prompts", "--num-samples", "--max-samples", "-n"),
    "--out": ("--output-dir", "--output", "-o"),
    "--checkpoint": ("--model-path", "--model-dir"),
    "--dataset": ("--dataset-path", "--data-path"),
    "--target-qps": ("--request-rate", "--qps"),
    "--batch": ("--batch-size",),
    "--precision": ("--dtype",),
    "--yes": ("-y", "--assume-yes"),
    "--system-name": ("--system",),
}
"""Our option -> other names for it. They work in every verb that has the option and does not use the name itself."""

OPTIONS = {
    **dict.fromkeys(("--dry-run", "--plan"), "`assay plan` with the same options: what would be done"),
    "--list": "`assay list` shows what can be asked for",
    "--model": "WORKLOAD without an option, and its folder: `assay bench mixtral-8x7b --checkpoint DIR`",
    **dict.fromkeys(("--base-url", "--endpoint", "--target", "--host", "--port", "--api-key"), _SERVER),
    **dict.fromkeys(
        ("--debug", "--log-level"),
        "--verbose; RUN/logs holds all that the processes of a run have said",
    ),
    **dict.fromkeys(("--silent", "--no-progress"), "--quiet"),
    **dict.fromkeys(("--yes", "-y", "--force", "-f"), "leave it out: no question is asked"),
    **dict.fromkeys(("--resume", "--continue"), _AGAIN),
    "--seed": "--round: the round decides the seeds",
    **dict.fromkeys(
        ("--gpus", "--gpu", "--num-gpus", "--tensor-parallel-size", "--tp"),
        "--device cuda --sut transformers: one GPU",
    ),
    **dict.fromkeys(("--rate", "--rps"), "--target-qps QPS"),
    **dict.fromkeys(("--concurrency", "--max-num-seqs", "--max-concurrency"), "--batch N"),
    **dict.fromkeys(("--quantization", "--quant"), "--precision TYPE"),
    **dict.fromkeys(("--duration", "--time", "--max-seconds"), "--min-duration T"),
    **dict.fromkeys(("--format", "--output-format", "--output-type"), "--json"),
    **dict.fromkeys(("--dataset-name", "--input-file"), "--dataset FILE"),
    **dict.fromkeys(("--docker", "--podman"), "--container docker, or --container podman"),
    **dict.fromkeys(
        ("--fail-under", "--strict", "--check"), "--gate: exit 1 for a missed target or an INVALID run"
    ),
    **dict.fromkeys(("--tags", "--adr", "--add_deps_recursive", "--env", "--docker_cache"), _RECIPE),
}

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
