"""The paper's experiments on Covertype (section VI, E), with rows streamed from the file.

The split is that of ``load_covertype``: 50,000 random test rows and the other 531,012.

Run: python experiments/covertype.py --data covtype.data.gz [--experiment 1 2] [--default]
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from streamed import Configuration, main, read_options

from densernn.datasets.covertype import FEATURE_NAMES, N_ROWS, N_TEST, TARGET

CONFIGURATIONS = [
    Configuration(1, "54-1000-5000-7", 72.21, 2.0**-30, kappa=1e-5),
    Configuration(1, "54-2000-8000-7", 71.90, 2.0**-30, kappa=1e-5),
    Configuration(2, "54-5000-7", 83.79, 2.0**-30),
    Configuration(2, "54-10000-7", 84.21, 2.0**-25),
]


def open_parts(options: argparse.Namespace, _: Configuration) -> tuple[Any, Any, int]:
    """Open the training and the test rows; of fewer training rows, a random sample."""
    from densernn import open_rows  # noqa: PLC0415 - the process that starts the others stays small

    rows = open_rows(options.data, TARGET, names=(*FEATURE_NAMES, TARGET), header=False)
    order = np.random.RandomState(0).permutation(N_ROWS)
    chosen = order[N_TEST:][: options.n_train]
    train, test = np.zeros((2, N_ROWS), dtype=bool)
    test[order[:N_TEST]] = True
    train[chosen] = True
    return rows.where(train), rows.where(test), len(chosen)


if __name__ == "__main__":
    main(read_options(__doc__.splitlines()[0], "all 531,012"), CONFIGURATIONS, open_parts)
