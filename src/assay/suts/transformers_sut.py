"""The trusted reference: a causal language model of Hugging Face transformers, greedy, any batch size.

Slow and plain on purpose; our engine is held against its tokens.
Source of the generation rules: mixtral-8x7b reference implementation and inference_rules (greedy, left padding,
pad = EOS; trailing EOS ids stripped, programs cut after their stop sequence, never fewer than two ids).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any

from assay.ground import files, model_folder, scratch
from assay.ground.errors import ConfigError
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.interface import LEAST_TOKENS, Answer, FirstToken, Query, Sink, SutSpec, Used
from assay.mlperf.workloads.workload import Generation
from assay.suts import device_map, transformers_load
from assay.suts.transformers import DEFAULT_BATCH, KIND
from assay.suts.worker import Worker

SPEAK_EVERY_S = 30.0
"""A batch answers all at once, at its end; until then it says how far it is."""


def build(spec: SutSpec, samples: Sequence[Sample], sink: Sink) -> TransformersSut:
    """Load the checkpoint.

    Raises: ConfigError, ArtifactError for a checkpoint that is not one or whose vocabulary is smaller than the
    dataset's token ids, EnvironmentProblem when device or memory do not suffice.
    """
    if spec.checkpoint is None:
        raise ConfigError("the transformers SUT needs a checkpoint", "--checkpoint DIR")
    parameters = transformers_load.prepare(spec.checkpoint, samples)
    wanted = device_map.asked(KIND.values(spec.options), spec.device, transformers_load.gpus(spec))
    if wanted is None:
        transformers_load.refuse_without_memory(parameters, spec)
    sink.progress(f"loading {spec.checkpoint} with transformers {version('transformers')}")
    weights = model_folder.weight_files(spec.checkpoint)
    at_end = ExitStack()
    try:
        offload = (
            at_end.enter_context(scratch.folder("assay-offload-")) if wanted and wanted.may_use_disk else None
        )
        model = transformers_load.load(spec, wanted, offload)
        return TransformersSut(model, spec, samples, sink, weights, at_end)
    except BaseException:
        at_end.close()
        raise


class TransformersSut:
    def __init__(
        self,
        model: Any,
        spec: SutSpec,
        samples: Sequence[Sample],
        sink: Sink,
        weights: Sequence[Path],
        at_end: ExitStack,
    ) -> None:
        self._model, self._at_end = model, at_end
        self._placed: dict[str, device_map.Place] | None = getattr(model, "hf_device_map", None)
        self._main = str(model.device) if self._placed is None else device_map.main_device(self._placed)
        self._spec = spec
        self._batch = spec.batch or DEFAULT_BATCH
        self._samples = {sample.index: sample for sample in samples}
        self._sink = sink
        self._digest = files.sha256_all(weights)
        self._worker = Worker("transformers", self._answer, most=self._batch)

    def used(self) -> Used:
        """dtype and parameter count are read from the loaded tensors."""
        import torch

        parameters = list(self._model.parameters())
        device, placed = str(parameters[0].device.type), {}
        if self._placed is not None:
            sizes = [
                (name, p.numel(), p.numel() * p.element_size()) for name, p in self._model.named_parameters()
            ]
            placed = device_map.shares(self._placed, sizes)
            device = "+".join(dict.fromkeys(name.partition(":")[0] for name in placed))
        dtypes = sorted({str(p.dtype).removeprefix("torch.") for p in parameters})
        return Used(
            sut="transformers",
            backend=f"transformers {version('transformers')} + torch {torch.__version__}",
            precision="+".join(dtypes),
            device=device,
            batch=self._batch,
            weights_sha256=self._digest,
            details={
                "model_class": type(self._model).__name__,
                "parameters": sum(p.numel() for p in parameters),
                "threads": torch.get_num_threads(),
                **({"device_map": self._placed, "devices": placed} if placed else {}),
            },
            notes=(f"weights are spread by accelerate: {device_map.words(placed)}",) if placed else (),
        )

    def renew(self, spec: SutSpec, samples: Sequence[Sample]) -> None:
        assert spec.checkpoint is not None
        transformers_load.prepare(spec.checkpoint, samples)
        self._spec = spec
        self._samples = {sample.index: sample for sample in samples}

    def issue(self, queries: Sequence[Query]) -> None:
        self._worker.issue(queries)

    def flush(self) -> None:
        self._worker.flush()

    def close(self) -> None:
        self._worker.close()
        self._at_end.close()

    def _answer(self, batch: Sequence[Query]) -> int:
        self._sink.done(self._generate(batch))
        return len(batch)

    def _generate(self, batch: Sequence[Query]) -> list[Answer]:
        import torch

        rules = self._spec.generation
        samples = [self._samples[query.sample_index] for query in batch]
        longest = max(len(s.prompt_ids) for s in samples)
        ids_BT = torch.full((len(batch), longest), rules.eos_id, dtype=torch.long)
        mask_BT = torch.zeros_like(ids_BT)
        for row, sample in enumerate(samples):
            ids_BT[row, longest - len(sample.prompt_ids) :] = torch.tensor(sample.prompt_ids)
            mask_BT[row, longest - len(sample.prompt_ids) :] = 1
        beams = rules.decoding.beams
        # A beam's tokens are not an answer's before all of it is known.
        watchers = (
            [] if beams > 1 else [_watcher(batch, samples, rules, longest, self._sink, self._spec.server)]
        )
        with torch.inference_mode():
            out_BT = self._model.generate(
                ids_BT.to(self._main),
                attention_mask=mask_BT.to(self._main),
                do_sample=False,
                num_beams=beams,
                early_stopping=beams > 1,
                min_new_tokens=rules.min_new_tokens,
                max_new_tokens=rules.max_new_tokens,
                eos_token_id=list(rules.eos_ids),
                pad_token_id=rules.eos_id,
                stopping_criteria=watchers,
            )
        rows = out_BT[:, longest:].tolist()
        answers = [
            Answer(query.id, finish(row, sample, rules)) for query, sample, row in zip(batch, samples, rows)
        ]
        if beams > 1 and self._spec.server:
            self._sink.first_tokens([FirstToken(each.id, each.token_ids[0]) for each in answers])
        return answers


def finish(ids: Sequence[int], sample: Sample, rules: Generation) -> list[int]:
    """What LoadGen is given of generated ids: cut after the stop sequence, without EOS and what follows it.

    `[5, 13, 99, 13, 7, 2, 2]` with stop ids `13, 99, 13` becomes `[5, 13, 99, 13]`.
    """
    end = next((place for place, id_ in enumerate(ids) if id_ in rules.eos_ids), len(ids))
    kept = list(ids[:end])
    if sample.stop_ids:
        kept = _cut_after(kept, sample.stop_ids)
    return kept + [rules.eos_id] * max(0, LEAST_TOKENS - len(kept))


def _cut_after(ids: list[int], stop: Sequence[int]) -> list[int]:
    width = len(stop)
    ends = (
        start + width for start in range(len(ids) - width + 1) if ids[start : start + width] == list(stop)
    )
    return ids[: next(ends, len(ids))]


def _watcher(
    batch: Sequence[Query],
    samples: Sequence[Sample],
    rules: Generation,
    prompt_width: int,
    sink: Sink,
    server: bool,
) -> Any:
    """A stopping criterion: ends each row at its own stop sequence, and tells first tokens (Server) and progress."""
    import torch
    from transformers import StoppingCriteria

    class Watcher(StoppingCriteria):  # type: ignore[misc]
        spoken_at = time.monotonic()

        def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
            new_tokens = input_ids.shape[1] - prompt_width
            if server and new_tokens == 1:
                firsts = input_ids[:, -1].tolist()
                sink.first_tokens([FirstToken(query.id, first) for query, first in zip(batch, firsts)])
            if time.monotonic() - self.spoken_at > SPEAK_EVERY_S:
                self.spoken_at = time.monotonic()
                sink.progress(f"batch of {len(batch)}: {new_tokens} of at most {rules.max_new_tokens} tokens")
            ended = [
                bool(sample.stop_ids)
                and new_tokens >= len(sample.stop_ids)
                and tuple(row[-len(sample.stop_ids) :].tolist()) == sample.stop_ids
                for sample, row in zip(samples, input_ids)
            ]
            return torch.tensor(ended, dtype=torch.bool, device=input_ids.device)

    return Watcher()
