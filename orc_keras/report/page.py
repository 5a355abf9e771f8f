"""The report of a run: one self-contained HTML file, with its plots beside it as PNGs."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import jinja2
import matplotlib.style
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from orc_keras import run_files
from orc_keras.benchmark import table as costs
from orc_keras.evaluate.evaluation import EXAMPLES
from orc_keras.files import atomic_write
from orc_keras.report import plot_style, plots, tables
from orc_keras.report.comparison import Comparison, evaluation_key
from orc_keras.report.run_contents import RunContents
from orc_keras.runs import continuation, summary

TEMPLATE = Path(__file__).parent / "report.html.jinja"


def write(paths: Sequence[str | Path]) -> Path:
    """Writes the report of a run to `<run>/report/report.html`, with a PNG of each plot beside it.

    Args:
        paths: the run's directory, and those of runs to compare it with. The first of the latter
            with the same images and classes and a student in common is "before".

    Returns:
        The path of the report.

    Raises:
        ValueError: if one of the directories is not a run's, or the first is read-only, or
            something else is where its report is to be.
        OSError: if the report cannot be written.
    """
    run, *candidates = runs = [RunContents(path) for path in paths]
    names = [each.name for each in runs]
    for each in runs:
        if names.count(each.name) > 1:
            each.name = str(each.directory.path)
    page = run.directory / run_files.PAGE
    continuation.check_files(run.directory, run_files.REPORT)  # before the long work
    page.parent.mkdir(exist_ok=True)
    others = [other for other in candidates if _is_comparable(run, other)]
    with_students = [other for other in others if set(run.students) & set(other.students)]
    comparison = Comparison(run, with_students[0]) if with_students else None
    with matplotlib.style.context(plot_style.STYLE):
        figures = plots.draw(run, comparison)
        for name, figure in figures.items():
            with atomic_write(page.parent / f"{name}.png") as path:
                figure.savefig(path, dpi=200, format="png")
        uris = {name: _svg(figure) for name, figure in figures.items()}
    problems = [problem for each in runs for problem in each.problems]
    with atomic_write(page) as path:
        path.write_text(_html(run, others, problems, comparison, uris), encoding="utf-8")
    return page


def _is_comparable(run, other):
    """Whether two runs can be compared; if not, adds a sentence to `other.problems`."""
    images = evaluation_key(run)
    if images and images == evaluation_key(other):
        return True
    other.problems.append(
        f"{other.name} is not compared: it was not evaluated on the images and classes of "
        f"{run.name}."
    )
    return False


def _html(run, others, problems, comparison, figures):
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["data_uri"] = _png
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        run=run,
        balanced=summary.balanced_accuracies(run.summary) if run.summary else {},
        better_student=summary.better_student(run.summary, run.directory.path)
        if run.summary
        else "",
        others=others,
        problems=problems,
        comparison=comparison,
        figures=figures,
        tables=tables,
        costs=costs,
        examples_per_pair=EXAMPLES,
        classes_in_plot=plots.MAX_CLASSES,
    )


def _svg(figure: Figure) -> str:
    """Returns a figure as a `data:` URI, whose background is the page's."""
    file = io.BytesIO()
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None})
    return _data_uri(file, "svg+xml")


def _png(image: np.ndarray) -> str:
    """Returns an image as a `data:` URI."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, format="png")
    return _data_uri(file, "png")


def _data_uri(file, kind):
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"
