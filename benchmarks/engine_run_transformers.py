"""transformers on a workload; --batch 1 --dtype float32 is what the reference implementation runs."""

from __future__ import annotations

from typing import Any

from engine_record import Item, arguments, measured, read_workload, record


def main() -> None:
    args = arguments("Run transformers' generate on a workload.").parse_args()
    import torch
    import transformers

    torch.set_num_threads(args.threads)
    model = transformers.AutoModelForCausalLM.from_pretrained(args.model, dtype=getattr(torch, args.dtype))
    model.generation_config.eos_token_id = None
    items = read_workload(args.workload, args.limit)
    with measured() as found, torch.inference_mode():
        for first in range(0, len(items), args.batch):
            generate(model, items[first : first + args.batch])
    record(args, f"transformers {transformers.__version__}", items, found)


def generate(model: Any, group: list[Item]) -> None:
    """One padded batch, run to its longest output: `generate` knows no length per request."""
    import torch

    width = max(len(item.prompt) for item in group)
    ids = torch.tensor([[0] * (width - len(item.prompt)) + list(item.prompt) for item in group])
    mask = torch.tensor([[0] * (width - len(item.prompt)) + [1] * len(item.prompt) for item in group])
    new = max(item.new for item in group)
    out = model.generate(ids, attention_mask=mask, do_sample=False, max_new_tokens=new, pad_token_id=0)
    assert out.shape[1] == width + new, "generation ended early"


if __name__ == "__main__":
    main()
