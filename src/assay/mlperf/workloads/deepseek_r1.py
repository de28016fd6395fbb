"""deepseek-r1: DeepSeek-R1 over AIME, MATH-500, GPQA, MMLU-Pro and LiveCodeBench, as MLPerf Inference defines it."""

from __future__ import annotations

from assay.config import Scenario
from assay.mlperf.workloads.datasets import question_build
from assay.mlperf.workloads.datasets.deepseek_rows import SCHEMA
from assay.mlperf.workloads.scorers.deepseek_scorers import SCORERS, official_results
from assay.mlperf.workloads.workload import DatasetFile, PublishedModel, Workload

MODEL = PublishedModel(
    # Source: mlcommons/inference, language/deepseek-r1/README.md.
    source="hf:deepseek-ai/DeepSeek-R1@56d4cbbb4d29f4355bab4b9a39ccb717a14ad5ad",
    # Source: the model's own card.
    parameters=671_000_000_000,
    config={"model_type": "deepseek_v3"},
    # Published in FP8 with a head for speculative decoding beside them. Source: the files of the model's own page.
    stored_bytes=688_600_000_000,
    # 61 layers of one latent of 512 and one rotary key of 64. Source: config.json, kv_lora_rank, qk_rope_head_dim.
    kv_bytes_per_token=61 * (512 + 64) * 2,
)

DATASET_FILES = (
    DatasetFile.in_folder(
        "mlperf_deepseek_r1_dataset_4388_fp8_eval.pkl", "deepseek-r1-dataset-4388-fp8-eval"
    ),
    DatasetFile.in_folder(
        "mlperf_deepseek_r1_calibration_dataset_500_fp8_eval.pkl",
        "deepseek-r1-calibration-dataset-500-fp8-eval",
        is_calibration=True,
    ),
)

WORKLOAD = Workload(
    name="deepseek-r1",
    description="DeepSeek-R1 (671 B parameters), 4,388 questions with one right answer each",
    schema=SCHEMA,
    scorers=SCORERS,
    official_results=official_results,
    loadgen_keys={
        Scenario.OFFLINE: "deepseek-r1",
        Scenario.SERVER: "deepseek-r1",
        Scenario.INTERACTIVE: "deepseek-r1-interactive",
    },
    has_loadgen_settings=True,
    # Source: tokenizer of DeepSeek-R1; TEST06 is asked about this id, not about its usual 2.
    eos_id=1,
    # Source: inference_rules, bandwidth appendix.
    prompt_tokens_max=3136,
    model=MODEL,
    dataset_files=DATASET_FILES,
    checkpoint_hint="--checkpoint DIR: a folder with config.json, *.safetensors and the tokenizer of DeepSeek-R1",
    dataset_hint=(
        "--dataset FILE (.pkl, .parquet or .jsonl): mlperf_deepseek_r1_dataset_4388_fp8_eval.pkl of the MLPerf "
        "reference, or a set of your own in its schema"
    ),
    builder=question_build.builder("ground_truth", "tok_input", "dataset"),
    defaults={"precision": "bfloat16"},
)
