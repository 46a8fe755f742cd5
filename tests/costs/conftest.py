"""The seeded price book."""

from __future__ import annotations

import pytest

from costs.price_book import seed_prices
from tests.registry.conftest import make_function, report

__all__ = ["make_function", "report"]


@pytest.fixture
def prices(db: None) -> None:
    seed_prices()
