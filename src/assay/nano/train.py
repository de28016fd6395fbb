"""Training of mixtral-nano: `python -m assay.nano.train --out FOLDER` (resumes when FOLDER holds a state).

Each worker process computes the gradient of its part of a step's samples on one thread; the workers meet once per
step to add their gradients up. Same seed, steps and number of workers: same data, same losses.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import distributed, multiprocessing
from torch.nn import functional as F

from assay.ground import scratch
from assay.nano.batch import training_batch
from assay.nano.exact import exact_shares
from assay.nano.export import export_checkpoint
from assay.nano.generator import training_stream
from assay.nano.model import NanoModel
from assay.nano.shape import Shape
from assay.nano.tokenizer import load_tokenizer, save_tokenizer, train_tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Report = Callable[[str], None]
REPORT_STEPS = 50


@dataclass(frozen=True)
class TrainingRecipe:
    """Everything that decides the outcome. The rate is flat after the warm-up and falls to zero at the end."""

    seed: int = 2026
    steps: int = 3400
    warmup_steps: int = 150
    decay_steps: int = 1200
    samples_per_step: int = 60
    workers: int = 2
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    balance_weight: float = 0.02
    gradient_norm_max: float = 1.0
    tokenizer_samples: int = 30_000
    save_steps: int = 100
    """How often the state is saved and the model tried; no part of the outcome."""

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        rise = min(1.0, (step + 1) / self.warmup_steps)
        fall = min(1.0, (self.steps - step) / self.decay_steps)
        return self.learning_rate * rise * fall


class Trainer:
    """Model, optimizer and place in the run; one per worker, all alike after each step."""

    def __init__(self, recipe: TrainingRecipe, tokenizer: Tokenizer, worker: int = 0) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.tokenizer, self.worker = recipe, tokenizer, worker
        self.model = NanoModel(Shape())
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), betas=(0.9, 0.98), weight_decay=recipe.weight_decay, fused=True
        )
        self.step = 0

    def advance(self) -> float:
        """One step of all workers; the mean answer loss over the workers."""
        recipe = self.recipe
        part = recipe.samples_per_step // recipe.workers
        batch = training_batch(self.tokenizer, recipe.seed, self.step * recipe.workers + self.worker, part)
        output = self.model(batch, torch.bfloat16)
        loss = F.cross_entropy(output.logits_AV, batch.target_A)
        (loss + recipe.balance_weight * output.balance).backward()
        parameters = list(self.model.parameters())
        flat = torch.cat(
            [p.grad.flatten() for p in parameters if p.grad is not None] + [loss.detach().view(1)]
        )
        if recipe.workers > 1:
            distributed.all_reduce(flat)
        flat /= recipe.workers
        norm = flat[:-1].norm()
        flat[:-1] *= (recipe.gradient_norm_max / (norm + 1e-6)).clamp(max=1.0)
        for parameter, gradient in zip(parameters, flat[:-1].split([p.numel() for p in parameters])):
            parameter.grad = gradient.view_as(parameter)
        for group in self.optimizer.param_groups:
            group["lr"] = recipe.rate(self.step)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return float(flat[-1])

    def save(self, path: Path) -> None:
        """Write the state, replacing the last one only when it is whole."""
        state = {
            "step": self.step,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def load(self, path: Path) -> None:
        state: dict[str, Any] = torch.load(path, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step = state["step"]


def prepare_tokenizer(recipe: TrainingRecipe, folder: Path) -> Tokenizer:
    """The tokenizer of a run: made from its own training samples the first time, read back afterwards."""
    if not (folder / "tokenizer.json").exists():
        stream = training_stream(recipe.seed)
        samples = (next(stream) for _ in range(recipe.tokenizer_samples))
        save_tokenizer(train_tokenizer(s.prompt + s.answer for s in samples), folder)
    return load_tokenizer(folder)


def progress(step: int, steps: int, losses: list[float], each_s: float) -> str:
    """One line: where the run is, the mean of its latest losses, and how long it will take."""
    latest = losses[-REPORT_STEPS:]
    left_min = each_s * (steps - step) / 60
    return f"step {step}/{steps} loss {sum(latest) / len(latest):.4f} {each_s:.2f} s/step, {left_min:.0f} min left"


def run_worker(worker: int, recipe: TrainingRecipe, folder: Path, meeting: str, report: Report) -> None:
    """One worker's whole run; worker 0 also reports, evaluates, saves and exports."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    if recipe.workers > 1:
        distributed.init_process_group("gloo", init_method=meeting, rank=worker, world_size=recipe.workers)
    trainer = Trainer(recipe, load_tokenizer(folder), worker)
    state = folder / "state.pt"
    if state.exists():
        trainer.load(state)
    first, start_s = trainer.step, time.monotonic()
    losses: list[float] = []
    while trainer.step < recipe.steps:
        losses.append(trainer.advance())
        if worker == 0 and (trainer.step % recipe.save_steps == 0 or trainer.step == recipe.steps):
            each_s = (time.monotonic() - start_s) / (trainer.step - first)
            report(progress(trainer.step, recipe.steps, losses, each_s))
            trainer.save(state)
            with (folder / "losses.jsonl").open("a") as file:
                file.writelines(json.dumps(loss) + "\n" for loss in losses)
            losses.clear()
            report(f"right to the last token: {exact_shares(trainer.model, trainer.tokenizer, recipe.seed)}")
        elif worker == 0 and trainer.step % REPORT_STEPS == 0:
            each_s = (time.monotonic() - start_s) / (trainer.step - first)
            report(progress(trainer.step, recipe.steps, losses, each_s))
    if worker == 0:
        export_checkpoint(trainer.model, folder)
    if recipe.workers > 1:
        distributed.destroy_process_group()


def train(recipe: TrainingRecipe, folder: Path, report: Report) -> None:
    """Run `recipe` to its end and leave the checkpoint in `folder`, going on from a saved state if there is one."""
    folder.mkdir(parents=True, exist_ok=True)
    prepare_tokenizer(recipe, folder)
    if recipe.workers == 1:
        run_worker(0, recipe, folder, "", report)
        return
    with scratch.folder("assay-train-") as meeting:
        arguments = (recipe, folder, f"file://{meeting}/workers", report)
        multiprocessing.spawn(run_worker, arguments, nprocs=recipe.workers)


def write_progress(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def parse(arguments: list[str]) -> tuple[TrainingRecipe, Path]:
    default = TrainingRecipe()
    parser = argparse.ArgumentParser(prog="python -m assay.nano.train", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of state, losses and checkpoint")
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--steps", type=int, default=default.steps)
    parser.add_argument(
        "--decay-steps", type=int, default=default.decay_steps, help="last steps, with a falling rate"
    )
    parser.add_argument("--workers", type=int, default=default.workers, help="processes of one thread each")
    given = parser.parse_args(arguments)
    recipe = TrainingRecipe(
        seed=given.seed, steps=given.steps, decay_steps=given.decay_steps, workers=given.workers
    )
    return recipe, given.out


if __name__ == "__main__":
    train(*parse(sys.argv[1:]), write_progress)
