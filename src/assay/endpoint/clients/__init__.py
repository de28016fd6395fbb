"""Client processes: they carry the streams, so that one core is not the limit of what can be measured."""
