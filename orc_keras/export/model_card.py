"""The model card of an exported network: origin, accuracy, use."""

import re
from pathlib import Path
from typing import Any

import jinja2

from orc_keras.run_files import SUFFIXES

TEMPLATE = Path(__file__).parent / "model_card.md.jinja"


def text(summary: dict[str, Any], member: str, stem: str, figures: dict[str, Any]) -> str:
    """Returns the model card of a member of a run, as Markdown.

    Args:
        summary: of the run.
        member: its name.
        stem: its files' common name.
        figures: what `member.export` returns.
    """
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    environment.filters |= {
        "escape": escape,
        "percent": "{:.2%}".format,
        "number": "{:,}".format,
    }
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    member_summary = summary["members"][member]
    return template.render(
        summary, name=member, member=member_summary, stem=stem, formats=figures, suffixes=SUFFIXES
    )


def escape(text: str) -> str:
    """Escapes the special characters of Markdown and HTML."""
    return re.sub(r"([\\`*_{}\[\]<>()#~|])", r"\\\1", text.replace("&", "&amp;"))
