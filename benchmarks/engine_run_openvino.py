"""OpenVINO GenAI's continuous batching on a workload; --model is an IR folder (engine_to_openvino.py)."""

from __future__ import annotations

from typing import Any

from engine_record import Item, arguments, measured, read_workload, record, warm_up


def main() -> None:
    args = arguments("Run OpenVINO GenAI on a workload.").parse_args()
    import openvino_genai as genai

    rules = genai.SchedulerConfig()
    rules.cache_size = 2  # GB of KV, as vLLM gets
    rules.max_num_seqs = args.batch
    rules.max_num_batched_tokens = max(args.batch, 1024)
    rules.dynamic_split_fuse = True
    rules.enable_prefix_caching = False
    limits = {"INFERENCE_PRECISION_HINT": "bf16", "INFERENCE_NUM_THREADS": args.threads}
    limits |= {"PERFORMANCE_HINT": "THROUGHPUT", "NUM_STREAMS": "1"}
    pipeline = genai.ContinuousBatchingPipeline(str(args.model), rules, "CPU", limits)
    items = read_workload(args.workload, args.limit)
    generate(pipeline, warm_up(items))
    with measured() as found:
        generate(pipeline, items)
    record(args, f"openvino-genai {genai.__version__}", items, found)


def generate(pipeline: Any, items: list[Item]) -> None:
    import numpy as np
    import openvino
    import openvino_genai as genai

    def forced(new: int) -> Any:
        rule = genai.GenerationConfig()
        rule.max_new_tokens = rule.min_new_tokens = new
        rule.ignore_eos, rule.do_sample = True, False
        return rule

    prompts = [openvino.Tensor(np.array([item.prompt], dtype=np.int64)) for item in items]
    answers = pipeline.generate(prompts, [forced(item.new) for item in items])
    assert [len(a.m_generation_ids[0]) for a in answers] == [item.new for item in items]


if __name__ == "__main__":
    main()
