"""What can be asked about a request or a repository: plan, explanation, lint, lock, records, container."""
