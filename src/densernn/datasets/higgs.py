"""HIGGS: collisions that make a Higgs boson, and those that only look like it."""

from __future__ import annotations

from os import PathLike

import numpy as np

from densernn.datasets.bunch import Dataset
from densernn.datasets.download import has_lines
from densernn.datasets.fetch import RemoteFile, find
from densernn.datasets.labels import to_labels
from densernn.errors import DataError, ParameterError
from densernn.sources.load import read_table

N_ROWS = 11_000_000
N_TEST = 500_000
N_TEST_EXCERPT = 10_000
PUBLISHED_NAMES = ("HIGGS.csv.gz", "HIGGS.csv")
TARGET = "class_label"
FEATURE_NAMES = (
    "lepton_pT",
    "lepton_eta",
    "lepton_phi",
    "missing_energy_magnitude",
    "missing_energy_phi",
    *(f"jet_{jet}_{what}" for jet in range(1, 5) for what in ("pt", "eta", "phi", "b-tag")),
    "m_jj",
    "m_jjj",
    "m_lv",
    "m_jlv",
    "m_bb",
    "m_wbb",
    "m_wwbb",
)
FILE = RemoteFile(
    (*PUBLISHED_NAMES, "HIGGS*.csv.gz", "HIGGS*.csv"),
    "https://archive.ics.uci.edu/ml/machine-learning-databases/00280/HIGGS.csv.gz",
    has_lines(N_ROWS),
)


def load_higgs(
    path: str | PathLike[str] | None = None, *, n_train: int | None = None, download: bool = True
) -> Dataset:
    """Load HIGGS: 11,000,000 simulated collisions, 28 features, signal or background.

    Parameters
    ----------
    path : str or path-like, optional
        ``HIGGS.csv``, packed with gzip or not, or an excerpt in the same format, or its folder.
        By default ``HIGGS.csv`` is looked for, and then an excerpt named like
        ``HIGGS-46239.csv.gz``, in ``$DENSERNN_DATA``, in its folder ``higgs``, and in the cache.
    n_train : int, optional
        Keep only the first ``n_train`` training rows. The whole file is read all the same,
        for its last rows are the test part.
    download : bool, default=True
        Whether to download (2.6 GB) into the cache if it is in none of these places.

    Returns
    -------
    Dataset
        The last 500,000 rows are the test part, as its publishers say; of an excerpt, the last
        10,000. Features as float32: 21 measured, then 7 derived. Labels 1 for signal and
        0 for background.

    Raises
    ------
    DatasetNotFoundError
        If the file is neither there nor to be downloaded.
    DataError
        If the file is damaged; bears the published name without the 11,000,000 rows; or is
        an excerpt of no more than 10,000 rows.
    ParameterError
        If ``n_train`` is not between 1 and the number of training rows.

    Notes
    -----
    Source: P. Baldi, P. Sadowski and D. Whiteson, "Searching for exotic particles in
    high-energy physics with deep learning", 2014; UCI Machine Learning Repository. UCI
    publishes no checksum: what identifies the file is its number of rows, which a download must
    have. Cost, full file: minutes, and little memory besides the 1.2 GB of the result.
    """
    [file] = find("higgs", [FILE], path, download_missing=download)
    names = (TARGET, *FEATURE_NAMES)
    table = read_table(file, target=TARGET, dtype=np.float32, names=names, target_type="number")
    rows = len(table.X)
    if file.name in PUBLISHED_NAMES and rows != N_ROWS:
        raise DataError(
            f"{file}: expected {N_ROWS:,} rows, found {rows:,}: truncated; if it is an excerpt, "
            f"name it HIGGS-{rows}.csv or so"
        )
    n_test = N_TEST if rows == N_ROWS else N_TEST_EXCERPT
    if rows <= n_test:
        raise DataError(f"{file}: expected more than the {n_test:,} test rows, found {rows:,}")
    available = rows - n_test
    kept = available if n_train is None else n_train
    if not 1 <= kept <= available:
        raise ParameterError(f"n_train must be from 1 to {available:,}, the rows at hand: {kept}")
    y = to_labels(file, np.asarray(table.y), 0, 1)
    return Dataset(
        "higgs",
        table.X[:kept],
        y[:kept],
        table.X[available:],
        y[available:],
        FEATURE_NAMES,
        ("background", "signal"),
    )
