"""The Responses API: POST /v1/responses, GET and DELETE of stored ones, POST /v1/responses/compact.

A tier that speaks it gets the request as it is; for one that speaks chat completions `to_chat` writes the request anew, and
`from_chat` the answer.
"""
