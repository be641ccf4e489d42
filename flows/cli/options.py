"""Command-line options of a flow, made from the types and help texts of its parameters."""

from __future__ import annotations

import argparse
import inspect
from enum import Enum
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NoReturn,
    Union,
    get_args,
    get_origin,
)

from pydantic import BaseModel

from slices.domain.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

    from slices.runtime.workflow import Workflow

UNSET = object()


class OptionParser(argparse.ArgumentParser):
    """A parser whose complaints are parameter errors, like those of every other door."""

    def error(self, message: str) -> NoReturn:
        """Refuse the words.

        Raises:
            ParameterError: Always.
        """
        raise ParameterError(parameter="options", found=message, allowed=f"see {self.prog} --help")


def _core_type(field: FieldInfo) -> Any:  # noqa: ANN401 - a type, or a generic alias
    """Strip `None` off an optional type."""
    options = [each for each in get_args(field.annotation) if each is not type(None)]
    is_optional = len(options) == 1 and get_origin(field.annotation) not in {list, tuple}
    return options[0] if is_optional else field.annotation


def _container(field: FieldInfo) -> Any:  # noqa: ANN401 - a type
    """Name the container of a list or dict parameter, the type itself of any other."""
    core = _core_type(field)
    plain = get_args(core)[0] if get_origin(core) is Annotated else core
    return get_origin(plain) or plain


def _is_group(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def help_texts(flow: Workflow[..., Any]) -> dict[str, str]:
    """Read the help text of every parameter from a flow's docstring."""
    lines = (inspect.getdoc(flow.fn) or "").partition("Args:\n")[2].splitlines()
    texts: dict[str, str] = {}
    for line in lines:
        name, found, text = line.strip().partition(": ")
        if found and name.isidentifier():
            texts[name] = text
        elif texts and line.strip():
            last = next(reversed(texts))
            texts[last] = f"{texts[last]} {line.strip()}"
    return texts


def _default_text(field: FieldInfo) -> str:
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    if default is None or default in ([], {}, ()):
        return ""
    if isinstance(default, list):
        return f" (default: {' '.join(map(str, default))})"
    if isinstance(default, dict):
        return f" (default: {' '.join(f'{key}={value}' for key, value in default.items())})"
    return f" (default: {default})"


def build_parser(name: str, flow: Workflow[..., Any]) -> argparse.ArgumentParser:
    """Build the parser of one flow's parameters."""
    question, _, rest = (inspect.getdoc(flow.fn) or "").partition("\n")
    parser = OptionParser(
        prog=f"tradeflows run {name}",
        description=f"{question} {rest.partition('Args:')[0].strip()}",
        argument_default=UNSET,
        allow_abbrev=False,
    )
    texts = help_texts(flow)
    for parameter, field in flow.model.model_fields.items():
        if _is_group(_core_type(field)):
            _add_group(parser, parameter, field, texts.get(parameter, ""))
        else:
            _add_option(parser, parameter, field, texts.get(parameter, ""))
    return parser


def _add_group(
    parser: argparse.ArgumentParser, parameter: str, field: FieldInfo, text: str
) -> None:
    group = parser.add_argument_group(parameter, text)
    for name, each in _core_type(field).model_fields.items():
        group.add_argument(
            *sorted({f"--{parameter}.{name}".replace("_", "-"), f"--{parameter}.{name}"}),
            dest=f"{parameter}.{name}",
            metavar="VALUE",
            help=f"{each.description or ''}{_default_text(each)}".replace("%", "%%"),
        )


def _add_option(
    parser: argparse.ArgumentParser, parameter: str, field: FieldInfo, text: str
) -> None:
    kind = _container(field)
    many = kind in {list, dict}
    parser.add_argument(
        *sorted({f"--{parameter}".replace("_", "-"), f"--{parameter}"}),
        dest=parameter,
        nargs="*" if many else None,
        metavar="KEY=VALUE" if kind is dict else "VALUE",
        help=f"{text}{_choices(field)}{_default_text(field)}".replace("%", "%%"),
    )


def _choices(field: FieldInfo) -> str:
    """List the values of a parameter that takes one, or some, of a few."""
    values = list(dict.fromkeys(_allowed(field.annotation)))
    return f" One of: {', '.join(values)}." if values else ""


def _allowed(kind: Any) -> Iterator[str]:  # noqa: ANN401 - a type, or a generic alias
    """List what may be written where a type is a choice, or a list or union of choices."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        yield from (str(each.value) for each in kind)
    elif get_origin(kind) is Literal:
        yield from (str(each) for each in get_args(kind))
    elif get_origin(kind) in {list, Annotated, Union, UnionType}:
        for each in get_args(kind)[: 1 if get_origin(kind) is Annotated else None]:
            yield from _allowed(each)


def _pairs(parameter: str, words: list[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    for key, equals, value in pairs:
        if not (key and equals and value):
            raise ParameterError(
                parameter=parameter, found=repr(key + equals + value), allowed="KEY=VALUE"
            )
    names = [key for key, _, _ in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ParameterError(
            parameter=parameter, found=f"{', '.join(twice)} more than once", allowed="each once"
        )
    return {key: value for key, _, value in pairs}


def given_parameters(flow: Workflow[..., Any], chosen: argparse.Namespace) -> dict[str, Any]:
    """Collect the parameters that were given; the flow's own defaults fill the rest."""
    given: dict[str, Any] = {}
    for dest, value in vars(chosen).items():
        if value is UNSET:
            continue
        parameter, _, inner = dest.partition(".")
        field = flow.model.model_fields[parameter]
        if inner:
            base = given.setdefault(parameter, _group_defaults(field))
            base[inner] = value
        elif _container(field) is dict:
            given[parameter] = _pairs(parameter, value)
        elif isinstance(value, list):
            given[parameter] = [each for word in value for each in word.split(",") if each]
        else:
            given[parameter] = value
    return given


def _group_defaults(field: FieldInfo) -> dict[str, Any]:
    default = field.default
    return default.model_dump() if isinstance(default, BaseModel) else {}
