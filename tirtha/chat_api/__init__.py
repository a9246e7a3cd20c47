"""The endpoints that other people's clients call: chat completions and responses as OpenAI has them, messages as Anthropic has.

Thin shells over the operations of `tirtha.operations.chat`: they say who is meant, read a conversation out of its wire format, and
write the answer as the client expects it. What they do not know of a request is passed on.
"""
