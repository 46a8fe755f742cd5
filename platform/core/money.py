"""How money is written. Values are Decimal with a currency; rounding happens here and nowhere else."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

SYMBOLS = {"USD": "$", "EUR": "€"}
ESTIMATE_MARK = "≈"
_SMALLEST_CENT = Decimal("0.01")
NO_VALUE = "–"


def format_money(amount: Decimal | None, currency: str = "USD", *, estimate: bool = False) -> str:
    """`$1,234.50`, `≈ €0.0042`, `–` for no value.

    Two decimals from a cent up; below, as many as show two figures (single invocations cost fractions of a cent).
    """
    if amount is None:
        return NO_VALUE
    value = Decimal(amount)
    text = f"{_rounded(abs(value)):,f}"
    sign = "-" if value < 0 and text.strip("0.,") else ""
    symbol = SYMBOLS.get(currency)
    written = f"{sign}{symbol}{text}" if symbol else f"{sign}{text} {currency}"
    return f"{ESTIMATE_MARK} {written}" if estimate else written


def _rounded(value: Decimal) -> Decimal:
    if value == 0 or value >= _SMALLEST_CENT:
        return value.quantize(_SMALLEST_CENT, rounding=ROUND_HALF_EVEN)
    step = Decimal(1).scaleb(max(value.adjusted() - 1, -10))
    return value.quantize(step, rounding=ROUND_HALF_EVEN)
