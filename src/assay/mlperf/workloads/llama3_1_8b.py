"""llama3.1-8b and llama3.1-8b-edge: Llama-3.1-8B-Instruct summarises CNN/DailyMail, as MLPerf Inference defines it."""

from __future__ import annotations

from dataclasses import replace

from assay.config import Scenario
from assay.mlperf.workloads.datasets import cnndm
from assay.mlperf.workloads.scorers import summaries
from assay.mlperf.workloads.workload import DatasetFile, PublishedModel, Workload

MODEL = PublishedModel(
    # The README of llama3.1-8b names a revision of the 405B model; this one is the 8B model's newest.
    source="hf:meta-llama/Llama-3.1-8B-Instruct@0e9e39f249a16976918f6564b8830bc894c89659",
    # Counted from its configuration: 32 layers of 218,112,000, two embeddings of 525,336,576, last norm 4,096.
    parameters=8_030_261_248,
    # Source: config.json of meta-llama/Llama-3.1-8B-Instruct.
    config={
        "model_type": "llama",
        "vocab_size": 128256,
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "rope_theta": 500000.0,
        "rms_norm_eps": 1e-5,
        "max_position_embeddings": 131072,
        "tie_word_embeddings": False,
        "bos_token_id": 128000,
        "eos_token_id": [128001, 128008, 128009],
    },
)
CALIBRATION = DatasetFile.in_folder(
    "cnn_dailymail_calibration.json", "llama3-1-8b-cnn-dailymail-calibration", is_calibration=True
)
# Source: download_cnndm.py of the llama3.1-8b reference; plain text without a chat template.
TEMPLATE = (
    "Summarize the following news article in 128 tokens. Please output the summary only, without any other text."
    "\n\nArticle:\n{input}\n\nSummary:"
)
# 8,000 is the reference's tokenizer limit. Source: download_cnndm.py.
PROMPT = cnndm.ArticlePrompt(TEMPLATE, {"llama": TEMPLATE}, 8000)

WORKLOAD = Workload(
    name="llama3.1-8b",
    description="Llama-3.1-8B-Instruct (8.0 B parameters), 13,368 news articles to summarise",
    schema=cnndm.schema("llama3.1-8b"),
    scorers=(summaries.TEXTS,),
    official_results=summaries.of_text,
    # LoadGen's keys have no dots.
    loadgen_keys={
        Scenario.OFFLINE: "llama3_1-8b",
        Scenario.SERVER: "llama3_1-8b",
        Scenario.INTERACTIVE: "llama3_1-8b-interactive",
    },
    has_loadgen_settings=True,
    # Its end of a turn. Source: generation_config.json of the model, which lists 128001, 128008 and 128009.
    eos_id=128009,
    prompt_tokens_max=PROMPT.most_tokens,
    more_eos_ids=(128001, 128008),
    model=MODEL,
    dataset_files=(DatasetFile.in_folder("cnn_eval.json", "llama3-1-8b-cnn-eval"), CALIBRATION),
    mean_answer_tokens={"": 128},
    checkpoint_hint=(
        "--checkpoint DIR: a folder with config.json, *.safetensors and the tokenizer "
        "(meta-llama/Llama-3.1-8B-Instruct on the Hugging Face hub, 16 GB)"
    ),
    dataset_hint=(
        "--dataset FILE: cnn_eval.json of the MLPerf reference, or a set of your own made by "
        "`assay dataset build --workload llama3.1-8b`"
    ),
    builder=cnndm.builder(PROMPT),
    defaults={"precision": "bfloat16"},
)

EDGE = replace(
    WORKLOAD,
    name="llama3.1-8b-edge",
    description="Llama-3.1-8B-Instruct on edge systems, 5,000 news articles to summarise",
    schema=cnndm.schema("llama3.1-8b-edge"),
    loadgen_keys=dict.fromkeys((Scenario.OFFLINE, Scenario.SINGLE_STREAM), "llama3_1-8b-edge"),
    dataset_files=(
        DatasetFile.in_folder("sample_cnn_eval_5000.json", "llama3-1-8b-sample-cnn-eval-5000"),
        CALIBRATION,
    ),
    dataset_hint=(
        "--dataset FILE: sample_cnn_eval_5000.json of the MLPerf reference, or a set of your own made by "
        "`assay dataset build --workload llama3.1-8b-edge`"
    ),
)
