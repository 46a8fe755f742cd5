"""Setup step: the price book's first content, in every installation."""

from collections.abc import Callable

from core import slots
from costs.price_book import seed_prices


def _seed(log: Callable[[str], None]) -> None:
    log(f"{seed_prices()} prices added")


slots.setup_steps.register(slots.SetupStep("prices", _seed, order=15))
