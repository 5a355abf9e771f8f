"""The model card of an exported network: origin, accuracy, use."""

import re
from pathlib import Path

import jinja2

TEMPLATE = Path(__file__).parent / "model_card.md.jinja"


def text(summary, member, stem, measured):
    """Returns the model card of a member of a run, as Markdown.

    Args:
        summary: of the run.
        member: the member's name.
        stem: its files' common name.
        measured: what `tflite.measure` returns, or None.
    """
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    environment.filters["plain"] = plain
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        stem=stem,
        way=summary["way"],
        data=summary["data"],
        settings=summary["settings"],
        devices=summary.get("devices", "not recorded"),
        group=_group(summary["members"], member),
        member=summary["members"][member],
        tflite=_of_lite(measured),
    )


def plain(text):
    """Escapes the special characters of Markdown and HTML."""
    return re.sub(r"([\\`*_{}\[\]<>()#~|])", r"\\\1", text.replace("&", "&amp;"))


def _group(members, member):
    others = [f"{name} ({each['role']})" for name, each in members.items() if name != member]
    return f"{members[member]['role']}, beside {', '.join(others)}"


def _of_lite(measured):
    if not measured:
        return "not measured"
    return (
        f"{measured['accuracy']:.2%} of {measured['images']:,} held-out images, of which the Keras "
        f"file classifies {measured['accuracy_of_network']:.2%}"
    )
