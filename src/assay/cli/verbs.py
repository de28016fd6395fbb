"""The verbs of the command line: one table, and the help made from it."""

from __future__ import annotations

# verb -> module in assay.cli, one line of help
VERBS: dict[str, tuple[str, str]] = {
    "bench": ("bench", "run a benchmark: LoadGen, accuracy, report, checked submission tree"),
    "plan": ("plan", "what bench would do: bytes, disk, memory, minutes, blockers; runs nothing"),
    "tune": ("tune", "find the highest Server rate that LoadGen calls VALID, and run at it"),
    "load": ("load", "throughput against latency of a server, without LoadGen: closed loops, fixed rates"),
    "score": ("score", "score an mlperf_log_accuracy.json: ROUGE, GSM8K, MBXP, tokens per sample"),
    "dataset": ("dataset", "inspect, convert or build a dataset in the official schema"),
    "report": ("report", "show a run again: summary, and with --html one page with plots"),
    "compare": ("compare", "two runs side by side: settings, speed, accuracy; a gate for regressions"),
    "answers": ("answers", "what a run was asked, what it answered, what is true, and the verdict"),
    "import": ("import_verb", "a record of LoadGen, vllm bench, guidellm or AIPerf as a run folder"),
    "history": ("history", "the runs below a folder, the oldest first"),
    "doctor": ("doctor", "what this machine can and cannot do here, with the fix for each"),
    "model": ("model", "make a Mixtral checkpoint: upcycle a dense model, or random weights"),
    "submit": ("submit", "build a submission tree from run folders"),
    "check": ("check", "check a submission tree against the rules of its round"),
    "compliance": ("compliance", "run and verify the compliance tests of a run"),
    "audit": ("audit", "hold a published report or submission against the rules and its own logs"),
    "explain": ("explain", "what a finding code means, where the rule stands and how to fix it"),
    "rules": ("rules", "targets, limits, counts and seeds of a round, with sources"),
    "probe": ("probe", "what a server is and can do: exact tokens, caches, and what follows for MLPerf"),
    "mock": ("mock", "a server without a model that answers as its script says, for tests of clients"),
    "parity": ("parity", "compare the engine's tokens with Hugging Face transformers"),
    "list": (
        "choices",
        "the workloads, rounds, SUTs, scenarios, precisions and styles that can be asked for",
    ),
    "cache": ("cache", "what lies in Assay's store, and how large it is; clear it"),
    "completion": ("completion", "a script that completes verbs, options and values in bash, zsh or fish"),
    "man": ("man", "a man page, of all verbs or of one"),
    "recipe": ("recipe", "plan, explain, why, lint and reproduce for CM/MLC recipes"),
}
_CM_VERBS = """
add checkout cm cmr cmrd copy cp delete detect doc docker docker-run dockerfile download-file find get-host-os-info
gui help import info init lint list list-files-recursively load ls mark-tmp mlc mlcd mlce mlcp mlcr mlct move mv pack
prepare print-input prune pull reindex ren rename rm run search show system test uid unpack unzip-file update verify
where ximport
"""
CM_VERBS = frozenset([*_CM_VERBS.split(), *_CM_VERBS.replace("-", "_").split()])
USAGE = "usage: assay VERB [options]      assay VERB --help for the options of one verb"


def help_text() -> str:
    lines = [
        "Assay: MLPerf Inference for language models, from one command to a checked submission.",
        "",
        USAGE,
        "",
    ]
    lines += [f"  {verb:<11} {text}" for verb, (_, text) in VERBS.items()]
    lines += [
        f"  {'version':<11} print the version",
        "",
        "CM and MLC command lines work as they stand, with `assay` for `cm`:",
        "  assay pull repo OWNER@NAME --checkout=SHA      assay run script --tags=detect,os",
        "  assay rm cache -f                              assay mlcr detect,os",
        "",
        "exit codes: 0 done, 1 findings with errors, 2 usage or config, 3 environment, 4 run failed,",
        "            70 a bug in Assay, 130 interrupted; CM verbs give CM's codes",
    ]
    return "\n".join(lines)
