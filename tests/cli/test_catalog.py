"""What can be typed is read from the parsers: nothing is missing, and the values are those that are taken."""

from __future__ import annotations

from assay.cli import catalog
from assay.cli.arguments import options, parser_of
from assay.cli.catalog import CommandEntry
from assay.cli.verbs import VERBS

COMMANDS = catalog.commands()
LEAVES = {each.name: each for each in catalog.leaves(COMMANDS)}


def option(command: str, name: str) -> catalog.OptionEntry:
    (found,) = (each for each in LEAVES[command].options if name in each.names)
    return found


def test_every_verb_and_every_verb_below_one_is_there() -> None:
    assert [each.words[0] for each in COMMANDS] == list(VERBS)
    assert {"dataset build", "model random", "recipe why"} <= set(LEAVES) and "dataset" not in LEAVES
    assert all(each.help for each in LEAVES.values())


def test_every_option_of_a_parser_is_there_by_each_of_its_names() -> None:
    from assay.cli import bench

    told = {name for each in LEAVES["bench"].options for name in (*each.names, *each.others)}
    hidden = {"--no-submit"}  # a name of --submit
    assert {n for n in options(parser_of("bench", bench)) if not n.startswith("--no-")} - hidden <= told


def test_an_option_has_its_value_its_other_names_and_what_it_may_be() -> None:
    samples = option("bench", "--samples")
    assert (samples.value, samples.choices, samples.is_path) == ("N", (), False)
    assert "--limit" in samples.others and "--limit" not in samples.names
    assert option("bench", "--scenario").choices[:2] == ("offline", "server")
    assert option("score", "--workload").choices == option("dataset build", "--workload").choices != ()
    assert option("submit", "--division").choices == ("closed", "open", "network")
    assert option("bench", "--checkpoint").is_path and option("check", "--csv").is_path
    assert option("bench", "--json").value == "" and option("mock", "--port").help.endswith("(default: 8000)")


def test_arguments_have_no_names() -> None:
    (workload,) = LEAVES["bench"].arguments
    assert workload.names == () and "mixtral-nano" in workload.choices and not workload.is_many
    (runs,) = LEAVES["submit"].arguments
    assert runs.is_many and runs.is_path


def test_leaves_of_a_verb_without_verbs_below_it_are_itself() -> None:
    alone = CommandEntry(("x",), "", (), ())
    assert list(catalog.leaves([alone])) == [alone]
