"""When AWS deprecates a runtime, as published. Deprecated functions still run; they can no longer be changed safely."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

SOURCE = "AWS Lambda Developer Guide, Lambda runtimes, through endoflife.date (snapshot of 2026-08-22)"
CHECKED = date(2026, 11, 23)

# runtimes: deprecated on, creating and updating functions blocked on
_ROWS = """
nodejs14.x python3.7                                    2023-12-04 2027-03-03
go1.x java8 provided                                    2024-01-08 2027-03-03
nodejs16.x                                              2024-06-12 2027-03-03
python3.8                                               2024-10-14 2027-03-03
dotnet6                                                 2024-12-20 2027-03-03
nodejs18.x                                              2025-09-01 2027-03-03
python3.9                                               2025-12-15 2027-03-03
ruby3.2                                                 2026-03-31 2027-03-03
nodejs20.x                                              2026-04-30 2027-03-03
provided.al2                                            2026-07-31 2027-03-03
python3.10                                              2026-10-31 2027-03-03
dotnet8                                                 2026-11-10 2027-03-03
ruby3.3                                                 2027-03-31 2027-05-31
nodejs22.x                                              2027-04-30 2027-07-01
python3.11 java8.al2 java11 java17                      2027-06-30 2027-08-31
ruby3.4                                                 2028-03-31 2028-05-31
nodejs24.x                                              2028-04-30 2028-07-01
python3.12                                              2028-10-31 2029-01-10
dotnet10                                                2028-11-14 2029-01-15
ruby4.0                                                 2029-03-31 2029-05-31
python3.13 python3.14 java21 java25 provided.al2023     2029-06-30 2029-08-31
java8.al2023 java11.al2023 java17.al2023                2029-06-30 2029-08-31
"""


@dataclass(frozen=True, slots=True)
class Deprecation:
    """`on`: no more patches and no support; `blocked`: the function's code and configuration can no longer change."""

    runtime: str
    on: date
    blocked: date


def _parsed() -> dict[str, Deprecation]:
    found: dict[str, Deprecation] = {}
    for row in _ROWS.strip().splitlines():
        *names, on, blocked = row.split()
        found |= {name: Deprecation(name, date.fromisoformat(on), date.fromisoformat(blocked)) for name in names}
    return found


_DEPRECATIONS = _parsed()


def deprecation_of(runtime: str) -> Deprecation | None:
    """The dates of a runtime; None for container images and for runtimes whose dates are not published."""
    return _DEPRECATIONS.get(runtime)
