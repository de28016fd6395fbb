"""vLLM's CPU build on a workload; with zentorch on PYTHONPATH it runs on that platform and says so.

--dtype int8 needs the W8A8 checkpoint (engine_forms.py): what is not int8 there is computed in bfloat16.
"""

from __future__ import annotations

import os

from engine_record import arguments, measured, read_workload, record, warm_up


def main() -> None:
    args = arguments("Run vLLM on a workload.").parse_args()
    os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "2")
    os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", f"0-{args.threads - 1}")
    os.environ.setdefault("VLLM_CPU_NUM_OF_RESERVED_CPU", "0")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
    import vllm
    from vllm.platforms import current_platform

    model = vllm.LLM(
        str(args.model),
        dtype="bfloat16" if args.dtype == "int8" else args.dtype,
        max_num_seqs=args.batch,
        max_model_len=2048,
        enforce_eager=True,
        enable_prefix_caching=False,
        skip_tokenizer_init=True,
        seed=0,
    )
    items = read_workload(args.workload, args.limit)
    prompts = [{"prompt_token_ids": list(item.prompt)} for item in items]
    rules = [
        vllm.SamplingParams(
            temperature=0, ignore_eos=True, min_tokens=item.new, max_tokens=item.new, detokenize=False
        )
        for item in items
    ]
    short = vllm.SamplingParams(temperature=0, ignore_eos=True, max_tokens=4, detokenize=False)
    prompts_short = [{"prompt_token_ids": list(item.prompt)} for item in warm_up(items)]
    model.generate(prompts_short, short, use_tqdm=False)
    with measured() as found:
        answers = model.generate(prompts, rules, use_tqdm=False)
    assert [len(a.outputs[0].token_ids) for a in answers] == [item.new for item in items]
    record(args, f"vllm {vllm.__version__}", items, found, platform=type(current_platform).__name__)


if __name__ == "__main__":
    main()
