"""The main job end to end, without a person: what `make demo` runs."""
