"""What every route is given: the service, and who calls, once the caller's tenant has let the request in."""

from typing import Annotated

from fastapi import Depends, Request

from tirtha.caller import Caller, local_caller
from tirtha.service import Service

__all__ = ["CalledBy", "Served"]


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def _caller() -> Caller:
    """Return the caller: without API keys only loopback reaches the server, and it may do everything."""
    return local_caller()


Served = Annotated[Service, Depends(_service)]


async def _admitted(service: Served, caller: Annotated[Caller, Depends(_caller)]) -> Caller:
    """Return the caller, if the tenant is there and has not sent too many requests. Raises TenantGone and RateLimited."""
    await service.admission.request(caller.tenant)
    return caller


CalledBy = Annotated[Caller, Depends(_admitted)]
