"""A completion of what is heard in a response: for the protocols whose responses are read as they are relayed."""

from collections.abc import Mapping

from cascade.errors import ChatFailed
from cascade.model import Completion, WireProtocol
from cascade.tiers.hearing import hearing
from cascade.tiers.usage import contents

__all__ = ["heard_completion"]


def heard_completion(protocol: WireProtocol, answered: object, *, finishes: Mapping[str, str]) -> Completion:
    """Read a response; `finishes` are the protocol's own words for why one ended, in those of chat completions.

    Raises ChatFailed for what is no response, or has no answer in it at all.
    """
    if not isinstance(answered, Mapping):
        sent = contents(answered) if isinstance(answered, str) else ""
        raise ChatFailed("bad_response", "the response is no JSON object", sent=sent)
    listening = hearing(protocol)
    listening.whole(answered)
    heard = listening.heard()
    if not heard.finish and not heard.text:
        raise ChatFailed("bad_response", "the response has no answer", usage=heard.usage)
    return Completion(
        text=heard.text,
        model=heard.model,
        finish_reason=finishes.get(heard.finish, heard.finish),
        usage=heard.usage,
        reasoning=heard.reasoning,
    )
