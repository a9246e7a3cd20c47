"""Chat: a conversation goes to a model with what memory holds on its last message, and is remembered.

`asked` has the values, `notes` the fenced block that carries memory into a prompt, `set_apart` what is neither remembered nor
augmented, `fitting` a conversation that is too long for a window, `checking` the guards over an answer, `following` what is new in
a conversation that is sent whole; `chat` is the operation over them.
"""
