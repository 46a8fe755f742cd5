"""Errors of sockets, TLS and FTP replies in plain words, for every transport."""

import re
import socket
import ssl

from shipments.functions.fetch_documents.connection import Connection, ConnectionFault
from shipments.functions.runtime.errors import ItemError

NOT_UNDERSTOOD = ("500", "501", "502", "504")
_FULL = re.compile(
    r"too many|max\w* (?:number of )?\w*\s*(?:connections|sessions|clients|users|logins)|limit", re.IGNORECASE
)
_FORBIDDEN = re.compile(r"permission|denied|not allowed|privilege|rechte|interdit|permiso", re.IGNORECASE)


def from_os_error(error: BaseException, connection: Connection) -> ConnectionFault:
    """A socket's or TLS error in plain words."""
    place = connection.place
    if isinstance(error, ssl.SSLCertVerificationError):
        message = f"the certificate of {place} is not valid: {error.verify_message or error}"
        return ConnectionFault("CertificateInvalid", message, False)
    if isinstance(error, TimeoutError):
        return ConnectionFault("TimedOut", f"{place} did not answer within {connection.timeout_s:g} s", True)
    if isinstance(error, ConnectionRefusedError):
        return ConnectionFault(
            "ConnectionRefused", f"{place} refuses connections: is the port right, the service up?", True
        )
    if isinstance(error, socket.gaierror):
        return ConnectionFault("HostNotFound", f"the host name {connection.host!r} is not known", True)
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return ConnectionFault("TlsFailed", f"TLS with {place} failed: {error.reason or error}", False)
    return ConnectionFault(
        "ConnectionLost", f"{place} ended the connection ({str(error) or 'end of stream'})", True, dropped=True
    )


def from_reply(reply: str, what: str, connection: Connection, *, open_already: bool) -> ItemError:
    """An FTP error reply in plain words; RFC 959 section 4.2 gives the codes their meaning."""
    code, place = reply[:3], connection.place
    if not open_already and (code == "421" or (code in ("530", "430") and _FULL.search(reply))):
        return ConnectionFault("ServerBusy", f"{place} takes no more sessions at the moment ({reply})", True)
    if code in ("530", "430", "332"):
        return ConnectionFault(
            "AuthenticationFailed", f"{place} does not accept this user name and password ({reply})", False
        )
    if code == "421":
        return ConnectionFault("ConnectionLost", f"{place} closes the connection ({reply})", True, dropped=True)
    if code == "522" or (code in ("425", "450") and re.search(r"session.{0,20}reus|reus.{0,20}session", reply, re.I)):
        message = f"{place} wants the TLS session reused on data channels: switch reuse_session on ({reply})"
        return ConnectionFault("TlsFailed", message, False)
    if code in ("553", "550") and _FORBIDDEN.search(reply):
        return ItemError("PermissionDenied", f"{place} does not let this user at {what} ({reply})")
    if code == "550":
        return ItemError("NotFound", f"{place} has no {what} ({reply})")
    if code == "425" and not connection.passive:
        message = f"{place} cannot reach us back for active mode: switch passive mode on ({reply})"
        return ConnectionFault("DataChannelFailed", message, False)
    if code in ("425", "426", "450", "451", "452"):
        return ConnectionFault(
            "ConnectionLost", f"{place} broke off the transfer of {what} ({reply})", True, dropped=True
        )
    return ItemError("ServerRefused", f"{place} answered {reply}", retryable=code.startswith("4"))
