"""All accounts and regions the registry looks into, one after the other: one that fails hinders no other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from core.aws.clients import OWN, Access, account_number
from core.aws.errors import AwsError
from services_registry.models import AwsAccount, Function, SyncRun
from services_registry.registry.sync import SyncResult, sync_functions
from services_registry.registry.who import name_the_persons

FAILURES_KEPT = 100


@dataclass(frozen=True, slots=True)
class Place:
    """One region of one account; `account` is None for the platform's own without a row."""

    account: AwsAccount | None
    region: str

    @property
    def access(self) -> Access:
        return access_of(self.account)


def access_of(account: AwsAccount | None) -> Access:
    return OWN if account is None else Access(account.role_arn, account.external_id)


def access_to(function: Function) -> Access:
    """With whose rights its account is entered; our own where no account is on record for it."""
    return access_of(AwsAccount.objects.filter(number=function.account).first() if function.account else None)


def places() -> Iterator[Place]:
    """What is synced now. Without any account on record: the platform's own region with its own credentials."""
    accounts = list(AwsAccount.objects.filter(active=True))
    if not accounts and not AwsAccount.objects.exists():
        yield Place(None, settings.AWS_REGION)
    for account in accounts:
        for region in account.regions or [settings.AWS_REGION]:
            yield Place(account, region)


def sync_all(*, full: bool = False) -> list[SyncRun]:
    """Sync every place; what came of each is a row that stays."""
    return [sync_place(place, full=full) for place in places()]


def sync_place(place: Place, *, full: bool = False) -> SyncRun:
    """Sync one place and keep what came of it. Never raises for AWS: the reason is on the row."""
    run = SyncRun.objects.create(account=place.account, region=place.region, full=full)
    try:
        if place.account is not None:
            _remember_number(place.account)
        _keep(run, sync_functions(region=place.region, access=place.access, full=full))
    except AwsError as error:
        run.problem = str(error)[:500]
    else:
        run.trail_problem = name_the_persons(since=run.started, region=place.region, access=place.access)[:300]
    run.finished = timezone.now()
    run.save()
    return run


def _remember_number(account: AwsAccount) -> None:
    number = account_number(access_of(account))
    if number != account.number:
        account.number = number
        account.save(update_fields=["number"])


def _keep(run: SyncRun, result: SyncResult) -> None:
    for name in ("seen", "created", "changed", "unchanged", "gone"):
        setattr(run, name, getattr(result, name))
    run.failed, run.failed_count = result.failed[:FAILURES_KEPT], len(result.failed)
