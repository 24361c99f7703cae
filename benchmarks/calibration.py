"""How often a confidence is right: `python -m benchmarks.calibration`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from assay.datasets import registry
from assay.detection import Detection, detect
from benchmarks.calibration_samples import Sample, samples

SEED, COUNT = 20261121, 1500
BINS = (0.0, 0.3, 0.5, 0.7, 0.9, 0.95, 1.01)


@dataclass(frozen=True)
class Line:
    """One line of a reliability table: how many files fell in, their mean confidence, and how many were right."""

    name: str
    files: int
    confidence: float
    right: int

    @property
    def share(self) -> float:
        """The share that was right."""
        return self.right / self.files if self.files else 0.0


Judged = tuple[Sample, Detection]


def judge(drawn: Iterable[Sample]) -> list[Judged]:
    """Let every sample be detected."""
    known = registry.rules()
    return [(sample, detect(sample.head, known, None)) for sample in drawn]


def is_right(judged: Judged) -> bool:
    """Whether the likeliest type is the true one; of what is no table, none is."""
    sample, detection = judged
    return detection.likeliest == sample.truth


def reliability(judged: Sequence[Judged]) -> list[Line]:
    """The reliability table: a line for each bin of confidence."""
    lines = []
    for low, high in pairwise(BINS):
        inside = [one for one in judged if low <= one[1].confidence < high]
        lines.append(_line(f"{low:.2f} to {min(high, 1.0):.2f}", inside))
    return lines


def by(judged: Sequence[Judged], name_of: Callable[[Judged], str]) -> list[Line]:
    """A line for each name that `name_of` gives."""
    names = sorted({name_of(one) for one in judged})
    return [_line(name, [one for one in judged if name_of(one) == name]) for name in names]


def calibration_error(lines: Sequence[Line]) -> float:
    """The expected calibration error: how far confidence and share are apart, weighed by the number of files."""
    files = sum(line.files for line in lines)
    return sum(line.files * abs(line.confidence - line.share) for line in lines) / files


def _line(name: str, inside: Sequence[Judged]) -> Line:
    mean = sum(detection.confidence for _, detection in inside) / len(inside) if inside else 0.0
    return Line(name, len(inside), mean, sum(map(is_right, inside)))


def table(title: str, lines: Sequence[Line]) -> str:
    """Lay the lines out as a table."""
    rows = [f"| {one.name} | {one.files} | {one.confidence:.3f} | {one.right} | {one.share:.3f} |" for one in lines]
    return "\n".join(
        [f"| {title} | files | mean confidence | right | share |", "| --- | --- | --- | --- | --- |", *rows]
    )


def main() -> None:
    """Print how reliable the confidence is: altogether, by what the answer was, and by what was done to the file."""
    judged = judge(samples(SEED, COUNT))
    lines = reliability(judged)
    sure = [one for one in judged if one[1].band == "sure"]
    report = (
        table("confidence", lines),
        f"Expected calibration error: {calibration_error(lines):.3f}",
        table("band", by(judged, lambda one: one[1].band)),
        table("sure, taken for", by(sure, lambda one: one[1].likeliest)),
        table("what it is, and what was done to it", by(judged, _done)),
    )
    sys.stdout.write("\n\n".join(report) + "\n")


def _done(judged: Judged) -> str:
    sample, _ = judged
    return f"{sample.truth or 'no table'}, {sample.change}"


if __name__ == "__main__":
    main()
