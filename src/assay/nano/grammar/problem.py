"""Word problems of two or three operations, with every step worked out in the answer.

All numbers stay between 1 and 99, so that the arithmetic is a set of small tables; what the test asks is a chain
of operations over operands that no training problem has, in any wording, and some chains only the test has.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from assay.nano.grammar.prompt import problem_prompt
from assay.nano.grammar.sample import GeneratedSample, share, split_of
from assay.nano.grammar.words import BOXES, ITEMS, PEOPLE

LARGEST = 99
"""The largest number of a problem."""
HELD_OUT_CHAINS = 0.12
"""Share of the chains of operations that training never sees. A choice; the stored answers hang on it."""


@dataclass(frozen=True)
class Scene:
    """The words of one problem."""

    person: str
    friend: str
    items: str
    boxes: str


@dataclass(frozen=True)
class StoryStep:
    """One sentence of the story, its working in the answer, and what is asked should it be the last."""

    code: str
    value: int
    story: str
    working: str
    ask: str


def write_problem(rng: Random) -> GeneratedSample:
    """A random problem of any split."""
    person, friend = rng.sample(PEOPLE, 2)
    scene = Scene(person, friend, rng.choice(ITEMS), rng.choice(BOXES))
    steps = [rng.choice((_start_product, _start_sum, _start_count))(rng, scene)]
    num_steps = rng.choice((2, 3, 3)) + steps[0].code.startswith("have")
    while len(steps) < num_steps:
        last = len(steps) + 1 == num_steps
        step = rng.choice((_more, _more, _fewer, _fewer, *((_sale, _shares) if last else ())))(
            rng, scene, steps[-1].value
        )
        if step is not None:
            steps.append(step)
    question = " ".join([*(s.story for s in steps), steps[-1].ask])
    answer = " ".join([*(s.working for s in steps if s.working), f"The answer is {steps[-1].value}."])
    content = "|".join(s.code for s in steps)
    chain = "|".join(s.code.split()[0] for s in steps)
    return GeneratedSample(
        subset="GSM8K",
        question=question,
        prompt=problem_prompt(question),
        answer=answer,
        truth=str(steps[-1].value),
        content=content,
        split=split_of(content, held_out=share("chain " + chain) < HELD_OUT_CHAINS),
    )


def _have(scene: Scene) -> str:
    return f"How many {scene.items} does {scene.person} have now?"


def _start_count(rng: Random, scene: Scene) -> StoryStep:
    count = rng.randint(5, 80)
    return StoryStep(f"have {count}", count, f"{scene.person} has {count} {scene.items}.", "", _have(scene))


def _start_product(rng: Random, scene: Scene) -> StoryStep:
    boxes, each = rng.randint(2, 9), rng.randint(2, 9)
    story = rng.choice(
        (
            f"{scene.person} has {boxes} {scene.boxes} with {each} {scene.items} in each.",
            f"{scene.person} buys {boxes} {scene.boxes}. There are {each} {scene.items} in each.",
        )
    )
    value = boxes * each
    working = f"The {scene.boxes} hold {boxes} * {each} = {value} {scene.items}."
    return StoryStep(f"product {boxes} {each}", value, story, working, _have(scene))


def _start_sum(rng: Random, scene: Scene) -> StoryStep:
    first, second = rng.randint(3, 40), rng.randint(3, 40)
    story = rng.choice(
        (
            f"{scene.person} finds {first} {scene.items} on Monday and {second} on Friday.",
            f"{scene.person} has {first} {scene.items} at home and {second} at school.",
        )
    )
    value = first + second
    working = f"Together that is {first} + {second} = {value} {scene.items}."
    return StoryStep(f"sum {first} {second}", value, story, working, _have(scene))


def _more(rng: Random, scene: Scene, value: int) -> StoryStep | None:
    count = rng.randint(2, 20)
    if value + count > LARGEST:
        return None
    story = rng.choice(
        (
            f"Then {scene.person} buys {count} more.",
            f"Then {scene.friend} gives {scene.person} {count} more.",
        )
    )
    working = f"With {count} more it is {value} + {count} = {value + count} {scene.items}."
    return StoryStep(f"more {count}", value + count, story, working, _have(scene))


def _fewer(rng: Random, scene: Scene, value: int) -> StoryStep | None:
    count = rng.randint(2, 20)
    if value - count < 1:
        return None
    story = rng.choice(
        (
            f"Then {scene.person} loses {count} of them.",
            f"Then {scene.person} gives {count} to {scene.friend}.",
        )
    )
    working = f"Without {count} it is {value} - {count} = {value - count} {scene.items}."
    return StoryStep(f"fewer {count}", value - count, story, working, _have(scene))


def _sale(rng: Random, scene: Scene, value: int) -> StoryStep | None:
    price = rng.randint(2, 9)
    if value * price > LARGEST:
        return None
    story = f"Then {scene.person} sells them for {price} dollars each."
    working = f"At {price} dollars each that makes {value} * {price} = {value * price} dollars."
    ask = f"How many dollars does {scene.person} get?"
    return StoryStep(f"sale {price}", value * price, story, working, ask)


def _shares(rng: Random, scene: Scene, value: int) -> StoryStep | None:
    friends = [n for n in range(2, 10) if value % n == 0 and value > n]
    if not friends:
        return None
    count = rng.choice(friends)
    story = f"Then {scene.person} shares them equally among {count} friends."
    working = f"Each of {count} friends gets {value} / {count} = {value // count} {scene.items}."
    ask = f"How many {scene.items} does each friend get?"
    return StoryStep(f"shares {count}", value // count, story, working, ask)
