"""Who made the changes that a sync found: asked of CloudTrail, where it tells."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from core.aws.clients import Access
from core.aws.errors import AwsError
from core.aws.trail import Deed, deeds_on
from services_registry.models import FunctionRevision

MOST_LOOKUPS = 40  # a run: CloudTrail allows two a second, and a mass deployment must not hold up the sync for long
BEFORE_SEEN = timedelta(days=2)  # a change is seen within an hour as a rule; after an outage later


def name_the_persons(*, since: datetime, region: str, access: Access) -> str:
    """Fill in `by` of revisions seen since then; returns why CloudTrail did not tell, empty when it did."""
    seen = FunctionRevision.objects.filter(seen__gte=since, by="", function__region=region).exclude(changes={})
    for revision in seen.select_related("function").order_by("pk")[:MOST_LOOKUPS]:
        try:
            deeds = deeds_on(revision.function.name, since=revision.seen - BEFORE_SEEN, region=region, access=access)
        except AwsError as error:
            return str(error)
        revision.by = _person(deeds, revision)[:200]
        if revision.by:
            revision.save(update_fields=["by"])
    return ""


def _person(deeds: Iterable[Deed], revision: FunctionRevision) -> str:
    """Whoever changed the function last before we saw it; nearest to LastModified where AWS states that."""
    before = [deed for deed in deeds if deed.at <= revision.seen and deed.person]
    if not before:
        return ""
    if revision.changed is None:
        return max(before, key=lambda deed: deed.at).person
    changed = revision.changed
    return min(before, key=lambda deed: abs(deed.at - changed)).person
