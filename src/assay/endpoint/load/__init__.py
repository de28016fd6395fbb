"""Load on a server without LoadGen: closed loops and Poisson rates, one level after another. User's page: docs/load.md.

level    what a level asks of the server
timing   an answer with the arrival of each of its chunks
drive    runs one level with the client, or its share of one
process  a process that does so
fleet    several of them, together a level
figures  what a level came to: percentiles, throughput, goodput, Pareto points
record   load.json and the rows of requests.parquet
"""
