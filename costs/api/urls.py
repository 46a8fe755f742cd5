"""Addresses of this app under /api/v1/."""

from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from costs.api.bills import BilledView, BillViewSet
from costs.api.ec2_other import Ec2OtherView
from costs.api.money import AnomalyViewSet, BudgetViewSet, CostOverviewView
from costs.api.reconciliation import ReconciliationView
from costs.api.reports import ReportViewSet
from costs.api.unit_costs import UnitCostView
from costs.api.views import DailyCostView, FunctionCostView, PriceViewSet
from costs.api.what_if import OneWhatIfView, WhatIfViewSet

router = SimpleRouter()
router.register("costs/imports", BillViewSet, basename="api-cost-import")
router.register("prices", PriceViewSet, basename="api-price")
router.register("costs/budgets", BudgetViewSet, basename="api-budget")
router.register("costs/reports", ReportViewSet, basename="api-cost-report")
router.register("costs/anomalies", AnomalyViewSet, basename="api-cost-anomaly")
router.register("costs/what-if", WhatIfViewSet, basename="api-what-if")

urlpatterns: list[URLPattern | URLResolver] = [
    path("costs/overview/", CostOverviewView.as_view(), name="api-costs-overview"),
    path("costs/daily/", DailyCostView.as_view(), name="api-costs-daily"),
    path("costs/deliveries/", UnitCostView.as_view(), name="api-costs-deliveries"),
    path("costs/ec2-other/", Ec2OtherView.as_view(), name="api-costs-ec2-other"),
    path("costs/reconciliation/", ReconciliationView.as_view(), name="api-costs-reconciliation"),
    path("costs/functions/", FunctionCostView.as_view(), name="api-costs-functions"),
    path("costs/billed/", BilledView.as_view(), name="api-costs-billed"),
    path("costs/functions/<int:pk>/what-if/", OneWhatIfView.as_view(), name="api-costs-function-what-if"),
    *router.urls,
]
