"""Lets `ModelAdmin[Batch]` and `ModelForm[Batch]` run: Django's classes take type parameters only in its type stubs."""

from __future__ import annotations

from typing import Any


def _itself(cls: type, _parameters: Any) -> type:
    return cls


def make_subscriptable() -> None:
    """Called once while apps are set up, before any admin or form module is imported."""
    from django.contrib.admin.options import BaseModelAdmin
    from django.forms import models as forms
    from django.views.generic.detail import SingleObjectMixin
    from django.views.generic.edit import FormMixin
    from django.views.generic.list import MultipleObjectMixin

    for generic in (
        BaseModelAdmin,
        forms.BaseModelForm,
        forms.BaseModelFormSet,
        forms.ModelChoiceField,
        SingleObjectMixin,
        FormMixin,
        MultipleObjectMixin,
    ):
        if not hasattr(generic, "__class_getitem__"):
            setattr(generic, "__class_getitem__", classmethod(_itself))  # noqa: B010  # mypy knows it as read-only
