"""Where each setting comes from: a flag, a variable or the file. What is wrong with a setting is blamed on what said it."""

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_settings import EnvSettingsSource, SettingsError

from tirtha.errors import SettingsInvalid
from tirtha.settings import Settings, settings_file

__all__ = ["SettingSources"]

_TABLES = ("local", "frontier", "policy", "tenant")

_Place = Sequence[int | str]
_Given = Mapping[str, Any]


class SettingSources:
    """The flags of a command, the environment and the file.

    `flags` are named as the settings are, tiers as mappings of theirs; one that was not given is None.
    """

    def __init__(self, **flags: Any) -> None:  # noqa: ANN401 - as pydantic takes them
        self._known = flags
        self._flags = _without_none(flags)

    def read(self) -> Settings:
        """Read the settings. Raises SettingsInvalid, which names each wrong one as its source spells it."""
        file = settings_file(self._flags.get("home"))
        try:
            return Settings(**self._flags)
        except ValidationError as fault:
            wrong = [f"{self.named(one['loc'])}: {_why(dict(one))}" for one in fault.errors()]
            raise SettingsInvalid(wrong) from None
        except SettingsError as fault:  # a variable that must be JSON
            raise SettingsInvalid([f"a variable TIRTHA_...: {fault} ({fault.__cause__})"]) from None
        except tomllib.TOMLDecodeError as fault:
            raise SettingsInvalid([f"{file} is no TOML: {fault}; correct that line"]) from None
        except UnicodeDecodeError as fault:
            raise SettingsInvalid([f"{file} is not UTF-8 ({fault.reason} at byte {fault.start + 1})"]) from None
        except OSError as fault:
            reason = fault.strerror if fault.filename else str(fault)
            why = f"{file} cannot be read: {reason}" if fault.filename else reason
            raise SettingsInvalid([f"{why}; correct it, or set TIRTHA_CONFIG to another file"]) from None

    def named(self, place: _Place) -> str:
        """Return a setting's name as its source spells it: `--port`, `TIRTHA_PORT`, or `port in FILE`."""
        known = [step for step in place if isinstance(step, str)]
        variable = f"TIRTHA_{'_'.join(known).upper()}"
        for depth in range(len(known), 0, -1):  # a tier without its URL is blamed on who spoke of the tier
            if _holds(self._flags, known[:depth]):
                flag = "--" + "-".join(known).replace("_", "-")
                return flag if _holds(self._known, known) else variable
            if _holds(_environment(), known[:depth]):
                return variable
            if _holds(_table(self._flags), known[:depth]):
                return f"{'.'.join(known)} in {settings_file(self._flags.get('home'))}"
        return variable

    def named_variable(self, variable: str) -> str:
        """Return the name of the setting `TIRTHA_<NAME>` as its source spells it."""
        name = variable.removeprefix("TIRTHA_").lower()
        table = next((one for one in _TABLES if name.startswith(f"{one}_")), None)
        return self.named((table, name.removeprefix(f"{table}_")) if table else (name,))


def _without_none(flags: _Given) -> dict[str, Any]:
    kept = {name: _without_none(flag) if isinstance(flag, Mapping) else flag for name, flag in flags.items()}
    return {name: flag for name, flag in kept.items() if flag is not None and flag != {}}


def _environment() -> _Given:
    try:
        return EnvSettingsSource(Settings)()
    except SettingsError:
        return {}


def _table(flags: _Given) -> _Given:
    try:
        return tomllib.loads(settings_file(flags.get("home")).read_text("utf-8"))
    except (OSError, ValueError):  # there is none, or what is wrong with it is reported already
        return {}


def _holds(source: _Given, path: Sequence[str]) -> bool:
    held: object = source
    for step in path:
        if not isinstance(held, Mapping) or step not in held:
            return False
        held = held[step]
    return True


def _why(error: dict[str, Any]) -> str:
    match error["type"]:
        case "extra_forbidden":
            return "is not a setting"
        case "missing":
            return "is required"
        case _:
            return str(error["msg"]).removeprefix("Value error, ")
