"""Lists as people want to see them again. A view is the part of an address after the question mark, under a name."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _

from core.errors import RefusedError
from core.models import SavedView

MOST_OF_A_PERSON, LONGEST_QUERY = 100, 4_000
_NOT_KEPT = ("cursor", "view", "csrfmiddlewaretoken")


def query_of(address: str) -> str:
    """The lasting part of an address: no position in the list, no name of another view, nothing empty."""
    asked, kept = QueryDict(address[:LONGEST_QUERY]), QueryDict(mutable=True)
    for name, values in asked.lists():
        if name not in _NOT_KEPT and any(values):
            kept.setlist(name, [value for value in values if value])
    return kept.urlencode()


def visible_to(user: Any, list_name: str) -> QuerySet[SavedView]:
    """One's own and the shared ones, by name."""
    mine_or_shared = Q(owner_id=user.pk) | Q(shared=True)
    return SavedView.objects.filter(mine_or_shared, list_name=list_name).select_related("owner")


# The page of a list asks this every time; writing the SQL anew takes four times as long as answering it.
_LISTED = """
SELECT saved.*, owner.username AS owner_name FROM core_savedview saved JOIN auth_user owner ON owner.id = saved.owner_id
WHERE saved.list_name = %s AND (saved.owner_id = %s OR saved.shared) ORDER BY saved.name, saved.id
"""


def listed(user: Any, list_name: str) -> list[SavedView]:
    """The same for a menu, each with its owner's name as `owner_name`."""
    return list(SavedView.objects.raw(_LISTED, [list_name, user.pk]))


def own_view(user: Any, pk: UUID) -> SavedView:
    """Raises SavedView.DoesNotExist, also when it is somebody else's."""
    return SavedView.objects.get(pk=pk, owner_id=user.pk)


def save_view(*, owner: Any, list_name: str, name: str, query: str, shared: bool) -> SavedView:
    """Keep a view; one of the same name is changed.

    Raises:
        RefusedError: no name, or too many views.
    """
    name = _name(name)
    mine = SavedView.objects.filter(owner_id=owner.pk, list_name=list_name)
    if mine.exclude(name=name).count() >= MOST_OF_A_PERSON:
        raise RefusedError(_("You have %(n)s views. Delete one first.") % {"n": MOST_OF_A_PERSON}, code="too_many")
    view, _made = SavedView.objects.update_or_create(
        owner_id=owner.pk, list_name=list_name, name=name, defaults={"query": query_of(query), "shared": shared}
    )
    return view


def change_view(view: SavedView, *, name: str, shared: bool, query: str | None = None) -> None:
    """Rename, share, or (with `query`) let it show something else.

    Raises:
        RefusedError: no name, or another view of this person has it.
    """
    view.name, view.shared = _name(name), shared
    if query is not None:
        view.query = query_of(query)
    try:
        with transaction.atomic():
            view.save(update_fields=["name", "shared", "query"])
    except IntegrityError as error:
        words = _("You already have a view called “%(name)s”.") % {"name": view.name}
        raise RefusedError(words, code="name_taken") from error


def _name(text: str) -> str:
    name = " ".join(text.replace("\0", "").split())[:80]
    if not name:
        raise RefusedError(_("Give the view a name."), code="no_name")
    return name
