"""The model's own process: loads a GGUF file with llama.cpp and serves it over the OpenAI protocol, on loopback.

Run as a file, so that it imports nothing of ours. The first line of standard input is its configuration; the end of standard input
means stop, and comes however the parent ends. On Linux the kernel also kills this process with its parent, since loading a model
may keep the thread that reads from running. Standard output has one line of JSON: the address, or what went wrong. What llama.cpp
prints goes nowhere, because it may hold prompts.
"""

import ctypes
import json
import os
import signal
import sys
import threading
from typing import Any, NoReturn

_PR_SET_PDEATHSIG = 1
_ONE_AT_A_TIME = 1  # each further place takes a context window of memory


def main() -> NoReturn:
    """Serve until standard input ends. The only argument is the parent's process id."""
    _end_with(int(sys.argv[1]))
    reports = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the library writes on standard output must not mix with what is reported there
    config = json.loads(sys.stdin.buffer.readline())
    watching = threading.Thread(target=_end_with_input, daemon=True)
    watching.start()
    try:
        server = _serve(config)
    except (ImportError, OSError, RuntimeError, TypeError, ValueError) as fault:
        print(json.dumps({"fault": f"{type(fault).__name__}: {fault}"}), file=reports, flush=True)
        os._exit(1)
    print(json.dumps({"address": server.listening_address}), file=reports, flush=True)
    watching.join()
    os._exit(0)


def _serve(config: dict[str, Any]) -> Any:  # noqa: ANN401 - of a library without types
    """Load the model and listen; the port is a free one."""
    import xllamacpp  # noqa: PLC0415 - what is wrong with it is reported as any other fault is

    parameters = xllamacpp.CommonParams()
    parameters.model.path = config["file"]
    parameters.model_alias = {config["name"]}
    parameters.api_keys = [config["key"]]
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.n_ctx = config["context_tokens"]
    parameters.n_parallel = _ONE_AT_A_TIME
    if config["threads"] is not None:
        parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = config["threads"]
    parameters.offline = True
    parameters.ui = parameters.endpoint_slots = False  # pages and a view of what others ask
    parameters.verbosity = 0
    return xllamacpp.Server(parameters)


def _end_with(parent: int) -> None:
    """Have the kernel end this process with its parent, where it can; the parent may be gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if hasattr(os, "getppid") and os.getppid() != parent:
        os._exit(1)


def _end_with_input() -> NoReturn:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
