"""Addresses of the overview, budgets, anomalies and reports."""

from django.urls import path

from costs.views import anomalies, budgets, overview, reports, rows

urlpatterns = [
    path("costs/", overview.overview_page, name="cost-page"),
    path("costs/overview.csv", overview.overview_csv, name="cost-overview-csv"),
    path("costs/rows/", rows.rows_page, name="cost-rows"),
    path("costs/budgets/", budgets.budget_list, name="budget-list"),
    path("costs/budgets/new/", budgets.budget_new, name="budget-new"),
    path("costs/budgets/<int:pk>/", budgets.budget_detail, name="budget-detail"),
    path("costs/budgets/<int:pk>/edit/", budgets.budget_edit, name="budget-edit"),
    path("costs/budgets/<int:pk>/delete/", budgets.budget_delete, name="budget-delete"),
    path("costs/anomalies/", anomalies.anomaly_list, name="cost-anomalies"),
    path("costs/anomalies/<int:pk>/", anomalies.anomaly_detail, name="cost-anomaly"),
    path("costs/anomalies/<int:pk>/dismiss/", anomalies.anomaly_dismiss, name="cost-anomaly-dismiss"),
    path("costs/anomalies/<int:pk>/reopen/", anomalies.anomaly_reopen, name="cost-anomaly-reopen"),
    path("costs/reports/", reports.report_list, name="cost-reports"),
    path("costs/reports/<str:month>.pdf", reports.report_pdf, name="cost-report"),
    path("costs/reports/<str:month>/make/", reports.report_make, name="cost-report-make"),
]
