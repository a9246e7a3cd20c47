"""Whether the user agrees to what cannot be undone: they are asked themselves, where their client can do that (elicitation).

From 2026-07-28 on a server asks by its result: the client answers by sending the request anew with the answer in it. Before that a
server sends a request of its own, for which a connection that is kept (standard input and output) is needed.
Sources: MCP specification 2025-11-25 and 2026-07-28, "Elicitation" and "Multi round-trip requests".
"""

from typing import Any

from mcp.server.context import ServerRequestContext
from mcp_types import CallToolRequestParams, ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult
from mcp_types.version import is_version_at_least

from tirtha.mcp_server.errors import Refused

__all__ = ["asked_user"]

_ASKS_BY_RESULT = "2026-07-28"
_KEY = "forget"
_FORM: dict[str, Any] = {
    "type": "object",
    "properties": {"confirm": {"type": "boolean", "title": "Forget it for good", "default": False}},
    "required": ["confirm"],
}

Context = ServerRequestContext[Any, Any]


async def asked_user(ctx: Context, params: CallToolRequestParams, question: str) -> InputRequiredResult | None:
    """Ask the user, and return None once they have said yes; or the result by which the client is asked to ask them.

    An answer that comes with the request is taken as it is. It says no more than the argument `confirm` could, which the same
    client sends: both rest on the client that shows the question.

    Raises Refused if they said no, and if they cannot be asked.
    """
    answer = (params.input_responses or {}).get(_KEY)
    if isinstance(answer, ElicitResult):
        _check(answer)
        return None
    if not _can_show_forms(ctx):
        raise Refused(
            f"this needs the user's consent: ask them ({question}), and call again with confirm: true if they agree"
        )
    if is_version_at_least(ctx.protocol_version, _ASKS_BY_RESULT):
        asking = ElicitRequest(params=ElicitRequestFormParams(message=question, requested_schema=_FORM))
        return InputRequiredResult(input_requests={_KEY: asking})
    _check(await ctx.session.elicit_form(question, _FORM, related_request_id=ctx.request_id))
    return None


def _can_show_forms(ctx: Context) -> bool:
    """Return whether the client can ask its user: it said so and, in the older protocol, there is a way to reach it."""
    capabilities = ctx.session.client_capabilities
    forms = capabilities.elicitation if capabilities else None
    if forms is None or (forms.form is None and forms.url is not None):  # an empty capability stands for forms
        return False
    return is_version_at_least(ctx.protocol_version, _ASKS_BY_RESULT) or ctx.session.can_send_request


def _check(answer: ElicitResult) -> None:
    if answer.action != "accept" or (answer.content or {}).get("confirm") is not True:
        raise Refused("the user did not agree, so nothing was forgotten")
