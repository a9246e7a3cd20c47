"""From a model of options to the command line: every field is an option, and its words go back into the field.

Knows no benchmark. A field's name is the option's, its description the help; bounds, choices and defaults are its own. Tuples are
given separated by commas, mappings as NAME=VALUE, once for each name. What is true or false is a flag, and false without it.
"""

from collections.abc import Callable, Collection, Mapping
from inspect import Parameter, Signature
from types import NoneType
from typing import Annotated, Any, TypeVar, get_args, get_origin

import typer
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from eval.harness.benchmark import AnyOptions, Options

__all__ = ["options_of", "with_options"]

Command = TypeVar("Command", bound=Callable[..., None])
_BOUNDS = {"ge": "min", "le": "max"}


def with_options(command: Command, model: type[Options], *, without: Collection[str] = (), data: str = "") -> Command:
    """Return `command` with an option for each field of a model, before the options that it names itself.

    Args:
        command: takes the fields as `**given`, in the words of the command line.
        model: the fields.
        without: the names of fields, and of options of the command itself, that are not asked for.
        data: what the field `data` is; it must be given then.
    """
    fields = [_option(name, one, data if name == "data" else "") for name, one in model.model_fields.items()]
    own = [one for one in Signature.from_callable(command).parameters.values() if one.kind is Parameter.KEYWORD_ONLY]
    asked = [one for one in (*fields, *own) if one.name not in without]
    command.__signature__ = Signature(asked)  # type: ignore[attr-defined] # inspect, and so typer, reads it before all else
    return command


def options_of(model: type[AnyOptions], given: Mapping[str, Any], fixed: Mapping[str, Any]) -> AnyOptions:
    """Return a command's options; `fixed` are those that it does not ask for. Raises BadParameter, which names what cannot be."""
    values = {name: _value(model.model_fields[name], words) for name, words in given.items()}
    try:
        return model(**values, **fixed)
    except ValidationError as faults:
        fault = faults.errors()[0]
        why = fault["ctx"]["error"] if fault["type"] == "value_error" else f"{fault['input']!r}: {fault['msg']}"
        raise typer.BadParameter(str(why), param_hint=_flag(fault["loc"][0]) if fault["loc"] else None) from None


def _option(name: str, field: FieldInfo, needed: str) -> Parameter:
    many, optional = _many(field), NoneType in get_args(field.annotation)
    default = Parameter.empty if needed or field.is_required() else field.default
    kind: Any = field.annotation
    how = ""
    if many is tuple:
        kind, how = (str | None if optional else str), " (separated by commas)"
        default = ",".join(map(str, default)) if isinstance(default, tuple) else default
    elif many is Mapping:
        kind, default = list[str] | None, None
    bounds = {_BOUNDS[at]: getattr(one, at) for one in field.metadata for at in _BOUNDS if hasattr(one, at)}
    option = typer.Option(_flag(name), help=needed or f"{field.description}{how}", **bounds)
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option])


def _value(field: FieldInfo, words: Any) -> Any:
    many = _many(field)
    if many is tuple and words is not None:
        return words.split(",")
    if many is Mapping:
        return dict(one.partition("=")[::2] for one in words or ())
    return words


def _many(field: FieldInfo) -> Any:
    """Return `tuple` or `Mapping` where a field holds several values; None where it holds one."""
    kinds = [field.annotation, *get_args(field.annotation)]
    return next((many for one in kinds if (many := get_origin(one)) in (tuple, Mapping)), None)


def _flag(name: object) -> str:
    return f"--{str(name).replace('_', '-')}"
