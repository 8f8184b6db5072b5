"""Covertype: which trees grow on a patch of forest, from its map."""

from __future__ import annotations

from os import PathLike

import numpy as np

from densernn.datasets.bunch import Dataset
from densernn.datasets.download import RemoteFile
from densernn.datasets.fetch import find
from densernn.datasets.headerless import read_rows
from densernn.errors import DataError

N_ROWS = 581_012
N_TEST = 50_000
FEATURE_NAMES = (
    "Elevation",
    "Aspect",
    "Slope",
    "Horizontal_Distance_To_Hydrology",
    "Vertical_Distance_To_Hydrology",
    "Horizontal_Distance_To_Roadways",
    "Hillshade_9am",
    "Hillshade_Noon",
    "Hillshade_3pm",
    "Horizontal_Distance_To_Fire_Points",
    *(f"Wilderness_Area{i}" for i in range(1, 5)),
    *(f"Soil_Type{i}" for i in range(1, 41)),
)
TARGET = "Cover_Type"
TARGET_NAMES = (
    "Spruce/Fir",
    "Lodgepole Pine",
    "Ponderosa Pine",
    "Cottonwood/Willow",
    "Aspen",
    "Douglas-fir",
    "Krummholz",
)
FILE = RemoteFile(
    ("covtype.data.gz", "covtype.data"),
    # UCI's file as scikit-learn takes it, with the sum that it checks.
    "https://ndownloader.figshare.com/files/5976039",
    "sha256:614360d0257557dd1792834a85a1cdebfadc3c4f30b011d56afee7ffb5b15771",
)


def load_covertype(path: str | PathLike[str] | None = None, *, download: bool = True) -> Dataset:
    """Load Covertype: 581,012 patches of forest, 54 features, 7 kinds of cover.

    Parameters
    ----------
    path : str or path-like, optional
        ``covtype.data``, packed with gzip or not, or its folder. By default it is looked for
        in ``$DENSERNN_DATA``, in its folder ``covertype``, and in the cache.
    download : bool, default=True
        Whether to download (11 MB) into the cache if it is in none of these places.

    Returns
    -------
    Dataset
        50,000 random test rows and the other 531,012 as training rows, both shuffled, with
        the fixed seed 0: the split is the same at every call, and the first rows of the
        training part are a random sample of it. Features as float32, which holds these whole
        numbers exactly: 10 quantities, then 4 wilderness areas and 40 soil types as 0 or 1.
        Labels 1 to 7; label k is ``target_names[k - 1]``.

    Raises
    ------
    DatasetNotFoundError
        If the file is neither there nor to be downloaded.
    DataError
        If the file is damaged or has not 581,012 rows of 55 numbers.

    Notes
    -----
    Source: J. A. Blackard, "Covertype", UCI Machine Learning Repository; the paper, too,
    tests on 50,000 rows. UCI publishes no checksum: a download must have the sha256 sum that
    scikit-learn checks; a file on disk must have the published number of rows. Cost: about three
    seconds and 500 MB on two cores.
    """
    [file] = find("covertype", [FILE], path, download_missing=download)
    X, y = read_rows(file, (*FEATURE_NAMES, TARGET), TARGET, range(1, len(TARGET_NAMES) + 1))
    if len(X) != N_ROWS:
        raise DataError(
            f"{file}: expected {N_ROWS:,} rows, found {len(X):,}: truncated or another file"
        )
    # Of NumPy's generators only this one promises the same numbers in every version.
    order = np.random.RandomState(0).permutation(N_ROWS)
    test, train = order[:N_TEST], order[N_TEST:]
    return Dataset("covertype", X[train], y[train], X[test], y[test], FEATURE_NAMES, TARGET_NAMES)
