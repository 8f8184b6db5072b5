"""The paper's experiments on HIGGS (section VI, D), with rows streamed from the file.

Tested on the last 500,000 of the 11,000,000 rows, of an excerpt on the last 10,000.  A file of
generated rows (``densernn datasets make-higgs-like``) will do to try the machine; accuracy there
has nothing to do with the published one.

Run: python experiments/higgs.py --data HIGGS.csv.gz [--experiment 1 2 3] [--default]
"""

from __future__ import annotations

import argparse
from typing import Any

from streamed import Configuration, main, read_options

from densernn import SignSplitter
from densernn.datasets.higgs import FEATURE_NAMES, N_ROWS, N_TEST, N_TEST_EXCERPT, TARGET

N_TRAIN = 5_000_000
BOTH = {"preparation": SignSplitter(), "input_form": "[max(X, 0), -min(X, 0)]"}
POSITIVE = {"preparation": SignSplitter(negative="drop"), "input_form": "max(X, 0)"}
MASSES = FEATURE_NAMES[-7:]

CONFIGURATIONS = [
    Configuration(1, "2x28-1000-10000-2", 64.86, 2.0**-20, kappa=0.1, **BOTH),
    Configuration(2, "2x28-5000-2", 69.79, 2.0**-30, **BOTH),
    Configuration(2, "28-5000-2", 70.41, 2.0**-30, **POSITIVE),
    Configuration(3, "2x7-10000-2", 69.57, 2.0**-25, columns=MASSES, **BOTH),
]


def open_parts(options: argparse.Namespace, one: Configuration) -> tuple[Any, Any, int]:
    """Open the first rows for training and the last for the test."""
    from densernn import open_rows  # noqa: PLC0415 - the process that starts the others stays small

    csv = {} if options.data.suffix == ".parquet" else {"names": (TARGET, *FEATURE_NAMES)}
    if csv:
        csv["header"] = False
    rows = open_rows(options.data, TARGET, columns=one.columns, **csv)
    count = rows.n_rows
    if count is None:  # only a pass can tell
        count = sum(len(chunk.X) for chunk in rows.chunks(65_536))
    available = count - (N_TEST if count == N_ROWS else N_TEST_EXCERPT)
    if available < 1:
        raise SystemExit(f"{options.data}: {count:,} rows are too few for a test part")
    n_train = min(options.n_train or N_TRAIN, available)
    return rows.rows(0, n_train), rows.rows(available, count), n_train


if __name__ == "__main__":
    about, default = __doc__.splitlines()[0], "the first 5,000,000, as published, or all there are"
    main(read_options(about, default), CONFIGURATIONS, open_parts)
