"""Reading a function's answer, and the binaries inside it. Nothing in an answer is trusted before it is checked."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, BinaryIO, cast

from django.conf import settings

from core.aws import storage
from core.aws.errors import AwsError
from services_registry.batches.request import VERSION, Sent, results_prefix
from services_registry.capabilities import ItemFailed, OpenBinary

IN_MEMORY_BYTES = 1 << 20
MISSING = object()
LONGEST_MS = 1e9
NO_ANSWER = ("NoAnswer", "The function's answer does not mention this item. Trying again may help.")


class AnswerError(Exception):
    """The answer as a whole is no batch envelope of version 1."""


@dataclass(slots=True)
class Answer:
    """Each requested key is in exactly one of the three."""

    values: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    durations: dict[str, float] = field(default_factory=dict)  # ms, of the items for which the function says it
    errors: dict[str, tuple[str, str]] = field(default_factory=dict)
    unfinished: list[str] = field(default_factory=list)


def read_answer(body: bytes, keys: Sequence[str], chunk: Sent) -> Answer:
    """Sort the answer by key; keys it does not mention get the error `NoAnswer`, foreign ones are ignored.

    Raises:
        AnswerError: it is not an envelope, or its results cannot be fetched.
    """
    try:
        document = json.loads(body)
    except ValueError as error:
        raise AnswerError(f"The function's answer is not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise AnswerError(f"The function did not answer with a batch envelope of version {VERSION}.")
    answer = Answer()
    open_keys: dict[str, Any] = dict.fromkeys(keys)
    for entry in _entries(document, chunk):
        key = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(key, str) or open_keys.pop(key, MISSING) is MISSING:
            continue
        if "ms" in entry and isinstance(spent := entry["ms"], int | float) and 0 <= spent < LONGEST_MS:
            answer.durations[key] = float(spent)
        if entry.get("ok") is True and isinstance(value := entry.get("value"), dict):
            answer.values[key] = value
        else:
            answer.errors[key] = _error_of(entry)
    handed_back = document.get("unfinished") or []
    later = {key for key in handed_back if isinstance(key, str)} if isinstance(handed_back, list) else set()
    answer.unfinished = [key for key in open_keys if key in later]
    answer.errors.update({key: NO_ANSWER for key in open_keys if key not in later})
    return answer


def _entries(document: dict[str, Any], chunk: Sent) -> list[Any]:
    results = document.get("results")
    if results is None and isinstance(uri := document.get("results_uri"), str):
        try:
            results = storage.get_json(checked_uri(uri, chunk))
        except (AwsError, ItemFailed) as error:
            raise AnswerError(f"The results of this chunk cannot be fetched: {error}") from error
    if results is None and document.get("unfinished"):
        return []
    if not isinstance(results, list):
        raise AnswerError("The function's answer holds no list of results.")
    return results


def _error_of(entry: dict[str, Any]) -> tuple[str, str]:
    error = entry.get("error")
    if not isinstance(error, dict):
        error = {"type": "BadAnswer", "message": "The result for this item holds neither a value nor an error."}
    return str(error.get("type") or "Error"), str(error.get("message") or "no further words")


def checked_uri(uri: str, chunk: Sent) -> str:
    """Only objects of this chunk in our own bucket are read, whatever an answer says."""
    if not uri.startswith(f"s3://{settings.EXCHANGE_BUCKET}/{results_prefix(chunk)}"):
        raise ItemFailed("WrongPlace", f"The answer points outside of its own results: {uri[:200]}")
    return uri


def binary_opener(chunk: Sent) -> OpenBinary:
    """What a capability gets as `open_binary` for the results of this chunk."""

    @contextmanager
    def open_binary(binary: Mapping[str, Any]) -> Iterator[BinaryIO]:
        with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as spool:
            stream = cast(BinaryIO, spool)
            _fill(stream, binary, chunk)
            _check(stream, binary)
            yield stream

    return open_binary


def _fill(stream: BinaryIO, binary: Mapping[str, Any], chunk: Sent) -> None:
    try:
        if isinstance(uri := binary.get("uri"), str):
            storage.copy_to_file(checked_uri(uri, chunk), stream)
        else:
            stream.write(base64.b64decode(binary["content_b64"], validate=True))
    except AwsError as error:
        raise ItemFailed("StorageError", str(error)) from error
    except (KeyError, TypeError, binascii.Error, ValueError) as error:
        raise ItemFailed("BadAnswer", f"The file in the answer cannot be read: {error}") from error


def _check(stream: BinaryIO, binary: Mapping[str, Any]) -> None:
    size = stream.tell()
    stream.seek(0)
    digest = hashlib.file_digest(cast(BytesIO, stream), "sha256").hexdigest()
    stream.seek(0)
    stated = (binary.get("bytes", size), binary.get("sha256", digest))
    if stated != (size, digest):
        raise ItemFailed("Corrupt", f"The file arrived with {size} bytes, SHA-256 {digest}; stated were {stated}.")
