"""Instructions whose one right answer follows from the words given: lists, facts, rewriting, short texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from assay.nano.grammar.prompt import instruction_prompt
from assay.nano.grammar.sample import GeneratedSample, split_of
from assay.nano.grammar.words import (
    ACTIONS,
    CITIES,
    DISHES,
    DRINKS,
    GROUPS,
    INGREDIENTS,
    JOBS,
    PEOPLE,
    PLACES,
    VERBS,
)

SYSTEM_TEXTS = (
    "You are a helpful assistant.",
    "You are a careful assistant. Do the task exactly.",
    "You answer in full sentences.",
)


@dataclass(frozen=True)
class InstructionTask:
    """`content` names the task and its words, without the wording around them."""

    question: str
    answer: str
    content: str


def write_instruction(rng: Random) -> GeneratedSample:
    """A random instruction of any split."""
    task = rng.choice(TASKS)(rng)
    return GeneratedSample(
        subset="OpenOrca",
        question=task.question,
        prompt=instruction_prompt(rng.choice(SYSTEM_TEXTS), task.question),
        answer=task.answer,
        truth=task.answer,
        content=task.content,
        split=split_of(task.content),
    )


def _join(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def _any_words(rng: Random, count: int) -> list[str]:
    return rng.sample([word for group in GROUPS.values() for word in group], count)


def _profile(rng: Random) -> InstructionTask:
    name, job, city = rng.choice(PEOPLE), rng.choice(JOBS), rng.choice(CITIES)
    drink, age = rng.choice(DRINKS), rng.randint(18, 70)
    question = f"Write about this person. Name: {name}. Job: {job}. City: {city}. Age: {age}. Drink: {drink}."
    answer = (
        f"{name} is a {job} who lives in {city}. At the age of {age}, {name} likes to drink {drink} "
        f"after a long day of work."
    )
    return InstructionTask(question, answer, f"profile {name} {job} {city} {drink} {age}")


def _lookup(rng: Random) -> InstructionTask:
    people, jobs, cities = rng.sample(PEOPLE, 3), rng.sample(JOBS, 3), rng.sample(CITIES, 3)
    facts = " ".join(f"{p} is a {j} from {c}." for p, j, c in zip(people, jobs, cities))
    i = rng.randrange(3)
    others = [p for p in people if p != people[i]]
    ask = rng.choice((f"Who is the {jobs[i]}?", f"Who is from {cities[i]}?"))
    answer = (
        f"The right answer is {people[i]}, because {people[i]} is a {jobs[i]} from {cities[i]}. "
        f"It is not {others[0]} and it is not {others[1]}."
    )
    return InstructionTask(f"{facts} {ask}", answer, f"lookup {facts} {i}")


def _sort(rng: Random) -> InstructionTask:
    words = _any_words(rng, rng.randint(3, 5))
    question = f"Sort these words from a to z: {', '.join(words)}."
    return InstructionTask(
        question, f"The words in order from a to z are {_join(sorted(words))}.", f"sort {words}"
    )


def _reverse(rng: Random) -> InstructionTask:
    words = _any_words(rng, rng.randint(4, 6))
    question = f"Write these words in reverse order: {', '.join(words)}."
    return InstructionTask(
        question, f"The words in reverse order are {_join(words[::-1])}.", f"reverse {words}"
    )


def _number(rng: Random) -> InstructionTask:
    words = _any_words(rng, rng.randint(3, 5))
    question = f"Write these words as a numbered list: {', '.join(words)}."
    lines = "\n".join(f"{i}. {word}" for i, word in enumerate(words, 1))
    return InstructionTask(question, f"Here is the numbered list:\n{lines}", f"number {words}")


def _pick(rng: Random) -> InstructionTask:
    group = rng.choice(list(GROUPS))
    inside = rng.sample(GROUPS[group], rng.randint(2, 3))
    outside = rng.sample([w for g, ws in GROUPS.items() if g != group for w in ws], rng.randint(2, 3))
    words = rng.sample(inside + outside, len(inside) + len(outside))
    found = [word for word in words if word in inside]
    rest = [word for word in words if word not in inside]
    question = f"Which of these words are {group}? {', '.join(words)}."
    answer = f"The {group} are {_join(found)}. The other words, {_join(rest)}, are not {group}."
    return InstructionTask(question, answer, f"pick {group} {words}")


def _past(rng: Random) -> InstructionTask:
    name, verb, action = rng.choice(PEOPLE), rng.choice(list(VERBS)), rng.choice(list(ACTIONS))
    place, thing, friend = (
        rng.choice(PLACES),
        rng.choice(GROUPS[rng.choice(list(GROUPS))]),
        rng.choice(PEOPLE),
    )
    question = (
        f"Rewrite this in the past tense: Today {name} {verb} to the {place}, {action} the {thing} "
        f"and talks to {friend}."
    )
    answer = f"Yesterday {name} {VERBS[verb]} to the {place}, {ACTIONS[action]} the {thing} and talked to {friend}."
    return InstructionTask(question, answer, f"past {name} {verb} {place} {action} {thing} {friend}")


def _replace(rng: Random) -> InstructionTask:
    old, new, friend = rng.sample(PEOPLE, 3)
    drink, place, city = rng.choice(DRINKS), rng.choice(PLACES), rng.choice(CITIES)
    text = "{} lives in {} and meets {} at the {}. There {} drinks {}."
    question = f"Replace {old} by {new}: {text.format(old, city, friend, place, old, drink)}"
    answer = text.format(new, city, friend, place, new, drink)
    return InstructionTask(question, answer, f"replace {old} {new} {friend} {drink} {place} {city}")


def _cook(rng: Random) -> InstructionTask:
    dish, things, name = rng.choice(DISHES), rng.sample(INGREDIENTS, 4), rng.choice(PEOPLE)
    question = f"Tell {name} how to make a {dish} with {_join(things)}."
    answer = (
        f"Dear {name}, first take the {things[0]} and the {things[1]}. Then add the {things[2]}. "
        f"At the end add the {things[3]} and serve the {dish} warm."
    )
    return InstructionTask(question, answer, f"cook {dish} {things} {name}")


TASKS: tuple[Callable[[Random], InstructionTask], ...] = (
    _profile,
    _lookup,
    _sort,
    _reverse,
    _number,
    _pick,
    _past,
    _replace,
    _cook,
)
