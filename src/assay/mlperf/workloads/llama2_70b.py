"""llama2-70b at 99 and 99.9 %: Llama-2-70b-chat answers questions of OpenOrca, as MLPerf Inference defines it.

In round v5.0 its Interactive limits are benchmarks of their own, llama2-70b-interactive-99 and -99.9; from v5.1 on a
scenario.
"""

from __future__ import annotations

from dataclasses import replace

from assay.config import Scenario
from assay.mlperf.workloads.datasets import openorca
from assay.mlperf.workloads.scorers import summaries
from assay.mlperf.workloads.workload import DatasetFile, PublishedModel, Workload

MODEL = PublishedModel(
    source="hf:meta-llama/Llama-2-70b-chat-hf@e9149a12809580e8602995856f8098ce973d1080",
    # Counted from its configuration: 80 layers of 855,654,400, two embeddings of 262,144,000, last norm 8,192.
    parameters=68_976_648_192,
    # Source: config.json of meta-llama/Llama-2-70b-chat-hf.
    config={
        "model_type": "llama",
        "vocab_size": 32000,
        "hidden_size": 8192,
        "intermediate_size": 28672,
        "num_hidden_layers": 80,
        "num_attention_heads": 64,
        "num_key_value_heads": 8,
        "rope_theta": 10000.0,
        "rms_norm_eps": 1e-5,
        "max_position_embeddings": 4096,
        "tie_word_embeddings": False,
        "bos_token_id": 1,
        "eos_token_id": 2,
    },
)
_FOLDER = "llama-2-70b-open-orca-dataset"
DATASET_FILES = (
    DatasetFile.in_folder("open_orca_gpt4_tokenized_llama.sampled_24576.pkl", _FOLDER),
    DatasetFile.in_folder(
        "open_orca_gpt4_tokenized_llama.calibration_1000.pkl", _FOLDER, is_calibration=True
    ),
)
KEY, INTERACTIVE_KEY = "llama2-70b", "llama2-70b-interactive"

_AT_99 = Workload(
    name="llama2-70b-99",
    description="Llama-2-70b-chat (69.0 B parameters) at 99 % of its accuracy, 24,576 questions of OpenOrca",
    schema=openorca.SCHEMA,
    scorers=(summaries.TEXTS, summaries.TOKENS),
    official_results=summaries.of_tokens,
    loadgen_keys={Scenario.OFFLINE: KEY, Scenario.SERVER: KEY, Scenario.INTERACTIVE: INTERACTIVE_KEY},
    has_loadgen_settings=True,
    eos_id=2,
    # Source: processorca.py of the reference, which leaves longer ones out.
    prompt_tokens_max=1024,
    builder=openorca.BUILDER,
    model=MODEL,
    dataset_files=DATASET_FILES,
    # Source: the README of llama2-70b, tokens per sample of the reference.
    mean_answer_tokens=dict.fromkeys(("cot", "flan", "niv", "t0", "own", ""), 294),
    checkpoint_hint=(
        "--checkpoint DIR: a folder with config.json, *.safetensors and the tokenizer "
        "(meta-llama/Llama-2-70b-chat-hf on the Hugging Face hub, 138 GB)"
    ),
    dataset_hint=(
        "--dataset FILE: open_orca_gpt4_tokenized_llama.sampled_24576.pkl of the MLPerf reference, or a set of your "
        "own made by `assay dataset build --workload llama2-70b-99`"
    ),
    defaults={"precision": "float16"},
)
_AT_99_9 = replace(
    _AT_99, name="llama2-70b-99.9", description=_AT_99.description.replace("at 99 %", "at 99.9 %")
)
_INTERACTIVE = dict.fromkeys((Scenario.OFFLINE, Scenario.SERVER), INTERACTIVE_KEY)

WORKLOADS = (
    _AT_99,
    _AT_99_9,
    replace(_AT_99, name="llama2-70b-interactive-99", loadgen_keys=_INTERACTIVE),
    replace(_AT_99_9, name="llama2-70b-interactive-99.9", loadgen_keys=_INTERACTIVE),
)
