"""Addresses of the frame."""

from django.urls import path

from dashboard.views import account, health, home, search

urlpatterns = [
    path("", home.home, name="home"),
    path("search/", search.search, name="search"),
    path("account/", account.account, name="account"),
    path("account/preferences/", account.save_preferences, name="account-preferences"),
    path("account/theme/", account.save_theme, name="account-theme"),
    path("account/tokens/", account.new_token, name="account-token-new"),
    path("account/tokens/<int:pk>/revoke/", account.end_token, name="account-token-revoke"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
