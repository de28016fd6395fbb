"""The benchmark's checkpoint as OpenVINO IR; runs in the Python that has optimum-intel."""

from __future__ import annotations

import argparse
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description="Export a checkpoint to OpenVINO IR.")
    parser.add_argument("--model", type=Path, required=True, help="checkpoint folder")
    parser.add_argument("--out", type=Path, required=True, help="folder of the IR")
    parser.add_argument(
        "--bits", type=int, choices=(8,), help="round the weights; without it they stay as they are"
    )
    args = parser.parse_args()
    from optimum.intel import OVModelForCausalLM, OVWeightQuantizationConfig

    rounding = OVWeightQuantizationConfig(bits=args.bits, sym=False) if args.bits else None
    model = OVModelForCausalLM.from_pretrained(
        args.model, export=True, compile=False, load_in_8bit=False, quantization_config=rounding
    )
    model.save_pretrained(args.out)


if __name__ == "__main__":
    main()
