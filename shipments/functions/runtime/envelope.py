"""Reading a request: the batch envelope, version 1.

    {"version": 1, "batch": "<uuid>", "chunk": "<uuid>", "context": {...},
     "items": [{"id": "...", ...}]  or  "items_uri": "s3://bucket/key",
     "results": {"bucket": "...", "prefix": "results/<batch>/<chunk>/", "inline_limit": 4500000}}

Everything odd is refused by name before any item is attempted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shipments.functions.runtime.errors import EnvelopeError

VERSION = 1
DEFAULT_INLINE_LIMIT = 4_500_000
"""Bytes of answer that may travel inline: a synchronous answer may have 6 MB (AWS Lambda quotas, 2026-11-23)."""

Item = dict[str, Any]
Context = dict[str, Any]


@dataclass(frozen=True)
class ResultsPlace:
    """Where an answer goes that does not fit inline. Without a bucket everything must fit inline."""

    bucket: str = ""
    prefix: str = ""
    inline_limit: int = DEFAULT_INLINE_LIMIT


@dataclass(frozen=True)
class Request:
    """One chunk as asked for. Exactly one of `items` and `items_uri` is set."""

    batch: str
    chunk: str
    context: Context
    items: list[Item] | None
    items_uri: str | None
    results: ResultsPlace


def parse_request(event: object) -> Request:
    """The request in `event`; raises EnvelopeError saying which field is wrong and what it must be."""
    if not isinstance(event, Mapping):
        raise EnvelopeError(f"the payload must be a JSON object with version, items and results, not {_kind(event)}")
    if event.get("version") != VERSION:
        raise EnvelopeError(f"version must be {VERSION}, not {event.get('version')!r}: caller and function differ")
    context = event.get("context", {})
    if not isinstance(context, dict):
        raise EnvelopeError(f"context must be a JSON object, not {_kind(context)}")
    items, uri = event.get("items"), event.get("items_uri")
    if (items is None) == (uri is None):
        raise EnvelopeError("exactly one of items (a list) and items_uri (s3://bucket/key) is needed")
    if uri is not None and not isinstance(uri, str):
        raise EnvelopeError(f"items_uri must be text like s3://bucket/key, not {_kind(uri)}")
    return Request(
        batch=str(event.get("batch", "")),
        chunk=str(event.get("chunk", "")),
        context=context,
        items=None if items is None else check_items(items),
        items_uri=uri,
        results=_results_place(event.get("results", {})),
    )


def check_items(items: object) -> list[Item]:
    """`items` as a list of objects with distinct text ids; raises EnvelopeError with the position of the bad one."""
    if not isinstance(items, list):
        raise EnvelopeError(f"items must be a JSON list, not {_kind(items)}")
    seen: set[str] = set()
    for position, item in enumerate(items):
        if not isinstance(item, dict) or not isinstance(item.get("id"), str) or not item["id"]:
            raise EnvelopeError(f"items[{position}] must be a JSON object with a text id")
        if item["id"] in seen:
            raise EnvelopeError(f"items[{position}] repeats the id {item['id']!r}: ids must differ within a chunk")
        seen.add(item["id"])
    return items


def _results_place(place: object) -> ResultsPlace:
    if not isinstance(place, Mapping):
        raise EnvelopeError(f"results must be a JSON object with bucket, prefix, inline_limit, not {_kind(place)}")
    bucket, prefix = place.get("bucket") or "", place.get("prefix") or ""
    limit = place.get("inline_limit", DEFAULT_INLINE_LIMIT)
    if not isinstance(bucket, str) or not isinstance(prefix, str):
        raise EnvelopeError("results.bucket and results.prefix must be text")
    if bucket and not prefix:
        raise EnvelopeError("results.prefix is needed beside results.bucket, like results/<batch>/<chunk>/")
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 0:
        raise EnvelopeError(f"results.inline_limit must be a number of bytes, not {limit!r}")
    return ResultsPlace(bucket, prefix, limit)


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", int: "a number", float: "a number", bool: "a boolean"}
    return "null" if value is None else names.get(type(value), type(value).__name__)
