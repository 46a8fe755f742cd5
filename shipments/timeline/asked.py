"""What the address asks of the timeline: `?show=event,note` kinds, `before` a place in it, `edit` a note, `from` a list."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.http import QueryDict

from shipments.timeline.entries import KINDS, Cursor


@dataclass(frozen=True, slots=True)
class Asked:
    """`show` empty: every kind. `came_from` is None when the person did not come from a list."""

    show: tuple[str, ...] = ()
    before: Cursor | None = None
    edit: int | None = None
    came_from: str | None = None

    @classmethod
    def of(cls, data: QueryDict) -> Asked:
        """What makes no sense is left out."""
        named = ",".join(data.getlist("show")).split(",")
        edit = data.get("edit", "")
        return cls(
            show=tuple(kind for kind in KINDS if kind in named),
            before=Cursor.read(data.get("before", "")),
            edit=int(edit) if edit.isascii() and edit.isdigit() and len(edit) < 19 else None,
            came_from=data.get("from"),
        )

    @property
    def query(self) -> str:
        """With its question mark; empty when nothing is asked."""
        data = QueryDict(mutable=True)
        if self.show:
            data["show"] = ",".join(self.show)
        if self.before:
            data["before"] = str(self.before)
        if self.edit:
            data["edit"] = str(self.edit)
        if self.came_from is not None:
            data["from"] = self.came_from
        return f"?{data.urlencode(safe=',')}" if data else ""

    def toggled(self, kind: str) -> Asked:
        """With the kind added to those shown, or taken away; from the newest on."""
        chosen = {*self.show} ^ {kind}
        return replace(self, show=tuple(name for name in KINDS if name in chosen), before=None, edit=None)

    def everything(self) -> Asked:
        return replace(self, show=(), before=None, edit=None)

    def older_than(self, cursor: Cursor) -> Asked:
        return replace(self, before=cursor, edit=None)

    def newest(self) -> Asked:
        return replace(self, before=None, edit=None)

    def editing(self, pk: int | None) -> Asked:
        return replace(self, edit=pk)
