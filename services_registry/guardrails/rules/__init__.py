"""One rule a module; a new file is a new rule."""
