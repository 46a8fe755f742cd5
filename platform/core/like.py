"""Texts that people type, for LIKE and ILIKE: their own signs are meant literally."""


def literal(text: str) -> str:
    """`text` with the signs that LIKE takes specially escaped."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def contains(text: str) -> str:
    """The pattern of everything that has `text` in it."""
    return f"%{literal(text)}%"
