"""A report in the form that CM prints, written here: the same shape as published ones, other values."""

from __future__ import annotations

COMMAND = (
    "--tags=app,mlperf,inference,generic,_reference,_mixtral-8x7b,_pytorch,_cpu,_test,_r4.1-dev_default,_float16,_offline",
    "--quiet=true",
    "--env.CM_MLPERF_MODEL=mixtral-8x7b",
    "--env.CM_MLPERF_RUN_STYLE=test",
    "--env.CM_MLPERF_MODEL_PRECISION=float16",
    "--env.CM_TEST_QUERY_COUNT=2",
    "--env.CM_MLPERF_INFERENCE_VERSION=4.1-dev",
    "--env.CM_MLPERF_LOADGEN_SCENARIOS,=Offline",
    "--env.OUTPUT_BASE_DIR=/first",
    "--env.OUTPUT_BASE_DIR=/second",
    "--add_deps_recursive.submission-checker.tags=_short-run",
    "--adr.submission-checker.tags=_short-run",
    "--env.CM_DATASET_MIXTRAL_PREPROCESSED_PATH=/cache/mixtral%2F2024.06.06_mixtral_15k_v4.pkl",
)
ACCURACY = (
    "`TOKENS_PER_SAMPLE`: `300.5`, Required accuracy for closed division `>= 45.03619`",
    "`gsm8k_accuracy`: `50.0`, Required accuracy for closed division `>= 23.05007`",
    "`mbxp_accuracy`: `0.0`, Required accuracy for closed division `>= 30.05788`",
)
PERFORMANCE = "`Samples per second`: `0.5`"
RIGHT = (
    "`ROUGE1`: `45.2`, Required accuracy for closed division `>= 45.03619`",
    "`ROUGE2`: `23.1`, Required accuracy for closed division `>= 23.05007`",
    "`ROUGEL`: `30.1`, Required accuracy for closed division `>= 30.05788`",
    "`TOKENS_PER_SAMPLE`: `145.0`, Required accuracy for closed division `>= 131.31` and `<= 160.49`",
    "`gsm8k_accuracy`: `73.5`, Required accuracy for closed division `>= 73.0422`",
    "`mbxp_accuracy`: `60.0`, Required accuracy for closed division `>= 59.5188`",
)
RIGHT_COMMAND = (
    "--tags=app,mlperf,inference,generic,_reference,_mixtral-8x7b,_pytorch,_cpu,_valid,_float16,_offline",
    "--env.CM_MLPERF_MODEL=mixtral-8x7b",
    "--env.CM_MLPERF_INFERENCE_VERSION=4.1",
)


def report(
    command: tuple[str, ...] = COMMAND,
    accuracy: tuple[str, ...] = ACCURACY,
    performance: str = PERFORMANCE,
    precision: str = "fp32",
) -> str:
    lines = [
        "This experiment was made with an automation framework.",
        "",
        "## Host platform",
        "",
        "* OS version: Linux-test",
        "",
        "## CM Run Command",
        "",
        "```bash",
        "pip install -U cmind",
        "",
        "cm run script \\",
        *[f"\t{option} \\" for option in command[:-1]],
        f"\t{command[-1]}",
        "```",
        "",
        "## Results",
        "",
        "Platform: box-reference-cpu-pytorch-v2-default_config",
        "",
        f"Model Precision: {precision}",
        "",
        "### Accuracy Results ",
        *accuracy,
        "",
        "### Performance Results ",
        performance,
    ]
    return "\n".join(lines) + "\n"


def right() -> str:
    """A report without a fault: thresholds by name, upper limit, tokens/s, precision as asked."""
    return report(RIGHT_COMMAND, RIGHT, "`Tokens per second`: `0.5`", "float16")
