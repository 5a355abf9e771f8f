"""The notebooks run from top to bottom, in a kernel of their own; the same cells answer."""

import nbformat
import pytest
from helpers.programs import ROOT
from nbclient import NotebookClient

NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


def outputs(notebook):
    """Yields what each cell of code has printed and returned."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            parts = (each.get("text") or each.data.get("text/plain", "") for each in cell.outputs)
            yield "".join(parts)


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks(path, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(path, as_version=4)
    shown = list(outputs(notebook))
    assert not any(word in text for text in shown for word in ("Warning", "WARNING"))
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=300, resources=resources).execute()
    assert [bool(text) for text in outputs(notebook)] == [bool(text) for text in shown]
