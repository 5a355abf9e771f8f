"""Arguments: each is stated once, by a signature with annotated types and by its docstring.

The checks of its value, its flag with the help, and its field in `Settings` follow from these two.
"""

import dataclasses
import inspect
import math
import numbers
import re
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orc_keras.formatting import is_printable


@dataclasses.dataclass(frozen=True)
class Range:
    """The bounds of a number, for `Annotated[float, Range(above=0)]`.

    Attributes:
        at_least, above: the lower bound, included or excluded.
        at_most, below: the upper bound, included or excluded.
    """

    at_least: float = -math.inf
    above: float = -math.inf
    at_most: float = math.inf
    below: float = math.inf

    def __contains__(self, value) -> bool:
        return (
            self.at_least <= value <= self.at_most
            and self.above <= value <= self.below
            and value not in (self.above, self.below)
        )

    def __str__(self) -> str:
        if math.isfinite(self.at_least) and math.isfinite(self.at_most):
            return f"{self.at_least} to {self.at_most}"
        texts = {
            f"{self.at_least} or more": self.at_least,
            f"above {self.above}": self.above,
            f"at most {self.at_most}": self.at_most,
            f"below {self.below}": self.below,
        }
        return " and ".join(text for text, bound in texts.items() if math.isfinite(bound))


class WholeOrFraction(Range):
    """The whole numbers from 1 on, and the fractions below 1."""

    def __contains__(self, value) -> bool:
        return 0 < value < 1 or (value >= 1 and value == int(value))

    def __str__(self) -> str:
        return "a whole number, 1 or more, or a fraction of 1"


NUMBER = int | float
Seed = typing.Annotated[int, Range(at_least=0, at_most=2**32 - 1)]  # NumPy takes no larger one


@dataclasses.dataclass(frozen=True)
class Argument:
    """An argument, its type and its possible values.

    Attributes:
        name: its name.
        annotation: `bool`, `int`, `float`, `int | float` or `str`; a `Literal` of texts; one of
            these as `Annotated[..., Range(...)]`; or a tuple of any number of such,
            `tuple[int, ...]`.
        default: its default.
        help: its line in the docstring.

    Examples:
        >>> Argument("temperature", typing.Annotated[float, Range(above=0)]).check(-1)
        Traceback (most recent call last):
        ValueError: temperature must be above 0, not -1.
    """

    name: str
    annotation: Any
    default: Any = ""
    help: str = ""

    @property
    def choices(self) -> tuple[str, ...]:
        """The possible texts, or entries of a tuple; empty: any."""
        annotation = self.item.annotation if self.item else self.annotation
        return typing.get_args(annotation) if _origin(annotation) is typing.Literal else ()

    @property
    def type(self) -> Any:
        """`bool`, `int`, `float`, `str` or `tuple`; None if the annotation is none of ours."""
        annotation, origin = _plain(self.annotation), _origin(self.annotation)
        kind = {typing.Literal: str, tuple: tuple}.get(origin, annotation)
        kind = float if kind == NUMBER else kind
        return kind if kind in (bool, int, float, str, tuple) else None

    @property
    def range(self) -> Range:
        metadata = getattr(self.annotation, "__metadata__", ())
        return next((each for each in metadata if isinstance(each, Range)), Range())

    @property
    def item(self) -> "Argument | None":
        """An entry of a tuple, as an argument; None for other types."""
        if _origin(self.annotation) is not tuple:
            return None
        return Argument(self.name, typing.get_args(self.annotation)[0])

    def check(self, value: Any, name: str = "") -> None:
        """Raises ValueError, which says what is possible, unless `value` is.

        Args:
            value: of the argument.
            name: what the message calls it, such as `--temperature`.
        """
        name = name or self.name
        if not self.is_possible(value):
            raise ValueError(f"{name} must be {self.possible()}, not {value!r}.")
        if self.type is int and value >= 2**63:  # more than a step can count
            raise ValueError(f"{name} must be below 2**63, not {value}.")
        if self.type is float and value and not 1e-37 < abs(value) < 1e38:
            raise ValueError(f"{name} must be a number that float32 can hold, not {value!r}.")
        if self.item:
            for entry in value:
                self.item.check(entry, name)

    def is_possible(self, value: Any) -> bool:
        if self.item:
            if not isinstance(value, list | tuple) or "" in value:
                return False
            is_unique = not self.choices or len({*map(str, value)}) == len(value)
            return is_unique and all(map(self.item.is_possible, value))
        if self.choices:
            return isinstance(value, str) and value in self.choices
        if self.type is bool:
            return isinstance(value, bool)
        if self.type is str:  # one that a flagfile can hold
            is_text = isinstance(value, str) and is_printable(value)
            return is_text and not re.search(r"^\s|\s#|\s$", value)
        kind = numbers.Integral if self.type is int else numbers.Real
        is_number = isinstance(value, kind) and not isinstance(value, bool)
        return is_number and math.isfinite(value) and value in self.range  # type: ignore

    def parse(self, texts: Sequence[str], name: str) -> tuple:
        """Returns the value of a tuple from the texts of its entries.

        Raises:
            ValueError: if they are not numbers, but the entries are; it begins with `name`.
        """
        item: Any = self.item
        takes_both = _plain(item.annotation) == NUMBER
        try:
            return tuple(int(t) if takes_both and t.isdecimal() else item.type(t) for t in texts)
        except ValueError:
            given = ",".join(texts)
            raise ValueError(f"{name} must be numbers, not {given!r}.") from None

    def possible(self) -> str:
        """Returns the possible values, for a sentence."""
        if self.item:
            entries = f"different ones of {', '.join(self.choices)}" if self.choices else ""
            return f"a list of {entries or f'entries, none empty, each {self.item.possible()}'}"
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        if self.type in (bool, str):
            text = "a printable text without spaces at its ends or before a #"
            return "True or False" if self.type is bool else text
        whole = ["a whole number"] * (self.type is int)
        return ", ".join([*whole, str(self.range) or "finite"])


