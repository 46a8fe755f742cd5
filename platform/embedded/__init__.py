"""The default stack of `make run`: servers and stand-ins for a laptop, and the supervisor that holds them together.

Imports no app and nobody imports it; it reaches Django only by starting `manage.py` and the servers as processes.
"""
