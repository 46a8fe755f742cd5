"""The frame's own badge in the top bar."""

from core.slots import AlertBadge, alerts

alerts.register(AlertBadge(url_name="notification-bell", order=900))
