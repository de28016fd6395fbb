"""Chooses the API for the rest of a probe: the first one that answers with ids, else the first one that answers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from assay.endpoint.api import Api
from assay.endpoint.apis import APIS
from assay.endpoint.apis.needs import takes_ids
from assay.endpoint.failure import FailureKind
from assay.endpoint.prompt import Prompt
from assay.endpoint.sampling import Sampling
from assay.endpoint.single import ProbedServer, SingleAnswer, answer
from assay.endpoint.tier import Tier
from assay.ground.errors import ConfigError, EnvironmentProblem

TEXT = "The sum of two and three is"
IDS = (11, 12, 13)


@dataclass(frozen=True)
class Asker:
    """Sends one request after another to one API of one server."""

    server: ProbedServer
    api: Api
    model: str
    tier: Tier
    """The tier that the server really supports. It may be less exact than the API allows."""

    @property
    def takes_ids(self) -> bool:
        return takes_ids(self.api)

    def ask(self, prompt: Prompt, sampling: Sampling, salt: str | None = None) -> SingleAnswer:
        return answer(self.server, self.api, self.body(prompt, sampling, salt))

    def body(self, prompt: Prompt, sampling: Sampling, salt: str | None = None) -> bytes:
        return self.api.body(prompt, sampling, self.model, salt)

    def short(self) -> Prompt:
        return Prompt(ids=IDS) if self.takes_ids else Prompt(text=TEXT)


def chosen(server: ProbedServer, apis: tuple[str, ...], model: str) -> Asker:
    """Raises: EnvironmentProblem or ConfigError with what each API answered, where none works."""
    best: Asker | None = None
    refusals: list[str] = []
    for name in apis:
        asker = Asker(server, APIS[name], model, APIS[name].tier)
        got = asker.ask(asker.short(), Sampling(max_tokens=4))
        if got.failure:
            refusals.append(f"{name}: {got.failure.detail}"[:120])
            if got.failure.kind not in (FailureKind.REQUEST, FailureKind.SERVER, FailureKind.DAMAGED):
                break
        elif got.ids or asker.tier is Tier.C:
            return asker
        else:
            best = best or replace(asker, tier=Tier.C)
    if best:
        return best
    kind = ConfigError if any("HTTP 4" in one for one in refusals) else EnvironmentProblem
    raise kind(
        f"{server.text} gave no answer; " + "; ".join(refusals),
        f"the server's own log; assay probe {server.text} --api NAME tries another API: "
        + ", ".join(name for name in APIS if name not in apis),
    )
