"""Setup steps: the price book's first content, in every installation, and the sums that pages read."""

from collections.abc import Callable

from core import slots
from costs import sums
from costs.price_book import seed_prices
from costs.what_if.seed import seed_servers


def _seed(log: Callable[[str], None]) -> None:
    log(f"{seed_prices()} prices and {seed_servers()} sizes of servers added")


def _sums(log: Callable[[str], None]) -> None:
    log(f"{sums.refresh_late()} sums of estimated costs")


slots.setup_steps.register(slots.SetupStep("prices", _seed, order=15), slots.SetupStep("cost-sums", _sums, order=92))
