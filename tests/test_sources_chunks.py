"""The machinery below all sources: read-ahead, exact chunks, and some of the rows."""

import contextlib
import gc
import pickle
import threading
import time
import traceback

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from densernn.errors import DataError, ParameterError
from densernn.sources.arrays import ArraySource
from densernn.sources.readahead import read_ahead
from densernn.sources.rechunk import Block, rechunk
from densernn.sources.rows import Skipped
from densernn.sources.selection import RowRange, SelectedSource


def reader_threads():
    return [t for t in threading.enumerate() if t.name.startswith("densernn-read-ahead")]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert not reader_threads()


# ---------------------------------------------------------------------------------- read ahead


@given(n_items=st.integers(0, 30), depth=st.integers(1, 5))
def test_read_ahead_gives_the_same_items_in_order(n_items, depth):
    assert list(read_ahead(iter(range(n_items)), depth)) == list(range(n_items))


def test_read_ahead_runs_in_another_thread_and_no_further_than_allowed():
    made = []

    def items():
        for i in range(10):
            made.append((i, threading.get_ident()))
            yield i

    ahead = read_ahead(items(), 2)
    assert not made
    assert next(ahead) == 0
    time.sleep(0.05)
    assert len(made) == 3  # the one given and two that wait
    assert all(thread != threading.get_ident() for _, thread in made)
    assert list(ahead) == list(range(1, 10))


def test_read_ahead_raises_what_its_items_raise_after_those_before():
    def failing_items():
        yield 1
        raise DataError("broken")

    ahead = read_ahead(failing_items(), 3)
    assert next(ahead) == 1
    with pytest.raises(DataError, match="broken") as caught:
        next(ahead)
    assert "failing_items" in "".join(traceback.format_tb(caught.value.__traceback__))


@pytest.mark.parametrize("way", ["close", "delete", "raise", "interrupt"])
def test_an_abandoned_reader_stops_and_closes_its_items(way):
    closed = threading.Event()

    def items():
        try:
            while True:
                yield np.zeros(10)
        finally:
            closed.set()

    def consume():
        ahead = read_ahead(items(), 2)
        next(ahead)
        assert reader_threads()
        if way == "close":
            ahead.close()
        elif way == "raise":
            raise OSError
        elif way == "interrupt":
            raise KeyboardInterrupt

    with contextlib.suppress(OSError, KeyboardInterrupt):
        consume()
    gc.collect()
    assert closed.wait(1)


# -------------------------------------------------------------------------------------- chunks


@st.composite
def rows_in_blocks(draw):
    """Blocks of some rows of which some are bad, and what a plain loop makes of it."""
    fate = draw(st.lists(st.booleans(), min_size=1, max_size=25), label="good?")
    cuts = sorted(draw(st.lists(st.integers(0, len(fate)), max_size=4), label="cuts"))
    blocks, good = [], 0
    for start, stop in zip([0, *cuts], [*cuts, len(fate)], strict=True):
        part = fate[start:stop]
        n_rows = sum(part)
        X = np.arange(good, good + n_rows, dtype=float)[:, None]
        bad = [sum(part[:i]) for i, ok in enumerate(part) if not ok]
        places = tuple(f"row {start + i}" for i, ok in enumerate(part) if not ok)
        blocks.append(Block(X, X[:, 0], X[:, 0] + 1, np.array(bad, np.intp), places))
        good += n_rows
    return fate, blocks


@given(rows_in_blocks(), st.integers(1, 9), st.integers(0, 12))
def test_chunks_are_exact_and_tell_every_bad_row_with_the_row_behind_it(case, n_rows, skip):
    fate, blocks = case
    n_good = sum(fate)
    chunks = list(rechunk(iter(blocks), n_rows, skip=skip, start=skip))
    if not n_good:
        assert len(chunks) == 1
        assert chunks[0].X.shape == (0, 1)
        assert chunks[0].skipped.count == len(fate)
        return
    assert [len(c.X) for c in chunks[:-1]] == [n_rows] * (len(chunks) - 1)
    assert sum(len(c.X) for c in chunks) == max(n_good - skip, 0)
    places = [f"row {i}" for i, ok in enumerate(fate) if not ok]
    owners = [min(sum(fate[:i]), n_good - 1) for i, ok in enumerate(fate) if not ok]
    for chunk in chunks:
        rows = range(chunk.start, chunk.start + len(chunk.X))
        np.testing.assert_array_equal(chunk.X[:, 0], rows)
        np.testing.assert_array_equal(chunk.y, rows)
        np.testing.assert_array_equal(chunk.weight, np.array(rows) + 1)
        told = [place for place, row in zip(places, owners, strict=True) if row in rows]
        if skip and chunk is chunks[0] and skip == n_good:
            continue
        assert chunk.skipped == Skipped(len(told), tuple(told[:5]))


