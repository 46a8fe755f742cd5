"""Setup steps: the exchange bucket through which large payloads travel, and a first sync of the functions."""

from collections.abc import Callable

from django.conf import settings

from core import slots
from core.aws.errors import AwsError
from core.aws.storage import ensure_bucket
from services_registry.registry import sync_functions as sync_from_aws


def _bucket(log: Callable[[str], None]) -> None:
    try:
        ensure_bucket()
    except AwsError as error:
        log(f"the exchange bucket could not be checked; large payloads will fail until it is there: {error}")
        return
    log("the exchange bucket is there and empties itself")


slots.setup_steps.register(slots.SetupStep("exchange-bucket", _bucket, order=5))
