"""mixtral-8x7b: Mixtral-8x7B-Instruct-v0.1 over OpenOrca, GSM8K and MBXP, as MLPerf Inference defines it."""

from __future__ import annotations

from assay.config import Scenario
from assay.mlperf.workloads.datasets import mixtral_rows as rows
from assay.mlperf.workloads.datasets.mixtral_build import BUILDER
from assay.mlperf.workloads.scorers.mixtral_scorers import SCORERS, official_results
from assay.mlperf.workloads.workload import STORAGE, DatasetFile, PublishedModel, Workload

MODEL = PublishedModel(
    # The tokenizer changed after this revision. Source: mlcommons/inference, mixtral-8x7b.
    source="hf:mistralai/Mixtral-8x7B-Instruct-v0.1@a60832cb6c88d5cb6e507680d0e9996fbad77050",
    # Counted from its configuration: 32 layers of 1,451,270,144, embeddings 262,144,000, last norm 4,096.
    parameters=46_702_792_704,
    # Source: config.json of mistralai/Mixtral-8x7B-Instruct-v0.1.
    config={
        "model_type": "mixtral",
        "vocab_size": 32000,
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "num_local_experts": 8,
        "num_experts_per_tok": 2,
        "rope_theta": 1e6,
        "rms_norm_eps": 1e-5,
        "max_position_embeddings": 32768,
        "tie_word_embeddings": False,
        "bos_token_id": 1,
        "eos_token_id": 2,
    },
)

_CURRENT = "09292024_mixtral_15k_mintoken2_v1.pkl"
# Source: mlcommons/inference, language/mixtral-8x7b/README.md; MD5 is all that is published.
DATASET_FILES = (
    DatasetFile(_CURRENT, f"{STORAGE}/mixtral_8x7b/{_CURRENT}", None, size_bytes=71_000_000),
    DatasetFile(
        "2024.06.06_mixtral_15k_v4.pkl",
        f"{STORAGE}/mixtral_8x7b%2F2024.06.06_mixtral_15k_v4.pkl",
        "78823c13e0e73e518872105c4b09628b",
        superseded_by=_CURRENT,
        superseded_because=(
            "from round v5.0 on: four of its reference answers are empty, and its targets belong to v4.1"
        ),
    ),
    DatasetFile(
        "2024.06.06_mixtral_15k_calibration_v4.pkl",
        f"{STORAGE}/mixtral_8x7b%2F2024.06.06_mixtral_15k_calibration_v4.pkl",
        "75067c9fe5cb5baef216a4b124c61df1",
        is_calibration=True,
    ),
)

WORKLOAD = Workload(
    name="mixtral-8x7b",
    description="Mixtral-8x7B-Instruct-v0.1 (46.7 B parameters), 15,000 samples of OpenOrca, GSM8K and MBXP",
    schema=rows.SCHEMA,
    scorers=SCORERS,
    official_results=official_results,
    loadgen_keys=dict.fromkeys((Scenario.OFFLINE, Scenario.SERVER), "mixtral-8x7b"),
    has_loadgen_settings=True,
    eos_id=2,
    # Source: inference_rules, bandwidth appendix.
    prompt_tokens_max=2048,
    builder=BUILDER,
    model=MODEL,
    dataset_files=DATASET_FILES,
    # Source: the reference model, fp16, min_new_tokens 2.
    mean_answer_tokens={rows.GSM8K: 130, rows.OPENORCA: 206, rows.MBXP: 99},
    checkpoint_hint=(
        "--checkpoint DIR: a folder with config.json, *.safetensors and the tokenizer "
        "(mistralai/Mixtral-8x7B-Instruct-v0.1 on the Hugging Face hub, 93 GB), "
        "or a small stand-in made by `assay model upcycle`"
    ),
    dataset_hint=(
        "--dataset FILE (.pkl, .parquet or .jsonl): 09292024_mixtral_15k_mintoken2_v1.pkl of the MLPerf "
        "reference, or a set of your own made by `assay dataset build`"
    ),
    # As the hub holds it; float32 would take 187 GB for weights that were rounded to 16 bits when published.
    defaults={"precision": "bfloat16"},
)
