"""The model card of an exported network: origin, accuracy, use."""

import re
from pathlib import Path

import jinja2

from orc_keras.runs.names import SUFFIXES

TEMPLATE = Path(__file__).parent / "model_card.md.jinja"


LOSS = 0.01  # of accuracy, from which on the card speaks of it


def text(summary, member, stem, measured):
    """Returns the model card of a member of a run, as Markdown.

    Args:
        summary: of the run.
        member: the member's name.
        stem: its files' common name.
        measured: what `member.export` returns.
    """
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    environment.filters["plain"] = plain
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        stem=stem,
        description=summary["description"],
        data=summary["data"],
        settings=summary["settings"],
        devices=summary.get("devices", "not recorded"),
        group=_group(summary["members"], member),
        member=summary["members"][member],
        formats=measured,
        suffixes=SUFFIXES,
        rows=[_row(stem, name, each) for name, each in measured.items()],
        losses={name: loss for name, each in measured.items() if (loss := _loss(each)) > LOSS},
    )


def plain(text):
    """Escapes the special characters of Markdown and HTML."""
    return re.sub(r"([\\`*_{}\[\]<>()#~|])", r"\\\1", text.replace("&", "&amp;"))


def _group(members, member):
    others = [f"{name} ({each['role']})" for name, each in members.items() if name != member]
    return f"{members[member]['role']}, beside {', '.join(others)}"


def _row(stem, name, measured):
    """Returns the row of a format in the table of formats."""
    file = f"`{stem}{SUFFIXES[name]}`"
    if not measured:
        return f"{file} | | {'as the ONNX file' if name == 'web' else 'not measured'} | | |"
    return (
        f"{file} | {measured['bytes'] / 1e3:,.0f} kB | {measured['accuracy']:.2%} | "
        f"{measured['agreement']:.2%} | {measured['largest_difference']:.2g} |"
    )


def _loss(measured):
    return measured["accuracy_of_network"] - measured["accuracy"] if measured else 0
