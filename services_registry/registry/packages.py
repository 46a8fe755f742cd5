"""What is published, and what we measured, about the sizes of packages. Facts that age: each with its source and date."""

from __future__ import annotations

from datetime import date

UNZIPPED_LIMIT = 262_144_000
"""Bytes of code and layers together, unpacked: AWS's "250 MB" for a function deployed as zip."""
LIMIT_SOURCE = "AWS Lambda Developer Guide, Lambda quotas"
LIMIT_CHECKED = date(2026, 11, 23)
NEAR = 0.8
"""From this share of the limit on a package is worth a look."""

RATIOS = {"python": 3.0, "nodejs": 3.1, "java": 1.1, "": 2.0}
"""Unpacked bytes for one zipped byte, by family of runtime; "" for all others (compiled binaries)."""
RATIOS_SOURCE = (
    "measured by us with zip's usual compression: 13 Python packages (277 MB; single ones 1.3 to 7.5), npm and corepack,"
    " 200 jars, and one compiled binary"
)
RATIOS_CHECKED = date(2026, 11, 24)
ENOUGH = 5
"""From so many measured packages of a family on, the fleet's own ratio is taken."""


def family_of(runtime: str) -> str:
    """`python3.12` is of the family `python`; what is none of the measured ones is of "" """
    return next((family for family in RATIOS if family and runtime.startswith(family)), "")
