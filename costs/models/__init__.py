"""Tables of costs."""

from costs.models.prices import ExchangeRate, Price

__all__ = ["ExchangeRate", "Price"]
