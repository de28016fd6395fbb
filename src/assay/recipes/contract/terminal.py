"""A terminal for a native script. It behaves like ours, and the runner sees the script's output before it passes it on.

The script's stdin, its Ctrl-C and `/dev/tty` belong to our terminal. Size, modes, and keys that the script waits for
at its output are passed between the two.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import termios
import time

KEY_SECONDS = 0.03  # a program that waits for a key at stdin takes it within this time
KEYS_BYTES = 4096
INPUT, OUTPUT, LOCAL, CHARACTERS = 0, 1, 3, 6  # indexes into the list of tcgetattr


class Terminal:
    """Our terminal at the descriptor `ours`, and the script's terminal. `made` is our end of the latter."""

    def __init__(self, ours: int, made: int) -> None:
        self.ours = ours
        self.made = made
        self._before = termios.tcgetattr(ours)
        modes = termios.tcgetattr(ours)
        modes[OUTPUT] &= ~termios.OPOST  # our terminal converts line ends
        termios.tcsetattr(made, termios.TCSANOW, modes)
        self._at_start = self._seen = termios.tcgetattr(made)
        self.resize()

    @property
    def wants_keys(self) -> bool:
        """Whether a program has switched its output terminal from lines to single keys, as pagers and forms do."""
        return not self._seen[LOCAL] & termios.ICANON

    def follow(self) -> None:
        """Copies changed modes from the script's terminal to ours."""
        modes = termios.tcgetattr(self.made)
        if modes != self._seen:
            self._seen = modes
            ours = list(self._before)
            if modes != self._at_start:
                for part in (INPUT, LOCAL, CHARACTERS):
                    ours[part] = modes[part]
            termios.tcsetattr(self.ours, termios.TCSADRAIN, ours)

    def pass_keys(self) -> None:
        """Passes a pressed key on. A program that reads stdin takes it at once; otherwise it is sent to the script's
        output terminal."""
        time.sleep(KEY_SECONDS)
        if select.select([self.ours], [], [], 0)[0]:
            with contextlib.suppress(OSError):  # ours may be open only for writing
                os.write(self.made, os.read(self.ours, KEYS_BYTES))

    def resize(self) -> None:
        """Sets the size of the script's terminal to that of ours."""
        size = fcntl.ioctl(self.ours, termios.TIOCGWINSZ, bytes(8))
        fcntl.ioctl(self.made, termios.TIOCSWINSZ, size)

    def close(self) -> None:
        """Restores the modes of our terminal."""
        if self._seen != self._at_start:
            with contextlib.suppress(termios.error):  # the terminal is gone
                termios.tcsetattr(self.ours, termios.TCSADRAIN, self._before)
