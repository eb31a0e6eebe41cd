"""
An attempt that failed for the API server itself: it, or the etcd behind it, was away or too slow at that moment.

Nothing about the object is wrong, and Flux tries again at its interval. Only words that are the API server's own, or
its client's about a call to it, and only where the failure begins with them: what a webhook or a controller says of
another server may be worded alike. etcd's are those of v3.6 (api/v3rpc/rpctypes/error.go) that pass; a database without
space does not. The rest is kubernetes v1.36 (apiserver pkg/endpoints/handlers/finisher, apimachinery
pkg/api/errors/errors.go) and Go's net.
"""

from __future__ import annotations

import re
from typing import Final

CAUSE: Final = "apiserver:unavailable"
REASON: Final = (
    "reason:ReconciliationFailed"  # as it is a cause where its words are nobody's in particular
)
OWN_WORDS: Final = re.compile(
    r"(?:dry-run|apply|delete) failed(?: \([A-Za-z]+\))?: (?:Internal error occurred: )?"
    r"(?:etcdserver: (?:request timed out|leader changed|no leader|server stopped|too many requests)"
    # The path is the API's, and who refused is whom the client called: no other server is meant.
    r'|(?:Get|Patch|Post|Put|Delete) "https://([^/"]+)/apis?[/?][^"]*": dial tcp \1: connect: connection refused'
    r"|(?:Timeout: )?request did not complete within requested timeout - context deadline exceeded"
    r"|the server was unable to return a response in the time allotted"
    r"|the server is currently unable to handle the request"
    r"|rpc error: code = Unavailable desc = )"
)


def is_its_own(message: str) -> bool:
    """Say whether an attempt failed for nothing but the API server, by its *message*."""
    return OWN_WORDS.search(" ".join(message.split())) is not None
