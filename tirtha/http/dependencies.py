"""What every route is given: the service, and who calls."""

from typing import Annotated

from fastapi import Depends, Request

from tirtha.caller import Caller, local_caller
from tirtha.observation.request import note_tenant
from tirtha.service import Service

__all__ = ["CalledBy", "Served"]


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _caller() -> Caller:
    """Return the caller: without API keys only loopback reaches the server, and it may do everything."""
    return local_caller()


def _noted_caller(caller: Annotated[Caller, Depends(_caller)]) -> Caller:
    """Return the caller, whose tenant the log lines of the request name."""
    note_tenant(caller.tenant)
    return caller


Served = Annotated[Service, Depends(_service)]
CalledBy = Annotated[Caller, Depends(_noted_caller)]
