"""Forms in the design: Tabler's classes by renderer, so that form classes stay plain Django."""

from __future__ import annotations

from typing import Any

from django.forms.renderers import DjangoTemplates
from django.http import HttpRequest
from django.template import loader

_CLASS_OF_TEMPLATE = {
    "django/forms/widgets/select.html": "form-select",
    "django/forms/widgets/checkbox.html": "form-check-input",
    "django/forms/widgets/checkbox_option.html": "form-check-input",
    "django/forms/widgets/radio_option.html": "form-check-input",
    "django/forms/widgets/hidden.html": "",
}


class TablerFormRenderer(DjangoTemplates):
    """Labels above, help below, errors beside the field and summed at the top."""

    form_template_name = "components/form.html"
    field_template_name = "components/form_field.html"

    def get_template(self, template_name: str) -> Any:
        if template_name.startswith("components/"):
            return loader.get_template(template_name)
        return super().get_template(template_name)

    def render(self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None) -> str:
        if template_name.startswith("django/forms/widgets/") and "widget" in context:
            _style(context["widget"])
        return super().render(template_name, context, request)


def _style(widget: dict[str, Any]) -> None:
    """Add the design's class to a widget and, for radios and check boxes, to each of its options."""
    for _name, options, _index in widget.get("optgroups", []):
        for option in options:
            if option.get("template_name") in _CLASS_OF_TEMPLATE:
                _add_class(option["attrs"], _CLASS_OF_TEMPLATE[option["template_name"]])
    for part in widget.get("subwidgets", []):
        _style(part)
    _add_class(widget["attrs"], _CLASS_OF_TEMPLATE.get(widget["template_name"], "form-control"))


def _add_class(attrs: dict[str, Any], name: str) -> None:
    classes = str(attrs.get("class", "")).split()
    wanted = [name] if name else []
    if name and attrs.get("aria-invalid"):
        wanted.append("is-invalid")
    joined = " ".join([*classes, *(word for word in wanted if word not in classes)])
    if joined:
        attrs["class"] = joined
