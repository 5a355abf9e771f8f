"""The report of a run: one self-contained HTML file, with its plots beside it.

`orc-keras report <run> [<other run> ...]` writes it; so does every run at its end.
"""

import dataclasses
from pathlib import Path

import jinja2

from orc_keras import run_files
from orc_keras.benchmark import table
from orc_keras.files import replacing
from orc_keras.report import plot_style, tables
from orc_keras.report.comparison import Comparison, comparable
from orc_keras.report.figures import PLOTS, figures
from orc_keras.report.reported_run import ReportedRun

TEMPLATE = Path(__file__).parent / "report.html.jinja"


def write(paths):
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
    run, *given = _named_apart([ReportedRun(path) for path in _as_list(paths)])
    directory = run.path / run_files.REPORT
    directory.mkdir(exist_ok=True)  # before the long work
    others = [other for other in given if comparable(run, other)]
    befores = [other for other in others if set(run.students) & set(other.students)]
    comparison = Comparison(run, befores[0]) if befores else None
    drawn = figures(run, comparison)
    _delete_plots(directory)
    shown = [_save(figure, directory) for figure in drawn]
    problems = [problem for each in (run, *given) for problem in each.problems]
    with replacing(run.path / run_files.PAGE) as path:
        path.write_text(_page(run, others, problems, comparison, shown), encoding="utf-8")
    return run.path / run_files.PAGE


def _as_list(paths):
    """Refuses a single path, which would be read letter by letter."""
    if isinstance(paths, str | Path) or not paths:
        raise ValueError(f"paths must be a list of directories of runs, not {paths!r}.")
    return list(paths)


def _named_apart(runs):
    """Returns the runs; directories with the same name are named by their paths."""
    names = [run.name for run in runs]
    for run in runs:
        if names.count(run.name) > 1:
            run.name = str(run.path)
    return runs


def _delete_plots(directory):
    """Deletes the plots of an earlier report; other files stay."""
    for path in directory.glob("*.png"):
        if path.stem in PLOTS or path.stem.startswith("classes_"):
            path.unlink()


def _save(figure, directory):
    """Writes a figure as PNG, and returns it with its pictures for light and dark mode."""
    pictures = {}
    for mode in plot_style.MODES:
        with plot_style.styled(mode):
            plot = figure.draw()
            pictures[mode] = plot_style.as_uri(plot)
            if mode == "light":
                with replacing(directory / f"{figure.name}.png") as path:
                    plot.savefig(path, dpi=200, format="png")
    return dataclasses.asdict(figure) | pictures


def _page(run, others, problems, comparison, shown):
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        run=run,
        lead=tables.lead(run),
        problems=problems,
        members=tables.members(run, others),
        phases=tables.phases(run),
        changes=tables.changes(comparison),
        confusions=tables.confusions(run),
        costs=run.benchmark and table,
        figures=shown,
        versions=run.summary["versions"] if run.summary else {},
    )
