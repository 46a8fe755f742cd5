"""Estimated cost of usage, to the last digit, before any bill comes.

`book`     what one usage costs at the price that held on its day
`past`     how a function was configured on a day, by its revisions
`warm`     what environments that are kept warm cost, called or not
`account`  what the volume of an account takes off: price tiers and the free tier, never a function's
`days`     every function and day together: what the pages add up
"""

from costs.estimate.book import (
    EXACT,
    MB_MS_PER_GB_S,
    PriceBook,
    estimate,
    euro_rate,
    exact_sum,
    in_currency,
    price_of,
    rate_on,
    tiered_usd,
)

__all__ = [
    "EXACT",
    "MB_MS_PER_GB_S",
    "PriceBook",
    "estimate",
    "euro_rate",
    "exact_sum",
    "in_currency",
    "price_of",
    "rate_on",
    "tiered_usd",
]
