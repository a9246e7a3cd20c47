"""What can go wrong in the cascade.

CascadeFault
├── UnknownDecision      no such decision for this tenant
├── UnsoundRecord        what an archive has as a decision is none
├── LedgerUnavailable    decisions cannot be written or read
├── SandboxUnavailable   untrusted code cannot be confined here, so none is run
├── Misconfigured        a setting of a tier is wrong; names it
├── ModelNotServed       a model's own server cannot be started
├── TooLong              no tier's window holds the request
├── TierDown             a tier gave no answer, and no other may
├── NotRecorded          a replayed call has no recording
├── NoThreshold          no threshold holds the risk that is asked for
└── ChatFailed           one call of a model came to nothing
    └── RelayRefused     its server refused what a relayed request says
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cascade.model import Usage

__all__ = [
    "SAID_NOTHING",
    "SAID_NOTHING_HERE",
    "SILENT",
    "CascadeFault",
    "ChatFailed",
    "LedgerUnavailable",
    "Misconfigured",
    "ModelNotServed",
    "NoThreshold",
    "NotRecorded",
    "RelayRefused",
    "SandboxUnavailable",
    "TierDown",
    "TooLong",
    "UnknownDecision",
    "UnsoundRecord",
]


class CascadeFault(Exception):
    """The root of this package's errors."""


class UnknownDecision(CascadeFault):
    """No decision of this id belongs to the tenant; whether another tenant has one is not revealed."""

    def __init__(self, *, decision_id: str) -> None:
        self.decision_id = decision_id
        super().__init__(f"there is no decision {decision_id!r}")


class UnsoundRecord(CascadeFault):
    """What an archive has as a decision's record is none: at `at` in it, because of `why`."""

    def __init__(self, *, at: str, why: str) -> None:
        self.at = at
        self.why = why
        super().__init__(f"{at} {why}")


class LedgerUnavailable(CascadeFault):
    """The database refused to write or read decisions; `full` says that the disk (or its quota) is full."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.full = any(
            words in reason.lower()
            for words in ("disk is full", "no space left", "quota exceeded", "disk full", "os error 28")
        )
        super().__init__(f"the ledger of decisions is not available: {reason}")


class SandboxUnavailable(CascadeFault):
    """No confinement works on this machine; `reason` says what each lacked."""

    def __init__(self, *, reason: str) -> None:
        self.reason = reason
        super().__init__(f"code cannot be run safely here, so it is not run at all: {reason}")


class Misconfigured(CascadeFault):
    """A setting is wrong; `setting` is its name and `why` what is wrong with it."""

    def __init__(self, *, setting: str, why: str) -> None:
        self.setting = setting
        self.why = why
        super().__init__(f"{setting}: {why}")


class ModelNotServed(CascadeFault):
    """The model in `file` cannot be served on this machine, for `reason`."""

    def __init__(self, *, file: Path, reason: str) -> None:
        self.file = file
        self.reason = reason
        super().__init__(f"{file} cannot be served: {reason}")


class TooLong(CascadeFault):
    """The request takes `tokens`, and the widest window of the tiers that may answer holds `window_tokens`."""

    def __init__(self, *, tokens: int, window_tokens: int) -> None:
        self.tokens = tokens
        self.window_tokens = window_tokens
        super().__init__(f"the request takes {tokens:,} tokens and the model's window holds {window_tokens:,}")


class TierDown(CascadeFault):
    """The tier `tier` gave no answer, for `reason`, and no other may; trying again may help after `retry_after_s`.

    `silent`: its server answered, but the model said nothing, or refused.
    """

    def __init__(self, *, tier: str, reason: str, retry_after_s: int, silent: bool = False) -> None:
        self.tier = tier
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.silent = silent
        what = "said nothing" if silent else "does not answer"
        super().__init__(f"the tier {tier!r} {what} ({reason}), and no other may answer this request")


class NotRecorded(CascadeFault):
    """A strict replay was asked for a call that is not in its recordings."""

    def __init__(self, *, model: str, key: str, sample: int) -> None:
        self.model = model
        self.key = key
        self.sample = sample
        super().__init__(f"sample {sample} of request {key} to {model!r} is not in the recordings")


class NoThreshold(CascadeFault):
    """No threshold holds a `risk` with `labelled` answers; without a mistake `needed` would do."""

    def __init__(self, *, risk: float, labelled: int, needed: int) -> None:
        self.risk = risk
        self.labelled = labelled
        self.needed = needed
        super().__init__(
            f"no threshold holds a risk of {risk:.1%} with {labelled} labelled answers: "
            f"at least {needed} without a mistake are needed"
        )


# Kinds of ChatFailed: the model said nothing, for good or at this address alone.
SAID_NOTHING: Final = "said_nothing"
SAID_NOTHING_HERE: Final = "said_nothing_here"
SILENT: Final = frozenset({SAID_NOTHING, SAID_NOTHING_HERE})


class ChatFailed(CascadeFault):
    """One call came to nothing. `kind` says how; `lasting` ones would fail again; `usage` is what was billed all the same.

    `sent` is what the server said all the same, for the count of its tokens. `parameter`, of the kind "parameter", is what the
    server seems to refuse: the same request without it may be answered. `status` is the HTTP status of an answer that is an error.
    """

    def __init__(  # noqa: PLR0913 - an error's fields
        self,
        kind: str,
        reason: str,
        *,
        lasting: bool = False,
        retry_after_s: float | None = None,
        usage: Usage | None = None,
        sent: str = "",
        parameter: str = "",
        status: int | None = None,
    ) -> None:
        self.kind = kind
        self.reason = reason
        self.lasting = lasting
        self.retry_after_s = retry_after_s
        self.usage = usage or Usage()
        self.sent = sent
        self.parameter = parameter
        self.status = status
        super().__init__(f"{kind}: {reason}")


class RelayRefused(ChatFailed):
    """A server refused a relayed request for what it says: with `status`, and its error object, which is the client's to read."""

    status: int

    def __init__(self, status: int, error: Mapping[str, Any]) -> None:
        self.error = dict(error)
        super().__init__("refused", f"the server answered {status}", lasting=True, status=status)
