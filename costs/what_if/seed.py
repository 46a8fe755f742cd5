"""The servers that what-ifs look at first: burstable sizes, the smallest that AWS sells. Edited in the admin afterwards."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from costs.models import ServerType

SOURCE = "Amazon EC2 User Guide, burstable performance instances: vCPUs, memory, baseline utilization of a vCPU"
CHECKED = date(2026, 11, 23)
# size: vCPUs, MB, baseline; the same for t3 (x86_64) and t4g (arm64)
_SIZES = """
nano     2    512  0.05
micro    2   1024  0.10
small    2   2048  0.20
medium   2   4096  0.20
large    2   8192  0.30
xlarge   4  16384  0.40
2xlarge  8  32768  0.40
"""


def seed_servers() -> int:
    """Add those that are missing; returns how many were."""
    before = ServerType.objects.count()
    rows = []
    for line in _SIZES.strip().splitlines():
        size, vcpus, memory, baseline = line.split()
        for family, architecture in (("t3", "x86_64"), ("t4g", "arm64")):
            rows.append(
                ServerType(
                    name=f"{family}.{size}", architecture=architecture, vcpus=int(vcpus), memory_mb=int(memory),
                    baseline=Decimal(baseline), source=SOURCE, checked_on=CHECKED,
                )
            )  # fmt: skip
    ServerType.objects.bulk_create(rows, ignore_conflicts=True)
    return ServerType.objects.count() - before
