"""The result of a benchmark, in a sentence and in a table."""

from typing import Any

from orc_keras.formatting import aligned_table

Row = dict[str, Any]


def student_gain(benchmark: dict[str, Any]) -> str:
    """Returns the sentence that compares *the* student with the pivot.

    Both are in the same format: TensorFlow Lite in float32, or the first that was measured.
    """
    formats = [row["format"] for row in benchmark["rows"]]
    name = "tflite" if "tflite" in formats else formats[0]
    roles = {row["role"]: row for row in benchmark["rows"] if row["format"] == name}
    pivot, student = roles["pivot"], roles["student"]
    points = 100 * (pivot["accuracy"] - student["accuracy"])
    size, speed = pivot["bytes"] / student["bytes"], latency(pivot) / latency(student)
    return (
        f"{student['member']}: {_ratio(size, 'smaller', 'larger')}, "
        f"{_ratio(speed, 'faster', 'slower')} than {pivot['member']}, {abs(points):.1f} points "
        f"{'less' if points >= 0 else 'more'} accurate ({name}, one image on one thread)."
    )


def _ratio(ratio: float, more: str, less: str) -> str:
    return f"{ratio:.1f} times {more}" if ratio >= 1 else f"{1 / ratio:.1f} times {less}"


def latency(row: Row) -> float:
    """Returns the milliseconds for one image on one thread."""
    return row["one_thread"]["median"]


def pareto_front(rows: list[Row]) -> list[Row]:
    """Returns the rows than which no other is both faster and more accurate, fastest first."""
    front = []
    for row in sorted(rows, key=lambda row: (latency(row), -row["accuracy"])):
        if not front or row["accuracy"] > front[-1]["accuracy"]:
            front.append(row)
    return front


def table(benchmark: dict[str, Any]) -> list[dict[str, str]]:
    """Returns the rows of the table, text by column; a star marks those of the Pareto front."""
    front = pareto_front(benchmark["rows"])
    return [
        {
            "member": row["member"],
            "format": row["format"] + " *" * (row in front),
            "kB": f"{row['bytes'] / 1e3:,.0f}",
            "MFLOPs": f"{row['mflops']:,.1f}",
            "accuracy": f"{row['accuracy']:.2%}",
            "agreement": f"{row['agreement']:.2%}",
            "ms": f"{latency(row):.2f}",
            "95 %": f"{row['one_thread']['p95']:.2f}",
            "images/s": f"{row['one_thread']['images_per_second']:,.0f}",
        }
        for row in benchmark["rows"]
    ]


def legend(benchmark: dict[str, Any]) -> str:
    """Returns what the columns of the table are."""
    return (
        "* no other is both faster and more accurate. Accuracy, and agreement with the Keras "
        f"network, on {benchmark['rows'][0]['images']:,} held-out images, by each format's own "
        "runtime. On one thread: milliseconds for one image, the median and what 95 % of the calls "
        "do not exceed; images per second at the best mini-batch. "
        f"{benchmark['machine']}, {benchmark['cores']} cores."
    )


def text(benchmark: dict[str, Any]) -> str:
    """Returns the sentence, the table and its legend."""
    rows = table(benchmark)
    cells = [list(rows[0]), *(list(row.values()) for row in rows)]
    return f"{student_gain(benchmark)}\n\n{aligned_table(cells)}\n\n{legend(benchmark)}"
