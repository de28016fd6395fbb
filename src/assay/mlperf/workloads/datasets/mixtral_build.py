"""A dataset in the official schema, built from GSM8K, MBXP and instruction files with a given tokenizer.

Blocks and prompts have the official order and shapes as far as those are public: GSM8K, OpenOrca, MBXP; `<s>` in
the text and BOS once more from the tokenizer. The wording of the instructions is our own, so the set is not
equal to the official one. The reference answers are the canonical ones: scored, they give 100.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.ground.errors import ArtifactError, ConfigError
from assay.ground.parsed import json_value
from assay.mlperf.data import dataset
from assay.mlperf.data.columns import Columns
from assay.mlperf.data.tokenizer import Tokenizer
from assay.mlperf.scoring.programs.mbxp import FENCE, GRADED, program
from assay.mlperf.scoring.programs.program import Grader
from assay.mlperf.workloads.datasets.building import Builder, Order
from assay.mlperf.workloads.datasets.mixtral_rows import GSM8K, MBXP, OPENORCA, SCHEMA, SUBSETS

PROMPT_TOKENS_MAX = 2048
ANSWER_TOKENS_MAX = 1024
"""Longer rows are left out. Source: inference_rules, mixtral-8x7b: max_seq_len 2048, max_new_tokens 1024."""

MBXP_STOP = f"\n{FENCE}\n"
WORKED_EXAMPLES = 4
"""Solved problems in front of each GSM8K question, as the official prompts of about 660 tokens hold."""

SOURCES = ("gsm8k", "mbxp", "instruct")
Row = dict[str, Any]


@dataclass(frozen=True)
class SourceRow:
    """One row before its tokens: question, prompt and the two truths."""

    subset: str
    id: str
    question: str
    prompt: str
    answer: str
    """Text of the canonical answer; for MBXP without the closing fence."""
    truth: str


def build(order: Order) -> Columns:
    """The rows, a third of each subset (the first ones get what does not divide). The sources:

    gsm8k     JSON lines with question and answer (`#### N` at its end)
    mbxp      folder of MBXP's JSON lines, one file per language
    instruct  JSON lines with id, system_prompt, question and response

    Raises: ArtifactError for files of another kind; ConfigError when they hold too few usable rows.
    """
    third, rest = divmod(order.samples, len(SUBSETS))
    counts = [third + (n < rest) for n in range(len(SUBSETS))]
    choice, tokenizer = random.Random(order.seed), order.tokenizer
    problems, programs, texts = (order.sources[name] for name in SOURCES)
    blocks = [
        _block(f"{GSM8K} ({problems})", gsm8k(problems, choice), tokenizer, counts[0], None),
        _block(f"{OPENORCA} ({texts})", instructions(texts, choice), tokenizer, counts[1], None),
        _block(f"{MBXP} ({programs}/*.jsonl)", mbxp(programs, choice), tokenizer, counts[2], order.grade),
    ]
    return dataset.columns_of([row for block in blocks for row in block])


NEEDED = {
    GSM8K: f"the first {WORKED_EXAMPLES} rows are the worked examples of every prompt, and no problems",
    OPENORCA: f"prompts have at most {PROMPT_TOKENS_MAX} tokens, answers {ANSWER_TOKENS_MAX}",
    MBXP: f"a problem has a canonical_solution and one of the languages {', '.join(GRADED)}",
}
"""Subset -> what of its files is used."""
NO_SOLUTION = (None, "canonical_solution")
"""MBXP has rows without one; they are left out."""


def gsm8k(path: Path, choice: random.Random) -> Iterator[SourceRow]:
    """Shuffled; the first rows of the file are the worked examples of every prompt and no problems."""
    rows = list(enumerate(_json_lines([path], ("question", "answer"))))
    examples = "\n\n".join(
        f"Q: {row['question']}\nA: {_worked(row['answer'])[0]}" for _, row in rows[:WORKED_EXAMPLES]
    )
    rows = rows[WORKED_EXAMPLES:]
    choice.shuffle(rows)
    for number, row in rows:
        answer, truth = _worked(row["answer"])
        prompt = (
            " [INST] As an expert problem solver solve step by step the following problem, and end with "
            f"'The answer is' and the number. Some solved ones first.\n\n{examples}\n\n"
            f"Q: {row['question']}\nA: [/INST]"
        )
        yield SourceRow(GSM8K, f"{path.stem}.{number}", row["question"], prompt, answer, truth)


def instructions(path: Path, choice: random.Random) -> Iterator[SourceRow]:
    rows = _json_lines([path], ("id", "system_prompt", "question", "response"))
    choice.shuffle(rows)
    for row in rows:
        asked = f"{row['system_prompt']} {row['question']}".strip()
        prompt = f"[INST] {asked} [/INST]"
        response = row["response"].strip()
        yield SourceRow(OPENORCA, row["id"], row["question"], prompt, response, response)


def mbxp(folder: Path, choice: random.Random) -> Iterator[SourceRow]:
    """Shuffled within each language and dealt out in turn, so that a small set holds every language."""
    fields = ("prompt", "entry_point", "test", "language", "canonical_solution")
    rows = _json_lines(sorted(folder.glob("*.jsonl")), fields)
    by_language = {language: [row for row in rows if row["language"] == language] for language in GRADED}
    for some in by_language.values():
        choice.shuffle(some)
    longest = max(map(len, by_language.values()), default=0)
    for turn in range(longest):
        for language, some in by_language.items():
            if turn < len(some) and some[turn]["canonical_solution"]:
                yield _mbxp_problem(language, some[turn])


def _mbxp_problem(language: str, row: Row) -> SourceRow:
    code = row["prompt"]
    prompt = (
        " [INST] Complete the following code. Be concise: give the whole code in one block and nothing else."
        f"\n{FENCE}{language}\n{code} [/INST]{FENCE}{language}\n"
    )
    answer = code + row["canonical_solution"]
    return SourceRow(MBXP, f"{language}_{row['entry_point']}", code, prompt, answer, row["test"])


def _worked(answer: str) -> tuple[str, str]:
    """(worked steps that end in the official phrase, the number) of GSM8K's own answer form."""
    steps, marked, number = answer.rpartition("####")
    if not marked:
        raise ArtifactError(f"a GSM8K answer has no #### before its number: {answer[-60:]!r}")
    number = number.strip().replace(",", "")
    calculated = _without_marks(steps.strip())
    return f"{calculated}\nThe answer is {number}.", number


