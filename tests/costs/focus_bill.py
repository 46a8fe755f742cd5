"""Small FOCUS bills, taken in by the command like any other."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management import call_command

from costs.samples.lines import Row, write

EC2 = ("Amazon Elastic Compute Cloud", "AmazonEC2")
VPC = ("Amazon Virtual Private Cloud", "AmazonVPC")
LAMBDA = ("AWS Lambda", "AWSLambda")
OCTOBER = date(2026, 10, 1)


def line(usage_type: str, cost: str, *, service: tuple[str, str] = EC2, day: date = OCTOBER, **more: Any) -> Row:
    """One line of one day in eu-west-1 of the account that `make_function` uses."""
    given: dict[str, Any] = {
        "until": day + timedelta(days=1), "resource": "", "quantity": Decimal(1), "unit": "GB", "region": "eu-west-1",
        "account": "123456789012",
    }  # fmt: skip
    return Row(
        day=day, service=service[0], code=service[1], usage_type=usage_type, listed=Decimal(cost), **given | more
    )


def take(tmp_path: Path, rows: Iterable[Row], name: str = "bill.csv") -> None:
    path = tmp_path / name
    with path.open("w") as file:
        write(rows, file)
    call_command("import_costs", str(path), stdout=(tmp_path / "answer.json").open("w"))
