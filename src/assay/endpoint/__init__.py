"""A server over the network: token ids in, token ids out. Knows nothing of MLPerf, of SUTs and of torch.

sampling, prompt    what is asked for
delta, failure      what comes back, event by event, and how it can fail
api                 one Protocol for every kind of server; one file per kind under `apis/`
framing             bytes to events: `sse`, `json_lines`
single              one request after another: for probes, never for load
probe/              what a server is and can do
mock/               a server without a model, for tests
"""
