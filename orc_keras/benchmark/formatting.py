"""What a benchmark says, in a sentence and in a table."""

from orc_keras.formatting import aligned_table

PIVOT, STUDENT = "pivot", "student"


def gained(benchmark):
    """Returns the sentence about *the* student beside the pivot, both in the same format.

    The format is TensorFlow Lite in float32, or the first that was measured.
    """
    rows = benchmark["rows"]
    formats = [row["format"] for row in rows]
    name = "tflite" if "tflite" in formats else formats[0]
    pivot, student = (
        next(row for row in rows if row["role"] == role and row["format"] == name)
        for role in (PIVOT, STUDENT)
    )
    points = 100 * (pivot["accuracy"] - student["accuracy"])
    return (
        f"{student['member']}: {_times(pivot['bytes'] / student['bytes'], 'smaller', 'larger')}, "
        f"{_times(_latency(pivot) / _latency(student), 'faster', 'slower')} than "
        f"{pivot['member']}, {abs(points):.1f} points {'less' if points >= 0 else 'more'} accurate "
        f"({name}, one image on one thread)."
    )


def _times(ratio, more, less):
    return f"{ratio:.1f} times {more}" if ratio >= 1 else f"{1 / ratio:.1f} times {less}"


def _latency(row):
    return row["one_thread"]["median"]


def worth_taking(benchmark):
    """Returns the rows than which no other is both faster and more accurate, fastest first."""
    best = []
    for row in sorted(benchmark["rows"], key=lambda row: (_latency(row), -row["accuracy"])):
        if not best or row["accuracy"] > best[-1]["accuracy"]:
            best.append(row)
    return best


def rows(benchmark):
    """Returns the rows of the table, dicts of text by column; the best are marked with a star."""
    best = worth_taking(benchmark)
    return [
        {
            "member": row["member"],
            "format": row["format"] + " *" * (row in best),
            "kB": f"{row['bytes'] / 1e3:,.0f}",
            "MFLOPs": f"{row['mflops']:,.1f}",
            "accuracy": f"{row['accuracy']:.2%}",
            "agreement": f"{row['agreement']:.2%}",
            **_times_of(row["one_thread"], ""),
            **_times_of(row["all_threads"], ", all threads"),
        }
        for row in benchmark["rows"]
    ]


def _times_of(measured, where):
    return {
        f"ms{where}": f"{measured['median']:.2f}",
        f"95 %{where}": f"{measured['p95']:.2f}",
        f"images/s{where}": f"{measured['images_per_second']:,.0f}",
    }


def text(benchmark):
    """Returns the sentence, the table and how to read it."""
    table = rows(benchmark)
    aligned = aligned_table([tuple(table[0]), *(tuple(row.values()) for row in table)])
    return f"{gained(benchmark)}\n\n{aligned}\n\n{how_to_read(benchmark)}"


def how_to_read(benchmark):
    return (
        "* no other is both faster and more accurate. Accuracy, and agreement with the Keras "
        f"network, on {benchmark['rows'][0]['images']:,} held-out images, by each format's own "
        "runtime. On one thread, and on all: milliseconds for one image, the median and what 95 % "
        "of the calls do not exceed; images per second at the best mini-batch. "
        f"{benchmark['machine']}, {benchmark['cores']} cores."
    )
