"""Writing, changing and deleting notes on a function. With htmx the answer is the notes, without script the page."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from core.access import operator_required
from core.htmx import is_fragment
from core.notes import BadNoteError
from services_registry import function_notes as notes
from services_registry.function_page import notes_part
from services_registry.models import Function, FunctionNote
from services_registry.views.functions import detail_page


@operator_required
@require_POST
def write(request: HttpRequest, pk: int) -> HttpResponse:
    function, text = get_object_or_404(Function, pk=pk), request.POST.get("text", "")
    try:
        notes.write_note(function=function, author=request.user, text=text)
    except BadNoteError as error:
        return _refused(request, function, {"text": text, "problem": error.message})
    return _answer(request, function)


@operator_required
@require_POST
def change(request: HttpRequest, pk: int, note_pk: int) -> HttpResponse:
    note, text = _own(request, pk, note_pk), request.POST.get("text", "")
    try:
        notes.change_note(note=note, text=text, actor=request.user)
    except BadNoteError as error:
        return _refused(request, note.function, {"text": text, "problem": error.message, "note": note.pk})
    return _answer(request, note.function)


@operator_required
@require_POST
def delete(request: HttpRequest, pk: int, note_pk: int) -> HttpResponse:
    """Where the note was is a button that undoes it, for a day."""
    note = _own(request, pk, note_pk)
    notes.delete_note(note=note, actor=request.user)
    return _answer(request, note.function)


@operator_required
@require_POST
def restore(request: HttpRequest, pk: int, note_pk: int) -> HttpResponse:
    note = _own(request, pk, note_pk, deleted=True)
    notes.restore_note(note=note, actor=request.user)
    return _answer(request, note.function)


def _own(request: HttpRequest, pk: int, note_pk: int, *, deleted: bool = False) -> FunctionNote:
    try:
        return notes.own_note(function_id=pk, pk=note_pk, author=request.user, deleted=deleted)
    except FunctionNote.DoesNotExist as error:
        raise Http404(_("This note is not there, or not yours.")) from error


def _answer(request: HttpRequest, function: Function) -> HttpResponse:
    if is_fragment(request):
        return _part(request, function)
    return redirect(f"{reverse('function-detail', args=[function.pk])}#notes")


def _refused(request: HttpRequest, function: Function, draft: dict[str, Any]) -> HttpResponse:
    if is_fragment(request):
        return _part(request, function, draft, status=400)
    return detail_page(request, function, {"draft": draft, "edited_note": draft.get("note")}, status=400)


def _part(
    request: HttpRequest, function: Function, draft: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    context = notes_part(function, request) | {"function": function, "draft": draft}
    if draft:
        context["edited_note"] = draft.get("note")
    return render(request, "services_registry/_function_notes.html", context, status=status)
