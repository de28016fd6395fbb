"""mixtral-8x7b: Mixtral-8x7B-Instruct-v0.1 over OpenOrca, GSM8K and MBXP, as MLPerf Inference defines it."""

from __future__ import annotations

from assay.mlperf.workload import Workload

WORKLOAD = Workload(
    name="mixtral-8x7b",
    loadgen_key="mixtral-8x7b",
    official="mixtral-8x7b",
    description="Mixtral-8x7B-Instruct-v0.1 (46.7 B parameters), 15,000 samples of OpenOrca, GSM8K and MBXP",
    checkpoint_hint=(
        "--checkpoint DIR: a folder with config.json, *.safetensors and the tokenizer "
        "(mistralai/Mixtral-8x7B-Instruct-v0.1 on the Hugging Face hub, 93 GB), "
        "or a small stand-in made by `assay model upcycle`"
    ),
    dataset_hint=(
        "--dataset FILE (.pkl, .parquet or .jsonl): 09292024_mixtral_15k_mintoken2_v1.pkl of the MLPerf "
        "reference, or a set of your own made by `assay dataset build`"
    ),
    is_embedded=False,
    test_samples=10,
    eos_id=2,
    # As the hub holds it; float32 would take 187 GB for weights that were rounded to 16 bits when published.
    defaults={"precision": "bfloat16"},
)
