"""Covertype: which trees grow on a patch of forest, from its map."""

from __future__ import annotations

from os import PathLike

import numpy as np

from densernn.datasets.bunch import Dataset
from densernn.datasets.download import has_digest
from densernn.datasets.fetch import RemoteFile, find
from densernn.datasets.labels import to_labels
from densernn.errors import DataError
from densernn.sources.load import read_table

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
    "https://archive.ics.uci.edu/ml/machine-learning-databases/covtype/covtype.data.gz",
    # Taken from a copy with the publisher's 581,012 rows and 75,169,317 bytes, unpacked.
    has_digest("sha256", "0a9371cef7c964b5475d6053cc3e0894a5aa6f65ad1ed3ecb01c45aa96217945"),
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
    tests on 50,000 rows. UCI publishes no checksum: a download must have the sha256 sum,
    unpacked, of a copy whose size and number of rows are the published ones; a file on disk
    must have that number of rows. Cost: about three seconds and 500 MB on two cores.
    """
    [file] = find("covertype", [FILE], path, download_missing=download)
    names = (*FEATURE_NAMES, TARGET)
    table = read_table(file, target=TARGET, dtype=np.float32, names=names, target_type="number")
    X = table.X
    if len(X) != N_ROWS:
        raise DataError(
            f"{file}: expected {N_ROWS:,} rows, found {len(X):,}: truncated or another file"
        )
    y = to_labels(file, np.asarray(table.y), 1, len(TARGET_NAMES))
    # Of NumPy's generators only this one promises the same numbers in every version.
    order = np.random.RandomState(0).permutation(N_ROWS)
    test, train = order[:N_TEST], order[N_TEST:]
    return Dataset("covertype", X[train], y[train], X[test], y[test], FEATURE_NAMES, TARGET_NAMES)
