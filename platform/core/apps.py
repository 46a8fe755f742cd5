from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = _("Platform")

    def ready(self) -> None:
        from core import generics

        generics.make_subscriptable()
        from core import checks, setup, slots  # noqa: F401  # registers checks and first-start steps

        slots.discover()
        from core.webhooks import sending  # noqa: F401  # registers what people are told of webhooks
