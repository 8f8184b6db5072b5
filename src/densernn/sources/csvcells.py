"""Read the rows of a CSV block cell by cell, and say what is wrong with those that are no use."""

from __future__ import annotations

import math
from array import array
from itertools import islice

import numpy as np

from densernn.sources.categories import TRUTH
from densernn.sources.csvblocks import TextBlock
from densernn.sources.csvtext import (
    PEEK_ROWS,
    describe,
    is_utf8,
    parse_number,
)
from densernn.sources.encoding import Encoding, decode
from densernn.sources.faults import fault_of_category, fault_of_weight, sift
from densernn.sources.rechunk import Block


class CellReader:
    """Checks rows of a block, and keeps the good ones until they are given.

    Parameters
    ----------
    block : TextBlock
    names : tuple of str
        All columns, in the file's order.
    encoding : Encoding
        What is to become of them.
    delimiter : str
    """

    def __init__(
        self, block: TextBlock, names: tuple[str, ...], encoding: Encoding, delimiter: str
    ) -> None:
        self._block, self._names, self._encoding = block, names, encoding
        self._delimiter = delimiter
        choice, label = encoding.choice, encoding.label
        place = {name: j for j, name in enumerate(names)}
        texts = [*encoding.categories, *([] if label is None else [label])]
        self._known = {place[name]: known for name, known in encoding.categories.items()}
        self._features = [(place[name], name) for name in choice.features]
        self._targets = [(place[name], name) for name in choice.targets]
        self._weight = None if choice.weight is None else (place[choice.weight], choice.weight)
        self._numeric = [place[name] for name in choice.used if name not in set(texts)]
        self._underscores = b"_" in block.text
        self._texts = {place[name]: list[str]() for name in texts}
        self._numbers = array("d")
        self._lines: list[int] = []

    def __len__(self) -> int:
        """Rows that are kept."""
        return len(self._lines)

    def take(self, row: list[str], line: int) -> str | None:
        """Keep a row; or say what is wrong with it, to follow its line in a message."""
        if len(row) != len(self._names):
            return f": expected {len(self._names)} fields, found {len(row)}"
        numbers = self._read_numbers(row)
        fault = self._fault(row, check_numbers=numbers is None)
        if fault is not None:
            return f", {fault}"
        self._numbers.extend([float(row[j]) for j in self._numeric] if numbers is None else numbers)
        for j, texts in self._texts.items():
            texts.append(row[j].strip())
        self._lines.append(line)
        return None

    def give(self, bad: list[int], places: list[str]) -> Block:
        """Return the rows kept and forget them.

        Parameters
        ----------
        bad, places
            Of the rows that were left out, as in a block.
        """
        import pyarrow as pa  # noqa: PLC0415  (importing densernn must stay fast)

        numbers = np.array(self._numbers).reshape(len(self), len(self._numeric))
        columns = {self._names[j]: pa.array(numbers[:, i]) for i, j in enumerate(self._numeric)}
        columns |= {self._names[j]: pa.array(t, pa.string()) for j, t in self._texts.items()}
        lines = self._lines
        self._numbers, self._lines = array("d"), []
        self._texts = {j: [] for j in self._texts}
        batch = pa.RecordBatch.from_pydict(columns)
        # Nothing is left to be found here, unless the two readers disagree.
        block = sift(
            decode(batch, self._encoding),
            lambda i: f"{self._block.path}, line {lines[i]}: cannot be used",
            skip=False,
        )
        return Block(block.X, block.y, block.weight, np.array(bad, np.intp), tuple(places))

    def _read_numbers(self, row: list[str]) -> list[float] | None:
        """Return a row's numbers if they clearly are finite ones: fast, as most rows are good."""
        cells = [row[j] for j in self._numeric]
        if self._underscores and any("_" in cell for cell in cells):
            return None
        try:
            numbers = list(map(float, cells))
        except ValueError:
            return None
        return numbers if math.isfinite(sum(numbers)) else None

    def _fault(self, row: list[str], *, check_numbers: bool) -> str | None:
        """Say what is wrong with the first cell that is no use: features, targets, weight."""
        for j, name in self._features if check_numbers or self._known else ():
            if check_numbers or j in self._known:
                fault = self._fault_of_feature(row[j], j, name)
                if fault is not None:
                    return fault
        for j, name in self._targets if check_numbers or not self._encoding.choice.many else ():
            fault = self._fault_of_target(row[j], name)
            if fault is not None:
                return f"column {name!r}: {fault}"
        if self._weight is None:
            return None
        j, name = self._weight
        return fault_of_weight(parse_number(row[j], np.float64), name, row[j])

    def _fault_of_feature(self, cell: str, j: int, name: str) -> str | None:
        if j in self._known:
            if not is_utf8(cell):
                return f"column {name!r}: {_not_utf8(cell)}"
            return fault_of_category(cell.strip(), self._known[j], name)
        if parse_number(cell, np.float64) is not None:
            return None
        text = self._block.first and not self._lines and self._is_text(j)
        if not text:
            return f"column {name!r}: {describe(cell)}"
        fault = describe(cell, text_column=True)
        if cell.strip().lower() in TRUTH:
            fault = f"{cell!r} is not a number: turn it into 0 and 1, or one-hot encode it"
        return f"column {name!r}: {fault}; open_rows(..., categorical=[{name!r}]) does so"

    def _fault_of_target(self, cell: str, name: str) -> str | None:
        word = cell.strip().lower()
        if not is_utf8(cell):
            return _not_utf8(cell)
        number = parse_number(cell, np.float64)
        if word in self._encoding.unusable_labels or (
            number is None and not self._encoding.text_target and not is_word(cell)
        ):
            return f"the target is missing or not finite (found {cell!r}): drop the row"
        if number is not None or self._encoding.text_target:
            return None
        if self._encoding.choice.many:
            return f"{cell!r} is not a number: correct it or drop the row"
        return (
            f"{cell!r} is not a number, as the target's first values are: correct it or drop the "
            'row, or say target_type="text" if all of them are names of classes'
        )

    def _is_text(self, j: int) -> bool:
        """Whether the column holds no number in the first rows of the file."""
        rows = islice(self._block.rows(self._delimiter), PEEK_ROWS)
        width = len(self._names)
        return all(parse_number(r[j], np.float64) is None for _, r in rows if len(r) == width)


def is_word(cell: str) -> bool:
    """Whether a cell holds no number at all, not even one that is infinite or NaN."""
    try:
        float(cell.replace("_", "x"))
    except ValueError:
        return True
    return False


def clean(cell: str) -> str | None:
    """Return a cell's text without white space around it; None if it is not UTF-8."""
    return cell.strip() if is_utf8(cell) else None


def _not_utf8(cell: str) -> str:
    return f"not UTF-8 text (found {cell!r}): save the file as UTF-8"
