"""Why a bill says another amount than the estimate."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Reason(models.TextChoices):
    """Each is an amount that, added to the estimate, leads towards what was billed. In the order of the page."""

    MISSING = "missing", _("Days without reports")
    NOT_BILLED = "not_billed", _("Days not billed yet")
    NOT_ESTIMATED = "not_estimated", _("Usage that is not estimated")
    FREE_TIER = "free_tier", _("Free tier")
    DISCOUNT = "discount", _("Negotiated price")
    PLAN = "plan", _("Savings Plan")
    CREDITS = "credits", _("Credits and refunds")
    FEES = "fees", _("Fees and commitments")
    TAX = "tax", _("Tax")
    PRICE = "price", _("Another list price")
    ROUNDING = "rounding", _("Rounding")


WORDS = {
    Reason.MISSING: _("The bill has usage on days of which no report came in; at our list price."),
    Reason.NOT_BILLED: _("Reports of days that the bill does not tell of yet; at our list price."),
    Reason.NOT_ESTIMATED: _("Usage types that estimates leave out, for example transfer; at the bill's list price."),
    Reason.FREE_TIER: _("Usage that the bill lists at nothing."),
    Reason.DISCOUNT: _("The contracted (or effective) price against the list price."),
    Reason.PLAN: _(
        "Usage that a Savings Plan covers is billed elsewhere, as the plan's fee: billed against effective cost."
    ),
    Reason.CREDITS: _("Credits, refunds and discounts on lines of their own."),
    Reason.FEES: _("Purchases and fees on lines of their own."),
    Reason.TAX: _("Tax on lines of its own."),
    Reason.PRICE: _(
        "The bill's list price of the same usage against our price book: tiers, or a price that we do not know."
    ),
    Reason.ROUNDING: _("Bills round each line; differences up to a hundred-millionth on a line."),
}
