"""Rules that the servers of a run break, by their command lines or by what they report of themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assay.endpoint.api import Api
from assay.endpoint.probe.identify import FAMILIES
from assay.ground.errors import ConfigError
from assay.mlperf.checker.finding import Finding, Severity
from assay.mlperf.data.sample import Sample
from assay.mlperf.sut.interface import SutSpec
from assay.suts import server_config, server_rules, server_settings
from assay.suts.endpoint_cache import CacheFindings
from assay.suts.server_rules import ServerTerms


def dialect_of(api: str) -> str:
    """The kind of server that has the API; the API's own name where no kind is known."""
    return next((kind for kind, apis in FAMILIES.items() if api in apis), api)


def terms_of(
    spec: SutSpec, samples: Sequence[Sample], is_salted: bool = False, is_own: bool = False
) -> ServerTerms:
    return ServerTerms(
        prompt_tokens=max((len(sample.prompt_ids) for sample in samples), default=0),
        answer_tokens=spec.generation.max_new_tokens,
        drafts=spec.drafts,
        is_salted=is_salted,
        is_own=is_own,
        dtype=spec.precision.value if is_own else "",
    )


def of_command(
    dialect: str, words: Sequence[str], spec: SutSpec, samples: Sequence[Sample]
) -> tuple[Finding, ...]:
    """Findings for a server that Assay starts, from its command line."""
    settings = server_settings.from_command(dialect, server_config.expanded(dialect, words))
    return server_rules.findings(settings, terms_of(spec, samples, is_own=True), "the server's arguments")


def of_servers(
    api: Api, said: Mapping[str, Mapping[str, object]], spec: SutSpec, samples: Sequence[Sample]
) -> tuple[Finding, ...]:
    """Findings for servers that run already. `said`: address -> what the server reports of itself."""
    terms, dialect = terms_of(spec, samples, is_salted=api.has_salt), dialect_of(api.name)
    return tuple(
        finding
        for address, told in said.items()
        for finding in server_rules.findings(server_settings.from_server(dialect, told), terms, address)
    )


def merged(own: Sequence[Finding], said: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings of the arguments, then those of the server's report that the arguments say nothing about."""
    codes = {each.code for each in own}
    return (*own, *(each for each in said if each.code not in codes))


def with_cache(cache: CacheFindings, found: Sequence[Finding]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(breaches, notes) of a run, those on the prefix cache first. The cache is reported once: by its counters where
    they show something, else by the server's settings."""
    breach, is_known = cache.breach(), bool(cache.is_on or cache.run_tokens)
    others = [each for each in found if each.code != server_rules.CACHE_RULE]
    broken = (breach, *server_rules.breaches(others)) if breach else server_rules.breaches(found)
    remarks = server_rules.remarks(others if is_known else found)
    by_rule = not is_known and len(others) < len(found)
    return broken, (*(() if cache.is_on is None and by_rule else (cache.words(),)), *remarks)


def for_plan(found: Sequence[Finding], is_closed: bool) -> tuple[tuple[ConfigError, ...], tuple[str, ...]]:
    """(blockers, notes). A closed run with an error would be INVALID, an open one would not."""
    errors = [each for each in found if each.severity is Severity.ERROR]
    if not is_closed:
        return (), (*server_rules.breaches(errors), *server_rules.remarks(found))
    blockers = [
        ConfigError(
            f"{each.path}: a closed run will be INVALID: {server_rules.sentence(each)}",
            f"{each.fix}, or --division open",
        )
        for each in errors
    ]
    return tuple(blockers), server_rules.remarks(found)
