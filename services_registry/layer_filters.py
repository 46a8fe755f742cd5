"""What the pages of layers and of sizes are filtered by, the same over the API. Both are small enough to be filtered in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from services_registry.choices import Basis, Room
from services_registry.function_filters import known_values
from services_registry.layer_matrix import LayerUse
from services_registry.package_sizes import FunctionSize

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise

ANY: tuple[str, _StrOrPromise] = ("", _("any"))
STATES = [
    ("behind", _("functions are behind")), ("current", _("all on the newest")), ("unused", _("used by none")),
    ("gone", _("a used version was deleted")), ("misfit", _("not meant for a runtime")),
]  # fmt: skip
_IN_STATE: dict[str, Callable[[LayerUse], bool]] = {
    "behind": lambda entry: bool(entry.behind),
    "current": lambda entry: bool(entry.uses) and not entry.behind,
    "unused": lambda entry: not entry.uses,
    "gone": lambda entry: any(use.version.gone for use in entry.uses),
    "misfit": lambda entry: any(use.misfit for use in entry.uses),
}


def _choices(field: str) -> Callable[[], list[tuple[str, Any]]]:
    return lambda: [ANY, *known_values(field)]


class LayerFilter(forms.Form):
    q = forms.CharField(label=_("layer or function"), required=False, max_length=100)
    owner = forms.ChoiceField(label=_("owner"), required=False, choices=_choices("owner"))
    state = forms.ChoiceField(label=_("state"), required=False, choices=[ANY, *STATES])
    region = forms.ChoiceField(label=_("region"), required=False, choices=_choices("region"))

    def of(self, layers: Iterable[LayerUse]) -> list[LayerUse]:
        """Those that match; none when the address asks for what cannot be."""
        return [entry for entry in layers if self._matches(entry)] if self.is_valid() else []

    def _matches(self, entry: LayerUse) -> bool:
        asked, text = self.cleaned_data, self.cleaned_data["q"].strip().lower()
        names = [entry.layer.arn.lower(), *(use.function.name.lower() for use in entry.uses)]
        return (
            (not text or any(text in name for name in names))
            and (not asked["owner"] or any(use.function.owner == asked["owner"] for use in entry.uses))
            and (not asked["region"] or entry.layer.region == asked["region"])
            and (not asked["state"] or _IN_STATE[asked["state"]](entry))
        )


class SizeFilter(forms.Form):
    q = forms.CharField(label=_("function or layer"), required=False, max_length=100)
    owner = forms.ChoiceField(label=_("owner"), required=False, choices=_choices("owner"))
    runtime = forms.ChoiceField(label=_("runtime"), required=False, choices=_choices("runtime"))
    room = forms.ChoiceField(label=_("room"), required=False, choices=[ANY, *Room.choices])
    basis = forms.ChoiceField(label=_("how sure"), required=False, choices=[ANY, *Basis.choices])

    def of(self, sizes: Iterable[FunctionSize]) -> list[FunctionSize]:
        return [size for size in sizes if self._matches(size)] if self.is_valid() else []

    def _matches(self, size: FunctionSize) -> bool:
        asked, text = self.cleaned_data, self.cleaned_data["q"].strip().lower()
        names = [size.function.name.lower(), *(part.arn.lower() for part in size.layers)]
        return (
            (not text or any(text in name for name in names))
            and (not asked["owner"] or size.function.owner == asked["owner"])
            and (not asked["runtime"] or size.function.runtime == asked["runtime"])
            and (not asked["room"] or size.room == asked["room"])
            and (not asked["basis"] or size.basis == asked["basis"])
        )


def is_filtered(form: forms.Form, query: QueryDict) -> bool:
    return any(query.get(name) for name in form.fields)
