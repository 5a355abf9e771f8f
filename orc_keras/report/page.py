"""The report of a run: one self-contained HTML file, with its plots beside it as PNGs."""

import base64
import functools
import io
from collections.abc import Sequence
from pathlib import Path

import jinja2
import numpy as np
from PIL import Image

from orc_keras import run_files
from orc_keras.benchmark import table as costs
from orc_keras.evaluate.evaluation import EXAMPLES
from orc_keras.files import replacing
from orc_keras.report import comparison_plots, plot_style, plots, tables
from orc_keras.report.comparison import Comparison, reason_against
from orc_keras.report.run_contents import RunContents, read

TEMPLATE = Path(__file__).parent / "report.html.jinja"


def write(paths: Sequence[str | Path]) -> Path:
    """Writes the report of a run to `<run>/report/report.html`, with a PNG of each plot beside it.

    Args:
        paths: the run's directory, and those of runs to compare it with. The first of the latter
            with the same images and classes and a student in common is "before".

    Returns:
        The path of the report.

    Raises:
        ValueError: if one of the directories is not a run's, or there is none.
        OSError: if the report cannot be written.
    """
    if isinstance(paths, str | Path) or not paths:
        raise ValueError(f"paths must be a list of directories of runs, not {paths!r}.")
    run, *candidates = _distinctly_named([read(path) for path in paths])
    directory = run.path / run_files.REPORT
    directory.mkdir(exist_ok=True)  # before the long work
    others = [other for other in candidates if _is_comparable(run, other)]
    with_students = [other for other in others if set(run.students) & set(other.students)]
    comparison = Comparison(run, with_students[0]) if with_students else None
    figures = _draw(_plots(run, comparison), directory)
    problems = [problem for each in (run, *candidates) for problem in each.problems]
    with replacing(run.path / run_files.PAGE) as path:
        html = _html(run, others, problems, comparison, figures)
        path.write_text(html, encoding="utf-8")
    return run.path / run_files.PAGE


def _distinctly_named(runs: list[RunContents]) -> list[RunContents]:
    """Returns the runs; directories with the same name are named by their paths."""
    names = [run.name for run in runs]
    for run in runs:
        if names.count(run.name) > 1:
            run.name = str(run.path)
    return runs


def _is_comparable(run, other):
    """Whether two runs can be compared; if not, adds the reason to `other.problems`."""
    reason = reason_against(run, other)
    other.problems += [f"{other.name} is not compared: {reason}."] if reason else []
    return not reason


def _plots(run, comparison):
    """Returns functions that draw each plot, by name."""
    before = comparison.before if comparison else None
    draw = {name: functools.partial(plot, run, before) for name, plot in plots.PLOTS.items()}
    if comparison:
        draw["difficult"] = functools.partial(comparison_plots.difficult, comparison)
        for name in comparison.students:
            draw[f"classes_{name}"] = functools.partial(comparison_plots.by_class, comparison, name)
    return draw


def _draw(plots_by_name, directory):
    """Writes the plots that have data; returns each one's pictures by mode, by the plot's name."""
    for path in directory.glob("*.png"):  # of an earlier report; other files stay
        if path.stem in (*plots.PLOTS, "difficult") or path.stem.startswith("classes_"):
            path.unlink()
    figures = {}
    for mode in plot_style.MODES:
        with plot_style.styled(mode):
            for name, draw in plots_by_name.items():
                if (figure := draw()) is None:
                    continue
                figures.setdefault(name, {})[mode] = plot_style.data_uri(figure)
                if mode == "light":
                    with replacing(directory / f"{name}.png") as path:
                        figure.savefig(path, dpi=200, format="png")
    return figures


def _html(run, others, problems, comparison, figures):
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"percent": "{:.2%}".format, "data_uri": _data_uri}
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    predictions = run.predictions.get(run.student)
    return template.render(
        run=run,
        problems=problems,
        members=tables.members(run, others),
        shares_taught=tables.shares_taught(run),
        comparison=comparison,
        changes=tables.changes(comparison) if comparison else [],
        predictions=predictions,
        confusions=predictions.confusions() if predictions and run.class_names else [],
        examples_per_pair=EXAMPLES,
        classes_in_plot=comparison_plots.MAX_CLASSES,
        costs=costs,
        figures=figures,
    )


def _data_uri(image: np.ndarray) -> str:
    """Returns an image as a `data:` URI with a PNG."""
    file = io.BytesIO()
    Image.fromarray(np.asarray(image)).save(file, format="png")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
