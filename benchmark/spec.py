"""What is named on a command line with options of its own: `NAME` or `NAME:KEY=VALUE,KEY=VALUE`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, get_type_hints

from convsafe.taxonomy.errors import BadInput, UnknownName

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Options = TypeVar("Options", bound=DataclassInstance)


class Spec(NamedTuple):
    """A name and the options given with it, as texts."""

    name: str
    options: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> Spec:
        """Return what a text names.

        Raises:
            BadInput: If an option has no value or comes twice.
        """
        name, _, rest = text.partition(":")
        options: dict[str, str] = {}
        for part in filter(None, rest.split(",")):
            key, given, value = part.partition("=")
            if not given or key in options:
                raise BadInput(f"{text!r}: give options once each, as {name}:KEY=VALUE,KEY=VALUE")
            options[key.strip()] = value.strip()
        return cls(name, options)

    @property
    def text(self) -> str:
        """The text that names it."""
        options = ",".join(f"{key}={value}" for key, value in self.options.items())
        return f"{self.name}:{options}" if options else self.name

    def into(self, kind: type[Options]) -> Options:
        """Return the options as a dataclass, each value as the type of its field.

        Raises:
            UnknownName: If there is no such option, with those there are.
            BadInput: If a value is not of the field's type, or one that is needed is missing.
        """
        types = get_type_hints(kind)
        for key in self.options:
            if key not in types:
                raise UnknownName(f"option of {self.name!r}", key, list(types))
        needed = [
            one.name
            for one in fields(kind)
            if one.default is MISSING and one.default_factory is MISSING
        ]
        if missing := [name for name in needed if name not in self.options]:
            raise BadInput(f"{self.name!r} needs {missing[0]}: give {self.name}:{missing[0]}=…")
        values = {key: self._value(key, text, types[key]) for key, text in self.options.items()}
        return kind(**values)

    def _value(self, key: str, text: str, kind: Any) -> Any:
        parsers: dict[Any, Callable[[str], Any]] = {int: int, float: float, bool: _truth}
        try:
            return parsers.get(kind, str)(text)
        except ValueError:
            name = getattr(kind, "__name__", str(kind))
            raise BadInput(f"{self.name}:{key}={text} is no {name}") from None


def _truth(text: str) -> bool:
    if text not in ("yes", "no", "true", "false"):
        raise ValueError(text)
    return text in ("yes", "true")
