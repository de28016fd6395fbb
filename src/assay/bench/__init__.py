"""One benchmark, from what was asked for to a report and a submission."""