def _plain(annotation):
    is_annotated = typing.get_origin(annotation) is typing.Annotated
    return typing.get_args(annotation)[0] if is_annotated else annotation


def _origin(annotation):
    return typing.get_origin(_plain(annotation))


def arguments_of(function: Callable) -> dict[str, Argument]:
    """Returns the arguments of a function or class that a user sets, by name.

    They are those of the types that `Argument` lists. Keyword-only arguments are left out: they
    come from the calling code.

    Args:
        function: annotated, with a docstring of Keras's style. What the docstring of a class leaves
            out, or explains by "as in ...", its base class explains.
    """
    helps = {}
    for each in getattr(function, "__mro__", [function]):
        helps = _explained(each.__doc__ or "") | helps
    found = {}
    # Before Python 3.11.4, a class that inherits `__init__` has the signature of Keras's `__new__`.
    stated: Any = function.__init__ if inspect.isclass(function) else function
    for name, parameter in inspect.signature(stated).parameters.items():
        default = "" if parameter.default is parameter.empty else parameter.default
        argument = Argument(name, parameter.annotation, default, helps.get(name, ""))
        if argument.type and parameter.kind is not parameter.KEYWORD_ONLY:
            found[name] = argument
    return found


def _explained(docstring):
    """Returns the explanations in the sections Args and Attributes, by name."""
    sections = re.findall(
        r"^(?:Args|Attributes):\n((?:\n| +.*\n?)+)", inspect.cleandoc(docstring), re.MULTILINE
    )
    entries = re.findall(r"^    (\w[\w, ]*): ((?:.|\n(?!    \S))*)", "\n".join(sections), re.M)
    explained = [(names, text) for names, text in entries if not text.startswith("as in")]
    return {name: " ".join(text.split()) for names, text in explained for name in names.split(", ")}


def as_text(value: Any) -> str:
    """Returns a value as a flag states it."""
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def check_arguments(function: Callable, values: Mapping[str, Any]) -> None:
    """Raises ValueError if one of the values of a function's arguments is impossible.

    Args:
        function: as in `arguments_of`.
        values: by the names of arguments.
    """
    arguments = arguments_of(function)
    for name, value in values.items():
        arguments[name].check(value)
