"""
Deletes exactly one object: an aggregated API or a webhook configuration that nobody serves any more.

A person agreed to this object and to no other of its name. The API itself holds that: a DELETE with the UID as its
precondition is refused where another object has taken the name, so there is no moment between a look and the write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from engine.world import INVALID, NOT_FOUND
from rekindle.adapters import settling
from rekindle.adapters.connection import UnansweredError
from rekindle.adapters.kubernetes import RefusedError, settle_refusal, settle_silence
from rekindle.adapters.resources import RESOURCES

if TYPE_CHECKING:
    from engine.world import Intent, Settlement
    from rekindle.adapters.kubernetes import Api

KINDS: Final = {
    "apiservice.remove": ("APIService",),
    "webhook.remove": ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"),
}
_NOT_FOUND = 404


def remove(intent: Intent, api: Api) -> Settlement:
    """
    Delete the object of this UID; that it is gone already is success.

    CONFLICT says that the name is another object's: nothing happened, and trying again is for nobody. Without a UID
    the API would delete whatever has the name, so that is refused here.
    """
    kind, name = str(intent.arguments.get("kind", "")), str(intent.arguments.get("name", ""))
    uid = str(intent.arguments.get("uid") or "")
    if kind not in KINDS.get(intent.verb, ()) or not name or not uid:
        return settling.failed(intent, INVALID, why=f"{intent.verb} cannot delete this: {kind}")
    path = RESOURCES[kind][0].path(name=name)
    try:
        api.within(intent.deadline_seconds).delete(path, uid)
    except RefusedError as error:
        if error.status == _NOT_FOUND:
            return settling.done(intent, NOT_FOUND, why="it was gone already")
        return settle_refusal(intent, error)
    except UnansweredError as error:
        return settle_silence(intent, error)
    return settling.done(intent, removed=name)
