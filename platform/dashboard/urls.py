"""Addresses of the frame."""

from django.urls import path

from dashboard.views import account, health, home, notices, notifications, search

urlpatterns = [
    path("", home.home, name="home"),
    path("search/", search.search, name="search"),
    path("account/", account.account, name="account"),
    path("account/preferences/", account.save_preferences, name="account-preferences"),
    path("account/theme/", account.save_theme, name="account-theme"),
    path("account/tokens/", account.new_token, name="account-token-new"),
    path("account/tokens/<int:pk>/revoke/", account.end_token, name="account-token-revoke"),
    path("account/notifications/", notices.choices, name="notice-choices"),
    path("notifications/", notifications.notification_list, name="notification-list"),
    path("notifications/bell/", notifications.bell, name="notification-bell"),
    path("notifications/read/", notifications.read_all, name="notification-read-all"),
    path("notifications/<int:pk>/", notifications.open_notification, name="notification-open"),
    path("notifications/<int:pk>/read/", notifications.read, name="notification-read"),
    path("people/", notifications.people, name="people"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
