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
    bill = _together(file, account) if file.kind == "folder" else _one(file, account)
    if not bill.lines:
        raise UnreadableBillError(_("The file has no charges in it."))
    return bill


def _one(file: Opened, account: str) -> Bill:
    tag = settings.COST_CAPABILITY_TAG
    if file.kind == "json":
        return read_answer(file, account=account, capability_tag=tag)
    return read_table(file, capability_tag=tag)


def _together(file: Opened, account: str) -> Bill:
    """The parts of one bill. One that cannot be read refuses them all."""
    whole: Bill | None = None
    for part in file.parts:
        try:
            bill = _one(part, account)
        except UnreadableBillError as error:
            raise UnreadableBillError(f"{part.name}: {error}") from error
        if whole is None:
            whole = bill
        elif whole.source != bill.source:
            raise UnreadableBillError(_("The folder mixes bills of different kinds: %s.") % part.name)
        else:
            whole.rows += bill.rows
            for key, sums, lines in bill:
                whole.add(key, sums, lines)
    return whole or Bill("", "")
