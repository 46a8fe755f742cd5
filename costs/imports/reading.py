"""One door for all formats: a file on disk becomes a `Bill`."""

from __future__ import annotations

from django.conf import settings
from django.utils.translation import gettext as _

from costs.imports.cost_explorer import read_answer
from costs.imports.shapes import Bill, UnreadableBillError
from costs.imports.sources import Opened
from costs.imports.tables import read_table


def read_bill(file: Opened, *, account: str = "") -> Bill:
    """Everything the file says, exact.

    Args:
        account: whose Cost Explorer answered; such answers do not name it.

    Raises:
        UnreadableBillError: no format we know, or a line that cannot be read.
    """
    tag = settings.COST_CAPABILITY_TAG
    table = file.kind != "json"
    bill = read_table(file, capability_tag=tag) if table else read_answer(file, account=account, capability_tag=tag)
    if not bill.lines:
        raise UnreadableBillError(_("The file has no charges in it."))
    return bill
