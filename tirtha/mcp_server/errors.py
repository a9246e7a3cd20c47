"""What a tool answers when it does not do what it was asked: words that an agent can act on."""

__all__ = ["NobodyNamed", "Refused"]


class Refused(Exception):
    """A tool is not run, or failed in a way that we know; the message says why and what to do.

    `retry_after_s` is when the same request may succeed, if only time is needed.
    """

    def __init__(self, why: str, *, retry_after_s: int | None = None) -> None:
        self.why = why
        self.retry_after_s = retry_after_s
        super().__init__(why if retry_after_s is None else f"{why} (try again in {retry_after_s} s)")


class NobodyNamed(Refused):
    """Nothing says whose memory is meant, and none is taken by accident."""

    def __init__(self) -> None:
        super().__init__(
            "nothing says whose memory is meant: name the user with the argument user_id; or, for the whole connection, with the "
            "header X-Tirtha-User, or by a key that is bound to one user (tirtha keys create NAME --user USER)"
        )
