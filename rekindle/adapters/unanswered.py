"""
What there was instead of an answer, in our own words: nothing of urllib3, ssl or a server passes through here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# OpenSSL's X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED (openssl/x509_vfy.h).
_OUT_OF_DATE: Mapping[int, str] = {9: "is not valid yet", 10: "has expired"}
# What Python calls the ends of a connection, as people would.
_PLAINLY: Mapping[str, str] = {
    "BrokenPipeError": "it was closed while we spoke",
    "ConnectionResetError": "it was reset",
    "IncompleteRead": "it ended in the middle of an answer",
    "RemoteDisconnected": "it was closed without an answer",
}


class UnansweredError(Exception):
    """
    There was no answer.

    *code*: refused, silent, foreign (another CA), odd, denied (no credentials could be had). *sent* is false when the
    request certainly never left.
    """

    def __init__(self, code: str, why: str, *, sent: bool) -> None:
        """Keep what decides apart from the sentence."""
        super().__init__(why)
        self.code = code
        self.sent = sent


def translate(error: Exception, *, sent: bool) -> UnansweredError:
    """Turn what urllib3 raises into our own words."""
    import ssl

    from urllib3 import exceptions

    if isinstance(error, UnansweredError):
        return error
    if isinstance(error, exceptions.NameResolutionError):
        return UnansweredError("refused", "the name does not resolve", sent=False)
    if isinstance(error, exceptions.NewConnectionError):  # to urllib3 this is a kind of timeout
        cause = error.__cause__
        if isinstance(cause, ConnectionRefusedError):
            return UnansweredError("refused", "the connection was refused", sent=False)
        why = cause.strerror if isinstance(cause, OSError) and cause.strerror else _brief(error)
        return UnansweredError("silent", f"no connection: {why}", sent=False)
    if isinstance(error, exceptions.ConnectTimeoutError):
        return UnansweredError("silent", "no connection in time", sent=False)
    if isinstance(error, exceptions.TimeoutError):
        return UnansweredError("silent", "no answer in time", sent=sent)
    if isinstance(error, (exceptions.SSLError, ssl.SSLError)):
        return _translate_tls(error)
    return UnansweredError("odd", f"the connection broke: {_brief(error)}", sent=sent)


def _translate_tls(error: Exception) -> UnansweredError:
    """
    Tell a certificate of another CA from one that is of ours and does not hold today.

    A laptop whose clock is wrong finds every certificate out of date: that makes no cluster a foreign one.
    """
    import ssl

    if "CERTIFICATE_VERIFY_FAILED" not in str(error):
        return UnansweredError("odd", f"TLS failed: {_brief(error)}", sent=True)
    found: object = error
    while isinstance(found, Exception) and not isinstance(found, ssl.SSLCertVerificationError):
        found = next(iter(found.args), None)
    number = getattr(found, "verify_code", 0)
    if number in _OUT_OF_DATE:
        why = f"the server's certificate {_OUT_OF_DATE[number]}; is this machine's clock right?"
        return UnansweredError("odd", why, sent=False)
    why = "the server's certificate is not of the CA in the kubeconfig"
    said = getattr(found, "verify_message", "")
    return UnansweredError("foreign", f"{why}: {said}" if said else why, sent=False)


def _brief(error: Exception) -> str:
    """Name an error without quoting what a server sent."""
    reason = getattr(error, "reason", None)
    if isinstance(reason, str):
        return reason
    name = type(error.__cause__ or error).__name__
    return _PLAINLY.get(name, name)
