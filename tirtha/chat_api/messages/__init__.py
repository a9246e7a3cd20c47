"""POST /v1/messages: Anthropic's Messages API.

`routes` has the endpoints, `prompt` a conversation in that format, `blocks` the contents of its messages, `streams` its events,
`claude_code` what that program's requests say of themselves.
"""
