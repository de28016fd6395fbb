"""gptj at 99 and 99.9 %: GPT-J 6B, tuned to it, summarises CNN/DailyMail by beam search, in rounds v4.0 to v5.0."""

from __future__ import annotations

from dataclasses import replace

from assay.config import Scenario
from assay.mlperf.workloads.datasets import cnndm
from assay.mlperf.workloads.scorers import summaries
from assay.mlperf.workloads.workload import STORAGE, Decoding, PublishedModel, Workload

MODEL = PublishedModel(
    # GPT-J as MLCommons tuned it. Source: mlperf-automations, get-ml-model-gptj.
    source=f"{STORAGE}/metadata/gpt-j-model-checkpoint.uri",
    # Source: the card of EleutherAI/gpt-j-6b.
    parameters=6_050_882_784,
    config={"model_type": "gptj"},
    # Published in float32.
    stored_bytes=24_203_531_136,
    # 28 layers of 16 heads of 256, keys and values. Source: config.json of EleutherAI/gpt-j-6b.
    kv_bytes_per_token=28 * 2 * 4096 * 2,
)

INSTRUCTION = "Summarize the following news article:"
# The form of Alpaca, with an input. Source: dataset.py and download_cnndm.py of the gpt-j reference.
TEMPLATE = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request.\n\n"
    f"### Instruction:\n{INSTRUCTION}\n\n### Input:\n{{input}}\n\n### Response:"
)
# 2,048 positions without 128 new tokens and one. Source: tokenizer_GPTJ.py of the reference, which cuts there.
PROMPT = cnndm.ArticlePrompt(TEMPLATE, INSTRUCTION, 1919, is_cut=True)

_AT_99 = Workload(
    name="gptj-99",
    description="GPT-J 6B at 99 % of its accuracy, 13,368 news articles to summarise by beam search",
    schema=cnndm.schema("gptj-99"),
    scorers=(summaries.TEXTS,),
    official_results=summaries.of_text,
    loadgen_keys=dict.fromkeys((Scenario.OFFLINE, Scenario.SERVER, Scenario.SINGLE_STREAM), "gptj"),
    has_loadgen_settings=True,
    # The only number of beams that the closed division allows. Source: inference_rules, GPT-J.
    decoding=Decoding(beams=4),
    eos_id=50256,
    prompt_tokens_max=PROMPT.most_tokens,
    model=MODEL,
    mean_answer_tokens={"": 69},
    checkpoint_hint=(
        "--checkpoint DIR: a folder with config.json, *.safetensors and the tokenizer (GPT-J 6B as MLCommons tuned it)"
    ),
    dataset_hint=(
        "--dataset FILE: a set made by `assay dataset build --workload gptj-99 --texts cnn_eval.json`; the official "
        "file holds texts without tokens"
    ),
    builder=cnndm.builder(PROMPT),
)

WORKLOADS = (
    _AT_99,
    replace(_AT_99, name="gptj-99.9", description=_AT_99.description.replace("at 99 %", "at 99.9 %")),
)
