"""Writing, changing and deleting notes. With htmx the answer is the timeline, without script the page at the note."""

from __future__ import annotations

from dataclasses import replace

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.access import operator_required
from core.htmx import is_fragment
from core.notes import BadNoteError
from shipments import notes
from shipments.models import Note, Shipment
from shipments.timeline import Asked
from shipments.views.deliveries import Draft, detail_page, page_url, shipment_of, timeline_part


@operator_required
@require_POST
def write(request: HttpRequest, pk: int) -> HttpResponse:
    """A new note is the newest entry, so the timeline begins there and shows notes."""
    shipment, text = shipment_of(pk), request.POST.get("text", "")
    asked = _asked(request).newest()
    if asked.show and "note" not in asked.show:
        asked = asked.everything()
    try:
        note = notes.write_note(shipment=shipment, author=request.user, text=text)
    except BadNoteError as error:
        return _refused(request, shipment, _asked(request), Draft(text, error.message))
    return _answer(request, shipment, asked, note.pk)


@operator_required
@require_POST
def change(request: HttpRequest, pk: int, note_pk: int) -> HttpResponse:
    note, text = _own(request, pk, note_pk), request.POST.get("text", "")
    try:
        notes.change_note(note=note, text=text, actor=request.user)
    except BadNoteError as error:
        asked = _asked(request).editing(note.pk)
        return _refused(request, shipment_of(pk), asked, Draft(text, error.message, note.pk))
    return _answer(request, shipment_of(pk), _asked(request), note.pk)


@operator_required
@require_POST
def delete(request: HttpRequest, pk: int, note_pk: int) -> HttpResponse:
    """Where the note was is a button that undoes it, for a day."""
    note = _own(request, pk, note_pk)
    notes.delete_note(note=note, actor=request.user)
    return _answer(request, shipment_of(pk), _asked(request), note.pk)


@operator_required
@require_POST
def restore(request: HttpRequest, pk: int, note_pk: int) -> HttpResponse:
    note = _own(request, pk, note_pk, deleted=True)
    notes.restore_note(note=note, actor=request.user)
    return _answer(request, shipment_of(pk), _asked(request), note.pk)


def _own(request: HttpRequest, pk: int, note_pk: int, *, deleted: bool = False) -> Note:
    try:
        return notes.own_note(shipment_id=pk, pk=note_pk, author=request.user, deleted=deleted)
    except Note.DoesNotExist as error:
        raise Http404(_("This note is not there, or not yours.")) from error


def _asked(request: HttpRequest) -> Asked:
    """What the timeline showed: its query stands in the field `shown`."""
    return replace(Asked.of(QueryDict(request.POST.get("shown", "").removeprefix("?"))), edit=None)


def _answer(request: HttpRequest, shipment: Shipment, asked: Asked, note: int) -> HttpResponse:
    if is_fragment(request):
        return timeline_part(request, shipment, asked)
    return redirect(page_url(shipment.pk, asked, f"note-{note}"))


def _refused(request: HttpRequest, shipment: Shipment, asked: Asked, draft: Draft) -> HttpResponse:
    shown = timeline_part if is_fragment(request) else detail_page
    return shown(request, shipment, asked, draft=draft, status=400)
