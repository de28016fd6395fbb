"""Assay's engine on a workload: `run_assay.py --model DIR --workload FILE --dtype bfloat16 --batch 256`."""

from __future__ import annotations

from assay.config import Precision
from assay.engine.api import Engine
from assay.engine.config import EngineConfig
from assay.engine.sequence import EngineRequest
from engine_record import Item, arguments, measured, read_workload, record, warm_up


def main() -> None:
    parser = arguments("Run Assay's engine on a workload with forced output lengths.")
    parser.add_argument("--token-budget", type=int, default=1024)
    parser.add_argument("--kernels", default="auto")
    args = parser.parse_args()
    items = read_workload(args.workload, args.limit)
    config = EngineConfig(
        args.model,
        Precision(args.dtype),
        max_running=args.batch,
        token_budget=max(args.batch, args.token_budget),
        kernels=args.kernels,
        threads=args.threads,
    )
    engine = Engine(config)
    list(engine.generate(requests(warm_up(items))))
    engine.meter.reset()
    with measured() as found:
        lengths = {answer.id: len(answer.tokens) for answer in engine.generate(requests(items))}
    assert lengths == {i: item.new for i, item in enumerate(items)}, "an answer of another length"
    insight = engine.insight()
    insight.pop("tokens_per_expert")
    record(args, f"assay ({engine.ops.name})", items, found, insight=insight)


def requests(items: list[Item]) -> list[EngineRequest]:
    return [EngineRequest(i, item.prompt, item.new, item.new) for i, item in enumerate(items)]


if __name__ == "__main__":
    main()
