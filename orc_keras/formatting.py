"""Text for people: tables and durations."""

import math
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

UNPRINTABLE = ("Cc", "Cs", "Zl", "Zp")  # categories of Unicode
REVERSING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def aligned_table(rows: Sequence[Sequence[str]]) -> str:
    """Returns rows as a text table, the first column left-aligned, the others right-aligned.

    Examples:
        >>> print(aligned_table([("member", "parameters"), ("resnet8", "77,754")]))
        member   parameters
        resnet8      77,754
    """
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join(
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    )


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]], align: str = "") -> str:
    """Returns a table in Markdown.

    `align` has a letter for each column: `l`, `r` or `c`; by default the first is `l`, others `r`.

    Examples:
        >>> print(markdown_table(["", "accuracy"], [["kd", "71.20"]]))
        |  | accuracy |
        | --- | ---: |
        | kd | 71.20 |
    """
    rules = {"l": "---", "r": "---:", "c": ":---:"}
    rule = [rules[letter] for letter in align or "l" + "r" * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


def first_few(reasons: Iterable[tuple[str, Any]], most: int = 3) -> str:
    """Returns the first names, each with what is said of it, and how many more there are.

    Examples:
        >>> first_few([("a.png", "is empty"), ("b.png", "is a GIF"), ("c.png", "is empty")], most=2)
        'a.png is empty; b.png is a GIF; and 1 more'
    """
    texts = [f"{quoted(name)} {reason}" for name, reason in reasons]
    return "; ".join(texts[:most] + [f"and {len(texts) - most:,} more"] * (len(texts) > most))


def is_printable(text: str) -> bool:
    r"""Whether a text is one line of UTF-8, and moves nothing else in a terminal.

    Control characters, ends of lines, lone surrogates, as of a file's name that is not UTF-8, and
    characters that reverse what follows are refused. All else is a script's, or a picture's.

    Examples:
        >>> is_printable("می\u200cخواهم"), is_printable("a\x1b[2J"), is_printable("a\nb")
        (True, False, False)
    """
    return not any(unicodedata.category(c) in UNPRINTABLE or c in REVERSING for c in text)


def quoted(name: str) -> str:
    """Returns a name as it is, or as Python writes it if it is not printable."""
    return name if is_printable(name) else repr(name)


def printable(text: Any) -> str:
    r"""Returns a text for a terminal, in which control characters are written as Python does.

    Examples:
        >>> print(printable("a name\x1b[2J of a stranger's file"))
        a name\x1b[2J of a stranger's file
    """
    return "".join(c if c == "\n" or is_printable(c) else ascii(c)[1:-1] for c in str(text))


def signed(mean: float, low: float, high: float) -> str:
    """Returns a difference and its interval, unless that is NaN.

    Examples:
        >>> signed(1.5, 0.25, 2.75)
        '+1.50 (+0.25 to +2.75)'
    """
    return f"{mean:+.2f}" + ("" if math.isnan(low) else f" ({low:+.2f} to {high:+.2f})")


def duration(seconds: float) -> str:
    """Returns a duration as days (if any), hours (if any), minutes and seconds.

    Examples:
        >>> duration(75), duration(3675)
        ('1:15', '1:01:15')
    """
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours}:{minutes:02}:{seconds:02}"
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
