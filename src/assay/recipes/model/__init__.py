"""What recipes mean, as pure rules over plain values: nothing here reads a file or starts a process."""
