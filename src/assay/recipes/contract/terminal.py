"""A terminal for a native script, like ours, whose output the runner sees on its way to ours.

The script's stdin, its Ctrl-C and `/dev/tty` are our terminal itself. What a program may want of the terminal that it
prints to is passed from one to the other: the size, the modes, and keys where it waits for them there.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import termios
import time

KEY_SECONDS = 0.03  # the time in which a program that waits for a key at stdin has taken it
KEYS_BYTES = 4096
INPUT, OUTPUT, LOCAL, CHARACTERS = 0, 1, 3, 6  # places in what termios calls modes


class Terminal:
    """Our terminal at the descriptor `ours`, and the script's one, whose other end is `made`."""

    def __init__(self, ours: int, made: int) -> None:
        self.ours = ours
        self.made = made
        self._before = termios.tcgetattr(ours)
        modes = termios.tcgetattr(ours)
        modes[OUTPUT] &= ~termios.OPOST  # line ends are made by ours
        termios.tcsetattr(made, termios.TCSANOW, modes)
        self._at_start = self._seen = termios.tcgetattr(made)
        self.resize()

    @property
    def wants_keys(self) -> bool:
        """Has a program switched the terminal it prints to from lines to single keys, as pagers and forms do?"""
        return not self._seen[LOCAL] & termios.ICANON

    def follow(self) -> None:
        """Change at ours what a program has changed at its own."""
        modes = termios.tcgetattr(self.made)
        if modes != self._seen:
            self._seen = modes
            ours = list(self._before)
            if modes != self._at_start:
                for part in (INPUT, LOCAL, CHARACTERS):
                    ours[part] = modes[part]
            termios.tcsetattr(self.ours, termios.TCSADRAIN, ours)

    def pass_keys(self) -> None:
        """A key was pressed: a program that reads at stdin has it at once, else one waits for it where it prints."""
        time.sleep(KEY_SECONDS)
        if select.select([self.ours], [], [], 0)[0]:
            with contextlib.suppress(OSError):  # ours may be open for writing alone
                os.write(self.made, os.read(self.ours, KEYS_BYTES))

    def resize(self) -> None:
        """Give the script's the size of ours."""
        size = fcntl.ioctl(self.ours, termios.TIOCGWINSZ, bytes(8))
        fcntl.ioctl(self.made, termios.TIOCSWINSZ, size)

    def close(self) -> None:
        """Leave ours as it was."""
        if self._seen != self._at_start:
            with contextlib.suppress(termios.error):  # it is gone
                termios.tcsetattr(self.ours, termios.TCSADRAIN, self._before)
