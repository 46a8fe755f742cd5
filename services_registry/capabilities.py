"""What the batch engine asks the app that owns the items.

The engine knows batches, chunks and items; it does not know what an item is. An app registers one `Capability` for each
kind of work (`shipments/capabilities/render_pdf.py`, from its `AppConfig.ready`), and the engine asks it what a
selection means, what goes into a payload and how one result is applied.

A selection is a JSON object: `{"keys": ["17", "18"]}` for chosen rows, or `{"query": {...}}` for "everything that
matches", whose content only the capability understands.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction

from core.errors import RefusedError

if TYPE_CHECKING:
    from django.forms import Form
    from django.utils.functional import _StrOrPromise

    from services_registry.models import Batch

logger = logging.getLogger(__name__)

Selection = Mapping[str, Any]
OpenBinary = Callable[[Mapping[str, Any]], AbstractContextManager[BinaryIO]]
"""`with open_binary(value["file"]) as stream:` gives the bytes of a binary of the answer, inline or from storage.

The stream is at its start and already checked against the stated length and SHA-256; a difference is an `ItemFailed`.
"""


@dataclass(frozen=True, slots=True)
class ItemRef:
    """One thing to be done: its key (at most 80 characters, unique in a selection) and what people call it."""

    key: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class ResultFile:
    """One file that came of an item. `name` is what people would call it; `open` is called when it is needed.

    `open` raises FileNotFoundError when the file is gone from where it was kept.
    """

    key: str
    name: str
    open: Callable[[], AbstractContextManager[BinaryIO]]
    size: int = 0
    modified: datetime | None = None


class ItemFailed(Exception):
    """Raised by `Capability.apply` (or `payload`): this item fails with a short stable type and a sentence."""

    def __init__(self, type: str, message: str) -> None:
        super().__init__(message)
        self.type = type
        self.message = message


class Asked:
    """What a batch was asked for: the selection, and the options as the capability accepted them."""

    def __init__(self, selection: Selection, options: Mapping[str, Any], batch: Batch | None = None) -> None:
        self._selection = selection
        self.options = options
        self._batch = batch

    @classmethod
    def of(cls, batch: Batch) -> Asked:
        return cls({}, batch.context, batch)

    @cached_property
    def selection(self) -> Selection:
        """That of the first batch: the one of a retry only names what it retries. Loaded when it is needed."""
        first = self._batch
        while first is not None and first.parent is not None:
            first = first.parent
        return self._selection if first is None else first.selection


class NotNow(Exception):
    """Raised by `Capability.admit`: the chunk waits in the queue for `pause_s` and asks again. It was no attempt.

    `type` is a short stable name, `message` a sentence that says what it waits for.
    """

    def __init__(self, type: str, message: str, *, pause_s: float) -> None:
        super().__init__(message)
        self.type = type
        self.message = message
        self.pause_s = pause_s


class SelectionError(RefusedError):
    """Raised by `Capability.resolve`: the selection makes no sense; the message says what to choose instead."""

    code = "selection"
    status = 400


class Capability(ABC):
    """One kind of work done by one Lambda function on many items. Instances hold no state."""

    slug: str
    """Stable name, for example `render_pdf`; also the key of its `CapabilityBinding`."""
    label: _StrOrPromise
    """A verb phrase for buttons and titles, for example "Render delivery notes"."""
    label_of_one: _StrOrPromise = ""
    """The same for a single item, for example "Render delivery note"; empty: `label`."""
    item_noun: _StrOrPromise
    """What items are called, plural: "deliveries", "messages"."""
    item_model: str = ""
    """The model whose primary keys the keys are, as `app.model` in lower case: its pages offer the capability."""
    default_function: str
    """Used until an administrator binds another one."""
    default_chunk_size: int = 50
    default_concurrency: int = 4
    repeatable: bool = True
    """Whether the function may simply be called again when its answer got lost: it changes nothing outside of its
    answer, or changes it to the same."""

    @abstractmethod
    def resolve(self, selection: Selection) -> Iterable[ItemRef]:
        """The items that a selection means now, in the order of work. Keys that no longer exist are left out.

        Raises:
            SelectionError: the selection cannot be understood.
        """

    @abstractmethod
    def payload(self, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What the function gets for each key, without its `id`. One query for the whole chunk.

        A key that is missing in the answer fails with type "Gone": it was deleted after the batch had started.
        """

    @abstractmethod
    def apply(
        self, key: str, value: Mapping[str, Any], *, batch: Batch, open_binary: OpenBinary
    ) -> dict[str, Any] | None:
        """Take over one result. Runs inside the engine's transaction for this item, together with the change of its
        state, so it happens exactly once; effects outside the database must be safe to repeat. Returns small facts
        to show beside the item, or None.

        Raises:
            ItemFailed: the result is no good; the transaction is rolled back and the item fails.
        """

    def options_form(
        self, data: Mapping[str, Any] | None = None, initial: Mapping[str, Any] | None = None
    ) -> Form | None:
        """The fields that people choose options with on the plan page. By default there are none."""
        return None

    def options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The options of a batch as they are kept, checked. By default whatever is given.

        Raises:
            SelectionError: an option is unknown or wrong.
        """
        return dict(given)

    def title_of(self, asked: Asked) -> str:
        """What the work is called, for titles."""
        return str(self.label)

    def items_of(self, asked: Asked) -> Iterable[ItemRef]:
        """`resolve` for capabilities whose items depend on the options."""
        return self.resolve(asked.selection)

    def groups_of(self, keys: Sequence[str], asked: Asked) -> Mapping[str, str]:
        """`partition` for capabilities whose groups depend on the options."""
        return self.partition(keys)

    def payloads_of(self, keys: Sequence[str], asked: Asked) -> dict[str, dict[str, Any]]:
        """`payload` for capabilities whose payloads depend on the options, or on all that was selected."""
        return self.payload(keys)

    def apply_many(
        self, values: Mapping[str, Mapping[str, Any]], *, batch: Batch, open_binary: OpenBinary
    ) -> dict[str, dict[str, Any] | ItemFailed | None]:
        """Take over the results of one chunk: for each key the facts to show, or why the item fails.

        Runs inside the engine's transaction for this chunk. By default each value is applied by itself, and undone by
        itself when it fails; a capability that can do all at once is faster.
        """
        return {key: _apply_one(self, key, value, batch, open_binary) for key, value in values.items()}

    def admit(self, batch: Batch, group: str, holder: UUID) -> None:
        """Asked right before a chunk is invoked, for limits that only the capability knows: sessions at a carrier.

        `holder` is the chunk, which is in state `running` for as long as the invocation may last.

        Raises:
            NotNow: not yet; the chunk is asked again after a pause.
            ItemFailed: not at all; its items fail.
        """
        return

    def context(self, batch: Batch, group: str) -> dict[str, Any]:
        """What all items of one chunk share. Made at the moment of the call, never stored: it may hold secrets."""
        return {}

    def partition(self, keys: Sequence[str]) -> Mapping[str, str]:
        """A group (at most 80 characters) for each key; a chunk never mixes groups. By default there is one group.

        For example the carrier connection, so that `context` can hold the one connection of the chunk.
        """
        return {}

    def find(self, text: str) -> list[str]:
        """Keys of the items that people mean by `text`: a tracking number, a reference. Exact, at most a few hundred.

        Used to answer "which batches worked on this delivery?". By default nothing is found.
        """
        return []

    def files(self, batch: Batch, keys: Sequence[str]) -> Iterable[ResultFile]:
        """The files that `batch` made of the items with these keys, those of one item together. One or two queries.

        Nothing is opened here: an archive of 10,000 files is written one file after the other.
        """
        return ()

    def failed(self, key: str, *, error_type: str, message: str, batch: Batch) -> None:
        """Told when an item failed for good, inside the transaction that marks it. By default nothing is done."""
        return


def _apply_one(
    capability: Capability, key: str, value: Mapping[str, Any], batch: Batch, open_binary: OpenBinary
) -> dict[str, Any] | ItemFailed | None:
    """A lost database is not the item's fault and is raised: the chunk is settled again. Any other error is."""
    try:
        with transaction.atomic():
            return capability.apply(key, value, batch=batch, open_binary=open_binary)
    except ItemFailed as failure:
        return failure
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # one item's odd result must not take the others along
        logger.exception("result not applied batch=%s key=%s", batch.pk, key)
        return ItemFailed(type(error).__name__, str(error))


_registered: dict[str, Capability] = {}


def register(capability: Capability) -> Capability:
    """Make a capability known. Registering the same slug again replaces it, so that reloading is safe."""
    _registered[capability.slug] = capability
    return capability


def unregister(slug: str) -> None:
    _registered.pop(slug, None)


def get(slug: str) -> Capability:
    """The capability of that name.

    Raises:
        SelectionError: none is registered under it.
    """
    try:
        return _registered[slug]
    except KeyError:
        known = ", ".join(sorted(_registered)) or "none"
        message = f"There is no capability “{slug}”. Known ones: {known}."
        raise SelectionError(message, code="unknown_capability") from None


def all_capabilities() -> list[Capability]:
    """All of them, by slug."""
    return [_registered[slug] for slug in sorted(_registered)]


def working_on(model: str) -> list[Capability]:
    """Those whose items are rows of that model (`app.model`), in the order they were registered."""
    return [capability for capability in _registered.values() if capability.item_model == model]
