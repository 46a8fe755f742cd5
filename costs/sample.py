"""Setup steps: first content of the price book and the usage mapping, the sample bill, and the sums that pages read."""

from collections.abc import Callable

from core import slots
from costs import sums
from costs.ec2_other.seed import seed_mapping
from costs.models import WhatIf
from costs.price_book import seed_prices
from costs.reconciliation import refresh as reconciliation
from costs.samples.step import take_sample_bill
from costs.what_if.keep import refresh_what_ifs
from costs.what_if.seed import seed_servers


def _seed(log: Callable[[str], None]) -> None:
    log(
        f"{seed_prices()} prices and {seed_servers()} sizes of servers added, {seed_mapping()} rows of the usage mapping"
    )


def _sums(log: Callable[[str], None]) -> None:
    log(f"{sums.refresh_late()} sums of estimated costs")


def _reconcile(log: Callable[[str], None]) -> None:
    log(f"{reconciliation.refresh()} months of bills held against estimates")


def _what_ifs(log: Callable[[str], None]) -> None:
    """Once, so that the list need not wait for the night."""
    if not WhatIf.objects.exists():
        log(f"{refresh_what_ifs()} functions reckoned otherwise")


slots.setup_steps.register(
    slots.SetupStep("prices", _seed, order=15),
    slots.SetupStep("sample-bill", take_sample_bill, order=60, sample_only=True),
    slots.SetupStep("cost-sums", _sums, order=92),
    slots.SetupStep("what-ifs", _what_ifs, order=93),
    slots.SetupStep("reconciliation", _reconcile, order=94),
)
