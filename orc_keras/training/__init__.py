"""A stage of a run, from its begin to its end, whatever happens between."""
