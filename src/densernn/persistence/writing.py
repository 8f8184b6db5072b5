"""Saving of fitted models as skops files with a header."""

from __future__ import annotations

import io
import json
from os import PathLike
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import skops.io
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from densernn._files import atomic_write
from densernn.errors import ModelFileError
from densernn.estimators.state import saving
from densernn.persistence.header import MEMBER, make_header
from densernn.persistence.trusted import SCHEMA, untrusted_types


def save(model: Any, path: str | PathLike[str], *, moments: bool = True) -> None:
    """Save a fitted model to a file that :func:`load` reads.

    Parameters
    ----------
    model : fitted estimator
        Of densernn, or a scikit-learn pipeline, ensemble or search with such inside.  The
        readout is solved if it is not yet.
    path : str or path-like
        Where to; ``.skops`` is the customary ending.  A file that is there is replaced at
        once and whole, or not at all.
    moments : bool, default=True
        Whether to keep the moments, 4 (n_hidden + n_targets)^2 bytes, with which the loaded
        model can go on with partial_fit, merge, forget and fresh.  Without them the file is
        small and the model predicts only.

    Raises
    ------
    NotFittedError
        The model has not been fitted.
    ModelFileError
        ``model`` is no estimator, or holds types that :func:`load` would not trust; the text
        names them.
    WriteError
        The file cannot be written; the text says why.

    Notes
    -----
    The file is a skops file, a zip archive of arrays and a schema, with one more member,
    ``densernn.json``, that describes the model (see :func:`densernn.persistence.describe`).
    Memory: three copies of the packed moments while saving.

    Examples
    --------
    >>> import tempfile
    >>> from densernn import RNNELMRegressor, load
    >>> model = RNNELMRegressor(n_hidden=5, random_state=0).fit([[0.0], [1.0], [2.0]], [0, 1, 2])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(model, folder + "/line.skops")
    ...     again = load(folder + "/line.skops")
    >>> bool((again.predict([[1.5]]) == model.predict([[1.5]])).all())
    True
    """
    if not isinstance(model, BaseEstimator):
        raise ModelFileError(f"save takes a fitted estimator: it got {type(model).__name__}")
    check_is_fitted(model)
    path = Path(path).resolve()
    with saving(moments=moments):
        data = _dump(model)
    strange = untrusted_types(data)
    if strange:
        raise ModelFileError(
            f"{type(model).__name__} holds what densernn.load would not trust, so it is not saved: "
            f"{', '.join(strange)}"
        )
    header = json.dumps(make_header(model, moments), indent=1, default=str)
    with atomic_write(path) as part:
        _pack(data, header, part)


def _dump(model: Any) -> io.BytesIO:
    """Return the skops file of a model."""
    data = io.BytesIO()
    try:
        skops.io.dump(model, data)
    except (TypeError, AttributeError) as error:  # what skops raises for what it cannot store
        raise ModelFileError(f"{type(model).__name__} cannot be saved: {error}") from error
    return data


def _pack(data: io.BytesIO, header: str, path: Path) -> None:
    """Write the archive with the header, and with the schema, which is text, compressed."""
    with ZipFile(data) as source, ZipFile(path, "w") as archive:
        archive.writestr(MEMBER, header, ZIP_DEFLATED)
        for name in source.namelist():
            kind = ZIP_DEFLATED if name == SCHEMA else ZIP_STORED
            archive.writestr(name, source.read(name), kind)
