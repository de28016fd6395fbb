"""llama3.1-405b: Llama-3.1-405B-Instruct over long texts, as MLPerf Inference defines it (v5.0 to v6.0)."""

from __future__ import annotations

from assay.config import Scenario
from assay.mlperf.workloads.datasets import question_build
from assay.mlperf.workloads.datasets.llama3_1_405b_rows import SCHEMA
from assay.mlperf.workloads.scorers.llama3_1_405b_scorers import SCORERS, official_results
from assay.mlperf.workloads.workload import DatasetFile, PublishedModel, Workload

MODEL = PublishedModel(
    # Source: mlcommons/inference, language/llama3.1-405b/README.md.
    source="hf:meta-llama/Llama-3.1-405B-Instruct@be673f326cab4cd22ccfef76109faf68e41aa5f1",
    # Counted from its configuration: 126 layers of 3,187,703,808, two embeddings of 2,101,346,304, last norm 16,384.
    parameters=405_853_388_800,
    # Source: config.json of meta-llama/Llama-3.1-405B-Instruct.
    config={
        "model_type": "llama",
        "vocab_size": 128256,
        "hidden_size": 16384,
        "intermediate_size": 53248,
        "num_hidden_layers": 126,
        "num_attention_heads": 128,
        "num_key_value_heads": 8,
        "rope_theta": 500000.0,
        "rms_norm_eps": 1e-5,
        "max_position_embeddings": 131072,
        "tie_word_embeddings": False,
        "bos_token_id": 128000,
        "eos_token_id": [128001, 128008, 128009],
    },
)

_FILE = "mlperf_llama3.1_405b_{}_processed_fp16_eval.pkl"
DATASET_FILES = (
    DatasetFile.in_folder(_FILE.format("dataset_8313"), "llama3-1-405b-dataset-8313"),
    DatasetFile.in_folder(
        _FILE.format("calibration_dataset_512"), "llama3-1-405b-calibration-dataset-512", is_calibration=True
    ),
)

WORKLOAD = Workload(
    name="llama3.1-405b",
    description="Llama-3.1-405B-Instruct (405.9 B parameters), 8,313 long texts to summarise, search and answer from",
    schema=SCHEMA,
    scorers=SCORERS,
    official_results=official_results,
    # LoadGen's keys have no dots.
    loadgen_keys={
        Scenario.OFFLINE: "llama3_1-405b",
        Scenario.SERVER: "llama3_1-405b",
        Scenario.INTERACTIVE: "llama3_1-405b-interactive",
    },
    has_loadgen_settings=True,
    # Its end of a turn. Source: generation_config.json of the model, which lists 128001, 128008 and 128009.
    eos_id=128009,
    # Source: inference_rules, bandwidth appendix.
    prompt_tokens_max=20000,
    more_eos_ids=(128001, 128008),
    model=MODEL,
    dataset_files=DATASET_FILES,
    checkpoint_hint=(
        "--checkpoint DIR: a folder with config.json, *.safetensors and the tokenizer "
        "(meta-llama/Llama-3.1-405B-Instruct on the Hugging Face hub)"
    ),
    dataset_hint=(
        "--dataset FILE (.pkl, .parquet or .jsonl): mlperf_llama3.1_405b_dataset_8313_processed_fp16_eval.pkl of the "
        "MLPerf reference, or a set of your own in its schema"
    ),
    builder=question_build.builder("gt_output", "tok_input", "metric", "input"),
    defaults={"precision": "bfloat16"},
)
