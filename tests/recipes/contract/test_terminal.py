"""A terminal of a script, held against two made ones: the user's and the script's."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import termios
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from assay.recipes.contract.terminal import CHARACTERS, INPUT, LOCAL, OUTPUT, Terminal


@dataclass
class Pair:
    """`user` is where the person sits, `ours` what we have of it; `made` is ours, `script` what the script has."""

    user: int
    ours: int
    made: int
    script: int

    def modes(self, end: int) -> list[int]:
        return list(termios.tcgetattr(end))

    def switch(self, place: int, bits: int, *, on: bool) -> None:
        """As a program in the script does with the terminal that it prints to."""
        modes = termios.tcgetattr(self.script)
        modes[place] = modes[place] | bits if on else modes[place] & ~bits
        termios.tcsetattr(self.script, termios.TCSANOW, modes)

    def size(self, end: int) -> tuple[int, int]:
        rows, columns, *_ = struct.unpack("4H", fcntl.ioctl(end, termios.TIOCGWINSZ, bytes(8)))
        return rows, columns

    def set_size(self, end: int, rows: int, columns: int) -> None:
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))


@pytest.fixture
def pair() -> Iterator[Pair]:
    user, ours = os.openpty()
    made, script = os.openpty()
    yield Pair(user, ours, made, script)
    for end in (user, ours, made, script):
        os.close(end)


def test_the_scripts_terminal_begins_with_our_size_and_modes(pair: Pair) -> None:
    pair.set_size(pair.user, 33, 99)
    modes = termios.tcgetattr(pair.ours)
    modes[LOCAL] &= ~termios.ECHO
    termios.tcsetattr(pair.ours, termios.TCSANOW, modes)
    terminal = Terminal(pair.ours, pair.made)
    assert pair.size(pair.script) == (33, 99)
    assert not pair.modes(pair.script)[LOCAL] & termios.ECHO
    assert not pair.modes(pair.script)[OUTPUT] & termios.OPOST  # else line ends would be made twice
    assert pair.modes(pair.ours)[OUTPUT] & termios.OPOST
    assert not terminal.wants_keys


def test_a_new_size_of_ours_reaches_the_script(pair: Pair) -> None:
    terminal = Terminal(pair.ours, pair.made)
    pair.set_size(pair.user, 10, 20)
    assert pair.size(pair.script) != (10, 20)
    terminal.resize()
    assert pair.size(pair.script) == (10, 20)


def test_single_keys_are_wanted_from_where_the_script_says_so_until_it_takes_it_back(pair: Pair) -> None:
    terminal = Terminal(pair.ours, pair.made)
    pair.switch(LOCAL, termios.ICANON | termios.ECHO, on=False)
    assert not terminal.wants_keys  # not looked at yet
    terminal.follow()
    assert terminal.wants_keys
    assert not pair.modes(pair.ours)[LOCAL] & (termios.ICANON | termios.ECHO)
    pair.switch(LOCAL, termios.ICANON | termios.ECHO, on=True)
    terminal.follow()
    assert not terminal.wants_keys
    assert pair.modes(pair.ours)[LOCAL] & termios.ICANON


@pytest.mark.parametrize(
    ("place", "bits"), [(INPUT, termios.ICRNL), (LOCAL, termios.ECHO), (LOCAL, termios.ISIG)]
)
def test_modes_of_input_are_followed_and_put_back_at_the_end(pair: Pair, place: int, bits: int) -> None:
    before = termios.tcgetattr(pair.ours)
    terminal = Terminal(pair.ours, pair.made)
    pair.switch(place, bits, on=False)
    terminal.follow()
    assert not termios.tcgetattr(pair.ours)[place] & bits
    terminal.close()
    assert termios.tcgetattr(pair.ours) == before


def test_characters_are_followed_and_output_modes_are_not(pair: Pair) -> None:
    terminal = Terminal(pair.ours, pair.made)
    modes = termios.tcgetattr(pair.script)
    modes[CHARACTERS][termios.VINTR] = b"\x1d"
    termios.tcsetattr(pair.script, termios.TCSANOW, modes)
    terminal.follow()
    ours = termios.tcgetattr(pair.ours)
    assert ours[CHARACTERS][termios.VINTR] == b"\x1d" and ours[OUTPUT] & termios.OPOST


def test_what_the_script_never_changed_is_not_touched(pair: Pair) -> None:
    terminal = Terminal(pair.ours, pair.made)
    modes = termios.tcgetattr(pair.ours)
    modes[LOCAL] &= ~termios.ECHO  # by somebody else, meanwhile
    termios.tcsetattr(pair.ours, termios.TCSANOW, modes)
    terminal.follow()
    terminal.close()
    assert not termios.tcgetattr(pair.ours)[LOCAL] & termios.ECHO


def test_a_key_that_nobody_took_at_stdin_waits_where_the_script_prints(pair: Pair) -> None:
    terminal = Terminal(pair.ours, pair.made)
    for end in (pair.ours, pair.script):
        modes = termios.tcgetattr(end)
        modes[LOCAL] &= ~(termios.ICANON | termios.ECHO)
        termios.tcsetattr(end, termios.TCSANOW, modes)
    terminal.pass_keys()  # none was pressed: nothing happens
    assert not select.select([pair.script], [], [], 0)[0]
    os.write(pair.user, b"q")
    select.select([pair.ours], [], [], 5)
    terminal.pass_keys()
    assert select.select([pair.script], [], [], 5)[0]
    assert os.read(pair.script, 10) == b"q"


def test_a_terminal_that_is_gone_is_no_error_at_the_end() -> None:
    user, ours = os.openpty()
    made, script = os.openpty()
    terminal = Terminal(ours, made)
    modes = termios.tcgetattr(script)
    modes[LOCAL] &= ~termios.ECHO
    termios.tcsetattr(script, termios.TCSANOW, modes)
    terminal.follow()
    os.close(user)
    terminal.close()
    for end in (ours, made, script):
        os.close(end)
