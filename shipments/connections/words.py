"""What went wrong with a carrier, for people: a sentence first, what the server said after it, never a traceback."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

SENTENCES = {
    "AuthenticationFailed": gettext_lazy("The carrier refused the login."),
    "CertificateInvalid": gettext_lazy("The carrier's certificate cannot be trusted."),
    "HostKeyUnknown": gettext_lazy("The carrier's host key is not pinned yet."),
    "HostKeyMismatch": gettext_lazy("The carrier's host key has changed."),
    "TlsFailed": gettext_lazy("No encrypted connection came about."),
    "ProtocolMismatch": gettext_lazy("The server speaks another protocol."),
    "BadConnection": gettext_lazy("The connection is not filled in completely."),
    "BadPattern": gettext_lazy("The pattern of file names cannot work."),
    "ConnectionRefused": gettext_lazy("The server accepts no connections."),
    "ConnectionLost": gettext_lazy("The server ended the connection."),
    "TimedOut": gettext_lazy("The server did not answer in time."),
    "HostNotFound": gettext_lazy("The host name is not known."),
    "ServerBusy": gettext_lazy("The carrier takes no more sessions."),
    "DataChannelFailed": gettext_lazy("The server cannot open a data connection to us."),
    "ServerRefused": gettext_lazy("The server refused."),
    "NotFound": gettext_lazy("It is not on the server."),
    "PermissionDenied": gettext_lazy("The carrier does not let this user do that."),
    "TooLarge": gettext_lazy("The file is too large."),
    "TooManyFiles": gettext_lazy("Too many files match."),
    "TooManyFolders": gettext_lazy("Too many directories match."),
    "StillGrowing": gettext_lazy("The file changed while it was fetched."),
    "Changed": gettext_lazy("The file changed on the server, so it stays there."),
    "StorageUnavailable": gettext_lazy("The document could not be stored."),
    "Sandbox.Timedout": gettext_lazy("The server was too slow: the function ran into its time-out."),
    "NoConnection": gettext_lazy("The carrier has no active connection."),
    "ConnectionPaused": gettext_lazy("The connection is paused."),
    "CarrierResting": gettext_lazy("The carrier is left alone after failures."),
}
WHAT_TO_DO = {
    "AuthenticationFailed": gettext_lazy("Check user and password in the settings."),
    "CertificateInvalid": gettext_lazy(
        "If the carrier made its certificate itself: paste it in the settings, under “rarely needed”, as certificate to trust."
    ),
    "HostKeyMismatch": gettext_lazy(
        "Ask the carrier whether its key was changed; only then empty “host key” in the settings."
    ),
    "TlsFailed": gettext_lazy(
        "Ask the carrier which protocol it speaks: FTPS explicit (mostly port 21) or implicit (990)."
    ),
    "ProtocolMismatch": gettext_lazy("Check protocol and port in the settings: FTP 21, FTPS implicit 990, SFTP 22."),
    "ConnectionRefused": gettext_lazy(
        "Check host and port in the settings; ask the carrier whether our address may come in."
    ),
    "TimedOut": gettext_lazy("Check host and port in the settings; ask the carrier whether our address may come in."),
    "HostNotFound": gettext_lazy("Check how the host is spelled in the settings."),
    "DataChannelFailed": gettext_lazy("Switch “passive” in the settings, under “rarely needed”."),
    "ServerBusy": gettext_lazy("Lower the sessions at once in the settings."),
    "NotFound": gettext_lazy("Check the directory in the settings."),
}
"""The next step for whoever sets a connection up, where there is one."""
CONTACT = frozenset({
    "AuthenticationFailed", "CertificateInvalid", "HostKeyUnknown", "HostKeyMismatch", "TlsFailed", "ProtocolMismatch",
    "BadConnection", "ConnectionRefused", "ConnectionLost", "TimedOut", "HostNotFound", "ServerBusy", "DataChannelFailed",
    "ServerRefused", "Sandbox.Timedout",
})  # fmt: skip
"""Errors that say something about the connection, not about one file."""
ANSWERED = frozenset(
    {"NotFound", "PermissionDenied", "TooLarge", "TooManyFiles", "TooManyFolders", "StillGrowing", "Changed"}
)
"""Errors that only a server which let us in can give."""
LENGTH = 300


def in_words(error_type: str, message: str) -> str:
    """The sentence of an error, and its details in brackets; at most 300 characters."""
    sentence = str(SENTENCES.get(error_type) or _("The fetch function failed (%(type)s).") % {"type": error_type})
    details = " ".join(message.split("\n", 1)[0].split())
    return f"{sentence} ({details})"[:LENGTH] if details else sentence[:LENGTH]