def _without_marks(steps: str) -> str:
    """Without the calculator marks `<<2*3=6>>`."""
    head, *others = steps.split("<<")
    return head + "".join(other.partition(">>")[2] for other in others)


def _block(
    what: str, problems: Iterator[SourceRow], tokenizer: Tokenizer, count: int, grade: Grader | None
) -> list[Row]:
    """The first `count` problems that fit, and (with `grade`) whose answer passes.

    what: subset and files, in words; the subset first.
    """
    rows: list[Row] = []
    seen = fitting = 0
    for batch in _batches(problems, count):
        usable = [row for row in (_row(problem, tokenizer) for problem in batch) if row]
        seen, fitting = seen + len(batch), fitting + len(usable)
        rows += _passing(usable, tokenizer, grade) if grade else usable
        if len(rows) >= count:
            return rows[:count]
    lost = [
        f"{n} {why}" for n, why in ((seen - fitting, "too long"), (fitting - len(rows), "not passing")) if n
    ]
    raise ConfigError(
        f"{count} rows of {what} were asked for, and {len(rows)} can be used of {seen} problems"
        + (f": {', '.join(lost)}" if lost else ""),
        f"ask for fewer --samples, or give larger files; {NEEDED[what.partition(' ')[0]]}",
    )


def _batches(problems: Iterator[SourceRow], count: int) -> Iterator[list[SourceRow]]:
    """Batches a little larger than what is needed, so that most blocks need one."""
    size = max(1, count + count // 4)
    batch: list[SourceRow] = []
    for problem in problems:
        batch.append(problem)
        if len(batch) == size:
            yield batch
            batch = []
    yield batch


def _row(problem: SourceRow, tokenizer: Tokenizer) -> Row | None:
    """The official columns; None when prompt or answer are too long."""
    is_program = problem.subset == MBXP
    prompt = tokenizer.bos + problem.prompt
    prompt_ids = tokenizer.encode_prompt(prompt)
    stop = MBXP_STOP if is_program else tokenizer.eos
    stop_ids = _stop_ids(is_program, tokenizer)
    answer_ids = tokenizer.encode(problem.answer) + (stop_ids if is_program else [])
    if len(prompt_ids) > PROMPT_TOKENS_MAX or len(answer_ids) > ANSWER_TOKENS_MAX:
        return None
    return {
        "dataset": problem.subset,
        "id": problem.id,
        "question": problem.question,
        "input": prompt,
        "ref_output": problem.answer + (MBXP_STOP if is_program else ""),
        "gt_output": problem.truth,
        "tok_input": prompt_ids,
        "tok_ref_output": answer_ids,
        "stop_sequence": stop,
        "tok_stop_sequence": stop_ids,
        "tok_input_len": len(prompt_ids),
        "tok_ref_output_len": len(answer_ids),
    }


def _stop_ids(is_program: bool, tokenizer: Tokenizer) -> list[int]:
    """Mixtral's own: [13, 13940, 28832, 13] for MBXP, [2] else."""
    if is_program:
        return tokenizer.encode_inside(MBXP_STOP)
    return [] if tokenizer.eos_id is None else [tokenizer.eos_id]


def _passing(rows: Sequence[Row], tokenizer: Tokenizer, grade: Grader) -> list[Row]:
    """The MBXP rows whose reference ids, decoded and graded as an answer, pass.

    Raises: ConfigError when some could not be graded.
    """
    if not rows:
        return []
    samples = SCHEMA.samples(dataset.columns_of([*rows]), "the set being built")
    texts = tokenizer.decode([sample.reference_ids for sample in samples])
    verdicts = grade([program(sample, text) for sample, text in zip(samples, texts)]).verdicts
    for verdict in verdicts:
        if verdict.passed is None:
            raise ConfigError(
                f"canonical solutions cannot be graded: {verdict.reason}", "leave out --only-passing"
            )
    return [row for row, verdict in zip(rows, verdicts) if verdict.passed]


def _json_lines(paths: Sequence[Path], needed: Sequence[str]) -> list[Row]:
    """All rows of the files. Raises: ArtifactError for a row without the needed fields."""
    rows: list[Row] = []
    for path in paths:
        try:
            lines = path.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ArtifactError(f"{path}: cannot be read ({error})", "give a JSON-lines file") from error
        rows += [
            _json_row(path, number, line, needed) for number, line in enumerate(lines, 1) if line.strip()
        ]
    if not rows:
        raise ArtifactError("no rows to build from" + (f" in {paths[0]}" if paths else ": no .jsonl file"))
    return rows


def _json_row(path: Path, number: int, line: str, needed: Sequence[str]) -> Row:
    try:
        row = json_value(line)
    except ValueError as error:
        raise ArtifactError(f"{path}: line {number} is no JSON ({error})") from error
    lacking = [name for name in needed if not isinstance(row, dict) or name not in row]
    if lacking:
        raise ArtifactError(
            f"{path}: line {number} has no {', '.join(lacking)}", "see assay dataset build --help"
        )
    odd = [name for name in needed if not isinstance(row[name], str) and (row[name], name) != NO_SOLUTION]
    if odd:
        raise ArtifactError(f"{path}: line {number}, {odd[0]}: text expected, not {row[odd[0]]!r:.60}")
    found: Row = row
    return found


BUILDER = Builder(
    SOURCES,
    build,
    "official schema, order and prompt shapes; the wording is our own: not the official set",
    has_programs=True,
)
