"""gpt-oss-120b over AIME, GPQA and LiveCodeBench, as MLPerf Inference defines it (from v6.0).

Accuracy and performance have a data set each.
"""

from __future__ import annotations

from assay.config import Scenario
from assay.mlperf.workloads.datasets import question_build
from assay.mlperf.workloads.datasets.gpt_oss_rows import SCHEMA
from assay.mlperf.workloads.scorers.gpt_oss_scorers import SCORERS
from assay.mlperf.workloads.workload import DatasetFile, Decoding, PublishedModel, Workload

MODEL = PublishedModel(
    # Source: mlcommons/inference, language/gpt-oss-120b/README.md.
    source="hf:openai/gpt-oss-120b@b5c939de8f754692c1647ca79fbf85e8c1e70f8a",
    # Source: the model's own card.
    parameters=117_000_000_000,
    config={"model_type": "gpt_oss"},
    # Published in MXFP4, 60.8 GiB. Source: the model's own card.
    stored_bytes=65_300_000_000,
    # 36 layers of 8 heads of 64, keys and values. Source: config.json; every second layer looks at 128 tokens only,
    # which is not taken off.
    kv_bytes_per_token=36 * 2 * 8 * 64 * 2,
)

# One folder holds all three. The last is that of TEST07.
DATASET_FILES = tuple(
    DatasetFile.in_folder(name, "gpt-oss-data")
    for name in ("perf_eval_ref.parquet", "acc_eval_inputs.parquet", "acc_eval_compliance_gpqa.parquet")
)

WORKLOAD = Workload(
    name="gpt-oss-120b",
    description="gpt-oss-120b (117 B parameters), 4,395 questions for accuracy and 6,396 prompts for performance",
    schema=SCHEMA,
    scorers=SCORERS,
    loadgen_keys={
        Scenario.OFFLINE: "gpt-oss-120b",
        Scenario.SERVER: "gpt-oss-120b",
        Scenario.INTERACTIVE: "gpt-oss-120b-interactive",
    },
    has_loadgen_settings=True,
    # <|return|>. Source: generation_config.json of the model.
    eos_id=200002,
    # Source: inference_rules, bandwidth appendix; the prompts of performance runs.
    prompt_tokens_max=15330,
    # Source: language/gpt-oss-120b/generation_config.json of the reference.
    decoding=Decoding(temperature=1.0, top_p=1.0, top_k=0),
    model=MODEL,
    dataset_files=DATASET_FILES,
    checkpoint_hint="--checkpoint DIR: a folder with config.json, *.safetensors and the tokenizer of gpt-oss-120b",
    dataset_hint=(
        "--dataset perf_eval_ref.parquet --accuracy-dataset acc_eval_inputs.parquet (of the MLPerf reference), or sets "
        "of your own in their schema"
    ),
    builder=question_build.builder("ground_truth", "input_tokens", "dataset", has_two_sets=True),
    defaults={"precision": "bfloat16"},
)
