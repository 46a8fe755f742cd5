"""Setup step: the exchange bucket through which large payloads travel, with its expiry rule."""

from collections.abc import Callable

from core import slots
from core.aws.errors import AwsError
from core.aws.storage import ensure_bucket


def _bucket(log: Callable[[str], None]) -> None:
    try:
        ensure_bucket()
    except AwsError as error:
        log(f"the exchange bucket could not be checked; large payloads will fail until it is there: {error}")
        return
    log("the exchange bucket is there and empties itself")


slots.setup_steps.register(slots.SetupStep("exchange-bucket", _bucket, order=5))
