from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CostsConfig(AppConfig):
    name = "costs"
    verbose_name = _("Costs")

    def ready(self) -> None:
        from costs import told  # noqa: F401  # registers what people are told of
        from costs.estimate import estimate, euro_rate
        from costs.what_if.servers import server_hour_usd
        from services_registry.pricing import register_estimator, register_euro_rate, register_server_price

        register_estimator(estimate)
        register_euro_rate(euro_rate)
        register_server_price(server_hour_usd)
