"""Who changed what, as far as CloudTrail tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.aws.clients import OWN, Access, management_client

MOST_EVENTS = 50  # a page; CloudTrail allows two look-ups a second for an account and region (2026-11-23)


@dataclass(frozen=True, slots=True)
class Deed:
    """One management event that changed a resource."""

    at: datetime
    event: str
    person: str


def deeds_on(name: str, *, since: datetime, region: str, access: Access = OWN) -> list[Deed]:
    """Writing events of the last 90 days at most that name this resource, newest first; one page.

    Raises:
        AwsError: CloudTrail cannot be asked, or does not allow it.
    """
    client = management_client("cloudtrail", region, access)
    answer = client.lookup_events(
        LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": name}],
        StartTime=max(since, datetime.now(UTC) - timedelta(days=90)),
        MaxResults=MOST_EVENTS,
    )
    return [
        Deed(event["EventTime"].astimezone(UTC), event.get("EventName", ""), event.get("Username", ""))
        for event in answer.get("Events", [])
        if str(event.get("ReadOnly", "false")).lower() != "true"
    ]