def test_labels_of_several_types_are_joined_to_one_that_holds_both():
    blocks = [Block(np.zeros((2, 1)), np.array([1, 2])), Block(np.zeros((1, 1)), np.array([0.5]))]
    chunk, *_ = rechunk(blocks, 3)
    assert chunk.y.tolist() == [1.0, 2.0, 0.5]
    names = [Block(np.zeros((1, 1)), np.array([name])) for name in ("u", "long")]
    chunk, *_ = rechunk(names, 3)
    assert chunk.y.tolist() == ["u", "long"]


# --------------------------------------------------------------------------- some of the rows


def numbered(n_rows):
    X = np.arange(n_rows, dtype=float)[:, None]
    return ArraySource(X, X[:, 0] * 2, X[:, 0] * 3)


def all_rows(source, n_rows=4, first=0):
    chunks = list(source.chunks(n_rows, first))
    assert [len(c.X) for c in chunks[:-1]] == [n_rows] * (len(chunks) - 1)
    assert [c.start for c in chunks] == [first + n_rows * i for i in range(len(chunks))]
    for chunk in chunks:
        np.testing.assert_array_equal(chunk.y, chunk.X[:, 0] * 2)
        np.testing.assert_array_equal(chunk.weight, chunk.X[:, 0] * 3)
    return np.concatenate([np.zeros(0), *(c.X[:, 0] for c in chunks)])


@given(st.lists(st.booleans(), min_size=1, max_size=30), st.integers(1, 8), st.integers(0, 9))
def test_a_mask_keeps_its_rows_whatever_the_chunks(keep, n_rows, first):
    if not any(keep):
        keep[0] = True
    source = SelectedSource(numbered(len(keep)), np.array(keep))
    wanted = np.flatnonzero(keep)
    assert source.n_rows == len(wanted)
    np.testing.assert_array_equal(all_rows(source, n_rows, first), wanted[first:])
    parts = source.parts(3)
    np.testing.assert_array_equal(np.concatenate([all_rows(p, n_rows) for p in parts]), wanted)


@given(st.integers(0, 20), st.integers(1, 20), st.integers(1, 8), st.integers(0, 5))
def test_a_range_has_its_rows_whatever_the_chunks(start, length, n_rows, first):
    source = RowRange(numbered(25), start, start + length)
    wanted = np.arange(25.0)[start : start + length]
    assert source.n_rows == len(wanted)
    np.testing.assert_array_equal(all_rows(source, n_rows, first), wanted[first:])
    parts = source.parts(4)
    np.testing.assert_array_equal(np.concatenate([all_rows(p, n_rows) for p in parts]), wanted)


def test_selections_can_be_selected_from_and_pickled():
    source = RowRange(numbered(20), 5).where(np.arange(15) % 2 == 0).rows(1, 4)
    assert all_rows(source).tolist() == [7, 9, 11]
    assert all_rows(pickle.loads(pickle.dumps(source))).tolist() == [7, 9, 11]
    assert all_rows(source.head(2)).tolist() == [7, 9]
    assert source.weighted
    assert (source.n_columns, source.n_targets, source.feature_names) == (1, 0, None)
    assert source.buffer_bytes == 0


def test_selections_are_told_apart():
    source = numbered(6)
    masks = [np.arange(6) < 3, np.arange(6) > 2]
    found = [SelectedSource(source, mask).identity() for mask in masks]
    found += [RowRange(source, 1).identity(), RowRange(source, 1, 3).identity(), source.identity()]
    assert len({str(sorted(one.items())) for one in found}) == len(found)
    assert SelectedSource(source, masks[0].copy()).identity() == found[0]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda s: SelectedSource(s, np.ones(4)),
            "mask with a bool for each of the 4 rows, found shape .4,. and dtype float",
        ),
        (lambda s: SelectedSource(s, np.ones((4, 1), bool)), r"found shape .4, 1."),
        (lambda s: SelectedSource(s, np.zeros(4, bool)), "at least one row"),
        (lambda s: SelectedSource(s, np.ones(3, bool)), r"each of the 4 rows, found shape .3,."),
        (lambda s: RowRange(s, 2, 2), "0 <= start < stop"),
        (lambda s: RowRange(s, -1), "0 <= start < stop"),
        (lambda s: RowRange(s, 4), "less than the 4 rows, found 4"),
        (lambda s: RowRange(s, 1).chunks(0), "n_rows must be at least 1 .*, found 0 and 0"),
        (lambda s: RowRange(s, 1).chunks(1, -1), "first at least 0, found 1 and -1"),
    ],
)
def test_selections_that_make_no_sense_are_refused(make, said):
    with pytest.raises(ParameterError, match=said):
        make(numbered(4))
