"""The model card of an exported network: origin, accuracy, use."""

import re
from pathlib import Path
from typing import Any

import jinja2

from orc_keras.run_files import SUFFIXES

TEMPLATE = Path(__file__).parent / "model_card.md.jinja"
LOSS = 0.01  # of accuracy; the card warns of a larger one


def text(summary: dict[str, Any], member: str, stem: str, measured: dict[str, Any]) -> str:
    """Returns the model card of a member of a run, as Markdown.

    Args:
        summary: of the run.
        member: its name.
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
        rows=[_row(stem, name, figures) for name, figures in measured.items()],
        losses={
            name: loss for name, figures in measured.items() if (loss := _loss(figures)) > LOSS
        },
    )


def plain(text: str) -> str:
    """Escapes the special characters of Markdown and HTML."""
    return re.sub(r"([\\`*_{}\[\]<>()#~|])", r"\\\1", text.replace("&", "&amp;"))


def _group(members: dict[str, Any], member: str) -> str:
    others = [f"{name} ({each['role']})" for name, each in members.items() if name != member]
    return f"{members[member]['role']}, beside {', '.join(others)}"


def _row(stem: str, name: str, figures: dict[str, Any] | None) -> str:
    """Returns the row of a format in the table of formats."""
    file = f"`{stem}{SUFFIXES[name]}`"
    if not figures:
        return f"{file} | | {'as the ONNX file' if name == 'web' else 'not measured'} | | |"
    return (
        f"{file} | {figures['bytes'] / 1e3:,.0f} kB | {figures['accuracy']:.2%} | "
        f"{figures['agreement']:.2%} | {figures['largest_difference']:.2g} |"
    )


def _loss(figures: dict[str, Any] | None) -> float:
    return figures["accuracy_of_network"] - figures["accuracy"] if figures else 0.0
