"""What each member costs: measured for a real run, and in words for one that is made up."""

import json
import shutil

import pytest
from helpers.made_up_run import made_up_benchmark

from orc_keras.benchmark import table
from orc_keras.benchmark.members import benchmark


@pytest.mark.slow
def test_a_run_is_measured_in_a_process_of_its_own(digits_run, tmp_path, monkeypatch, capsys):
    """What the files are is measured here; the times are those of another process."""
    shutil.copytree(digits_run, tmp_path / "run")
    monkeypatch.setitem(__import__("sys").modules, "tf2onnx", None)
    measured = benchmark(tmp_path / "run", ["tflite", "onnx"], turns=3)
    assert "onnx is left out. ONNX needs packages" in capsys.readouterr().out
    assert measured == json.loads((tmp_path / "run/benchmark.json").read_text())
    rows = {row["member"]: row for row in measured["rows"]}
    assert list(rows) == ["hidden12", "hidden10", "hidden8"]
    summary = json.loads((digits_run / "summary.json").read_text())
    for name, row in rows.items():
        assert row["accuracy"] == pytest.approx(summary["members"][name]["accuracy"], abs=0.003)
        times = row["one_thread"]
        assert 0 < times["median"] <= times["p95"] and times["batch_size"] in (1, 8, 32, 128)
        assert times["images_per_second"] >= 0.999e3 / times["median"]
    # 8 x 8 pixels to 12 units and to 10 classes, a multiply-add as two.
    assert rows["hidden12"]["mflops"] == pytest.approx(2e-6 * 12 * (64 + 10))
    assert rows["hidden8"]["bytes"] == (digits_run / "student.tflite").stat().st_size


def test_the_sentence_by_hand():
    """2,000 and 500 bytes; 3 and 2 milliseconds; 90 and 88.5 %, all of tflite."""
    made_up = made_up_benchmark()
    assert table.student_gain(made_up) == (
        "small: 4.0 times smaller, 1.5 times faster than large, 1.5 points less accurate (tflite, "
        "one image on one thread)."
    )
    made_up["rows"][2] |= {"bytes": 4000, "accuracy": 0.91}
    assert "2.0 times larger" in table.student_gain(made_up)
    assert "1.0 points more accurate" in table.student_gain(made_up)


def test_which_are_worth_taking():
    """large in onnx is slower than in tflite, and no more accurate; small in onnx is fastest."""
    best = table.pareto_front(made_up_benchmark()["rows"])
    assert [(row["member"], row["format"]) for row in best] == [
        ("small", "onnx"),
        ("small", "tflite"),
        ("large", "tflite"),
    ]
    rows = {(row["member"], row["format"].rstrip(" *")) for row in table.table(made_up_benchmark())}
    assert len(rows) == 4
    assert table.text(made_up_benchmark()).count(" *") == 3


@pytest.mark.parametrize(("formats", "named"), [(["web"], "web"), ([], ""), (["tflite", "x"], "x")])
def test_refused_formats(formats, named):
    with pytest.raises(ValueError, match=f"--formats={named} is unknown; possible are saved_model"):
        benchmark("a run", formats)
