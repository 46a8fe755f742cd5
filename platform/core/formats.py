"""How durations, sizes and ids are written for people. Units are in the argument names."""

from __future__ import annotations

NO_VALUE = "–"


def duration_ms_text(milliseconds: float | None) -> str:
    """`4.2 ms`, `312 ms`, `4.1 s`, `3 min 20 s`, `2 h 05 min`."""
    if milliseconds is None:
        return NO_VALUE
    value = float(milliseconds)
    if value < 0:
        return "-" + duration_ms_text(-value)
    if value < 999.5:
        return f"{value:.1f} ms" if 0 < value < 9.95 else f"{value:.0f} ms"
    seconds = value / 1000
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min"


def bytes_text(size: float | None) -> str:
    """`812 B`, `4.1 kB`, `6.0 MB`: decimal units, as AWS bills; limits that AWS states in MiB say so themselves."""
    if size is None:
        return NO_VALUE
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if abs(value) < 999.5:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:,.1f} TB"


def short_id_text(identifier: object, keep: int = 12) -> str:
    """Shortened in the middle: both ends tell ids apart."""
    text = str(identifier or "")
    if len(text) <= keep + 1:
        return text
    head = (keep + 1) // 2
    return f"{text[:head]}…{text[-(keep - head) :]}"
