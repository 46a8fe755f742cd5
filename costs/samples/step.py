"""The step of the first start that takes the sample bill in, by the importer that every bill goes through."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, date
from pathlib import Path

from django.utils import timezone

from costs.billed import SAMPLE_DOOR
from costs.ec2_other.choices import GroupBy
from costs.imports.sources import on_disk
from costs.imports.taking import take_file
from costs.models import CostImport, ResourceUse
from costs.samples.bill import INTERFACE_ALONE, INTERFACE_OF_LABELS, bill_rows
from costs.samples.lines import write
from services_registry.models import Function

_KNOWN_BY = "sample data: the security group of the interface"


def take_sample_bill(log: Callable[[str], None]) -> None:
    """Once: where a sample bill was ever taken in, also one that was taken back, nothing is done."""
    functions = list(Function.objects.filter(sample=True).order_by("name"))
    if not functions or CostImport.objects.filter(door=SAMPLE_DOOR).exists():
        log("no sample bill is needed")
        return
    until = timezone.now().astimezone(UTC).date()
    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="ascii") as file:
        count = write(bill_rows(functions, until), file)
        file.flush()
        with on_disk(Path(file.name), f"sample-bill-{until:%Y-%m-%d}.csv") as opened:
            take_file(opened, door=SAMPLE_DOOR)
    _name_interfaces(functions, until)
    log(f"a sample bill of {count} lines taken in")


def _name_interfaces(functions: list[Function], until: date) -> None:
    """Whose the two interfaces are that the sample bill tells apart."""
    groups = {name: (function.vpc or {}).get("security_groups") for name, function in _telling(functions).items()}
    for resource, values in groups.items():
        if values:
            ResourceUse.objects.get_or_create(
                resource=resource, valid_from=until.replace(year=until.year - 1, day=1),
                defaults={"group_by": GroupBy.SECURITY_GROUP, "value": values[0], "source": _KNOWN_BY},
            )  # fmt: skip


def _telling(functions: list[Function]) -> dict[str, Function]:
    found: dict[str, Function] = {}
    for function in functions:
        if function.name.startswith("labels-"):
            found.setdefault(INTERFACE_OF_LABELS, function)
        if function.name == "partners-import-iberpost-edi":
            found[INTERFACE_ALONE] = function
    return found
