"""Tools around a request or a repository: plan, explanation, lint, lock, records, container."""
