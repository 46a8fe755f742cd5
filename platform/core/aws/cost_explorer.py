"""Cost Explorer: what AWS has billed, by day. AWS takes money for every request, so each page is asked for by name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from core.aws.clients import OWN, Access, management_client

REGION = "us-east-1"  # the one place where Cost Explorer and the price list are asked, whatever region is billed
METRICS = ("UnblendedCost", "AmortizedCost", "UsageQuantity")


def cost_and_usage(
    first: date, end: date, *, group_by: Sequence[str], page: str = "", access: Access = OWN
) -> dict[str, Any]:
    """One page of GetCostAndUsage by day, as AWS answers it; `NextPageToken` in it leads to the next one.

    Args:
        end: the first day that is not asked for.
        group_by: at most two of SERVICE, USAGE_TYPE, LINKED_ACCOUNT, ..., or TAG:<key>.

    Raises:
        AwsError: Cost Explorer cannot be asked, or does not allow it. The request may have been charged.
    """
    client = management_client("ce", REGION, access)
    groups = [
        {"Type": "TAG", "Key": name.removeprefix("TAG:")}
        if name.startswith("TAG:")
        else {"Type": "DIMENSION", "Key": name}
        for name in group_by
    ]
    more = {"NextPageToken": page} if page else {}
    answer: dict[str, Any] = client.get_cost_and_usage(
        TimePeriod={"Start": first.isoformat(), "End": end.isoformat()}, Granularity="DAILY", Metrics=list(METRICS),
        GroupBy=groups, **more,
    )  # fmt: skip
    answer.pop("ResponseMetadata", None)
    return answer
