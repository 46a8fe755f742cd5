"""A token bucket that all processes share: keeps us under AWS's rate for management calls.

The bucket is one key in Valkey: the moment from which on nothing is booked (the generic cell rate algorithm, which is a
token bucket that needs only one number). Taking a token books the next free moment and waits for it, so nobody is
overtaken, and Valkey's own clock counts. While Valkey is away each process keeps to its share by itself.
"""

from __future__ import annotations

import logging
import threading
import time
from functools import lru_cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.aws.errors import AwsThrottled

logger = logging.getLogger(__name__)

LONGEST_WAIT_S = 60
"""Whoever would have to wait longer is refused instead: a queue of minutes helps nobody."""
ALONE_SHARE = 4
"""Processes that may be calling at once: two web workers, the worker, beat. Without Valkey each has this part."""
VALKEY_TIMEOUT_S = 0.5
ASK_AGAIN_S = 5

# All times in microseconds. Answers the wait; a wait above ARGV[3] is not booked.
_BOOK = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local free = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
local wait = math.max(0, free - ARGV[2] - now)
if wait <= tonumber(ARGV[3]) then
  local upto = free + ARGV[1]
  redis.call('SET', KEYS[1], string.format('%.0f', upto), 'PX', math.ceil((upto - now) / 1000) + 1000)
end
return string.format('%.0f', wait)
"""


class LocalBucket:
    """`rate` calls a second on average, at most `burst` at once, for the threads of this process."""

    def __init__(self, rate: float, burst: int = 1) -> None:
        self._interval = 1 / rate
        self._ahead = (burst - 1) * self._interval
        self._free = 0.0
        self._lock = threading.Lock()

    def book(self) -> float:
        """Seconds until the call may go; nothing is booked when that is more than `LONGEST_WAIT_S`."""
        with self._lock:
            now = time.monotonic()
            free = max(self._free, now)
            wait = max(0.0, free - self._ahead - now)
            if wait <= LONGEST_WAIT_S:
                self._free = free + self._interval
        return wait


class SharedBucket:
    """`rate` calls a second on average, at most `burst` at once, of all processes that use the same Valkey.

    Args:
        name: what is limited, for example `management:eu-central-1`; one Valkey serves one AWS account.
    """

    def __init__(self, name: str, rate: float, burst: int = 1) -> None:
        self._key = f"aws-rate:{name}"
        self._interval_us = 1_000_000 / rate
        self._ahead_us = (burst - 1) * self._interval_us
        self._alone = LocalBucket(rate / ALONE_SHARE)
        self._away_until = 0.0

    def take(self) -> float:
        """Wait until a call is allowed; returns the seconds waited. No lock is held meanwhile.

        Raises:
            AwsThrottled: the queue is longer than `LONGEST_WAIT_S`; nothing was asked of AWS.
        """
        wait = self.book()
        if wait > LONGEST_WAIT_S:
            message = f"Too many management calls are waiting already (about {wait:.0f} s); none was made."
            raise AwsThrottled(message, retry_after=wait, reason="OwnRateLimit")
        if wait:
            time.sleep(wait)
        return wait

    def book(self) -> float:
        """Count one call without waiting for its turn; seconds until that. More than `LONGEST_WAIT_S`: not counted."""
        if time.monotonic() < self._away_until:
            return self._alone.book()
        arguments = [self._interval_us, self._ahead_us, LONGEST_WAIT_S * 1_000_000]
        try:
            answer = _script()(keys=[self._key], args=arguments)
        except redis.RedisError as error:
            self._valkey_is_away(error)
            return self._alone.book()
        if self._away_until:
            self._away_until = 0.0
            logger.info("Valkey is back, AWS rate is shared again key=%s", self._key)
        return float(answer) / 1_000_000

    def _valkey_is_away(self, error: redis.RedisError) -> None:
        if not self._away_until:
            logger.warning("Valkey not reached, AWS rate is kept by this process key=%s error=%s", self._key, error)
        self._away_until = time.monotonic() + ASK_AGAIN_S


@lru_cache(maxsize=1)
def _script() -> redis.commands.core.Script:
    """On the cache's database, over connections of its own: waiting for Valkey must stay short here."""
    client = redis.Redis.from_url(
        str(settings.CACHES["default"]["LOCATION"]),
        socket_timeout=VALKEY_TIMEOUT_S,
        socket_connect_timeout=VALKEY_TIMEOUT_S,
        # A pooled connection may be dead since Valkey restarted; a new one is worth one try.
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
    )
    return client.register_script(_BOOK)
