"""What a server is and what it can do, found by asking it.

identify    the kind of server, its model and context, from the addresses that each kind has
trial       the first API that answers, with the exactness that it really has
caching     whether a prompt that came before is answered sooner
checks      counts, stop ids, minimum, beginning-of-sequence, sampling defaults
report      all of it as one value
"""
