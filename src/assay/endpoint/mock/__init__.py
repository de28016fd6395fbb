"""A server without a model, for tests of clients: it answers as its script says. User's page: docs/mock.md.

script      what it does: pace, queue, prefix cache, faults
ask         what a request asks for, in each API
forms       the events of an answer, in each API
answer      the bytes of an answer, made once and kept
prefixes    a simulated prefix cache with counters
state       counters, queue, log: what all connections share
facts       what is answered besides answers: health, models, metrics, log
connection  HTTP/1.1 on asyncio: one request after another
"""
