"""RNNAutoencoder: codes of spiking clusters from which their input can be rebuilt."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from densernn.cluster import Cluster
from densernn.engine import Passes
from densernn.engine.checkpoint import Checkpoint
from densernn.engine.passes import warn_of_skipped
from densernn.errors import DataError
from densernn.estimators.autoencoder_spec import AutoencoderSpec, Start
from densernn.estimators.descents import LinearProblem, SpikingProblem, descend
from densernn.estimators.fitted_autoencoder import FittedAutoencoder
from densernn.estimators.network_spec import generator
from densernn.estimators.readout import Readout
from densernn.estimators.resuming import open_checkpoint
from densernn.estimators.state import moments_wanted, store_params, unchanged_by_errors
from densernn.estimators.validation import as_source, passes_over
from densernn.layers import ClusterLayer, FeatureMap
from densernn.reconstruction import ReconstructionMoments
from densernn.weights import DenseWeights

Float64Array = NDArray[np.float64]


class RNNAutoencoder(FittedAutoencoder):
    r"""Autoencoder of spiking clusters, learned by multiplicative updates or ridge alone.

    Codes are H = zeta(X W1), W1 >= 0, of prepared input X in [0, 1].  A method learns the weights:

    ``"rnn-elm"``
        (18): :math:`\min \|X - H W_2\|^2`, W2 signed.  A multiplicative update of W1, (20) in the
        form that descends, takes turns with the pseudo-inverse (19) for W2.
    ``"spiking"``
        (13): :math:`\min \|X - \zeta(H W_2)\|^2`, W1 and W2 >= 0, by (16) and (17).  Only spiking
        cells in both layers.
    ``"ridge"``
        (19), (23): W1 stays as drawn, W2 is solved for, in one pass.  Learns in pieces, too.

    The cost never rises: updates are damped until it does not (docs/decisions/0006).

    Parameters
    ----------
    n_hidden : int, default=50
        Clusters in the code.
    method : {"rnn-elm", "spiking", "ridge"}, default="rnn-elm"
        See above.
    cluster : Cluster, optional
        Parameters of the clusters, by default those of the paper.  Arrays of one value per hidden
        cluster are for the methods whose decoder has no clusters.
    preparation : "auto", "unit", "split", None or transformer, default="unit"
        What makes input nonnegative: as in :class:`RNNELMClassifier`.  Rebuilding input in its own
        units takes one that has ``inverse_transform``, as "unit" does.
    input_scale : float, "auto" or None, default="auto"
        W1 starts from U[0, 1), scaled so that this is the largest pre-activation over the training
        rows; None leaves it as drawn.  ``"auto"`` is 0.001 for ``"rnn-elm"``, 0.1 else.
    alpha : float, "auto" or iterable of float, default="auto"
        Penalty on the squares of W2.  ``"auto"`` chooses it by generalised cross-validation for
        ``"ridge"``, and is next to nothing for ``"rnn-elm"``; without meaning for ``"spiking"``.
    max_iter : int, default=500
        Iterations at most.
    tol : float, default=1e-3
        Stop when an iteration lowers the cost by at most this share of it.  0 stops only where no
        step lowers it at all.
    max_exponent : float, default=inf
        An update is W * (N / P)**g.  g starts at 1, is halved while the cost would rise and doubled
        after a step that went well, up to this.  1 never goes beyond the published step.
    variant : {"signed", "printed", "inverted"}, default="signed"
        The form of (20).  The other two are for comparison alone: (20) as printed, and its fraction
        turned over, both with W2 replaced by max(W2, 0) and in full steps, whatever the cost does.
    dtype : {"auto", "float32", "float64"}, default="auto"
        Working precision.  ``"auto"`` takes float32 for iterative methods on larger data.
    memory_limit : int or str, optional
        Bytes that chunks, moments and weights may take, such as ``"2 GB"``.
    engine, checkpoint
        As in :class:`RNNELMClassifier`; of iterative methods, each iteration is kept.
    random_state : int, RandomState, Generator or None
        Of the weights that are drawn.
    verbose : int, default=0
        Whether to show a bar on a terminal.

    Attributes
    ----------
    weights_ : ndarray of shape (n_inputs, n_hidden)
        W1, not negative, in the working dtype.
    decoder_weights_ : ndarray of shape (n_hidden, n_inputs), float64
        W2.
    cost_ : ndarray of shape (n_iter_ + 1,), float64
        Weighted squared error over the training rows, in prepared units, plus the penalty, before
        the first iteration and after each.  For ``"ridge"``: with W2 = 0, and solved.
    exponents_ : ndarray of shape (n_iter_,), float64
        g of each iteration; 0 where no step lowered the cost.  Not for ``"ridge"``.
    n_iter_ : int
        Iterations done; 1 for ``"ridge"``.
    n_refused_ : int
        Steps that were measured and not taken, since the cost would have risen.  Not for
        ``"ridge"``.
    alpha_ : float
        Penalty in use (``"ridge"``).
    feature_map_ : FeatureMap
        Fitted preparation and encoding layer.
    moments_ : Moments
        Of codes and inputs (``"ridge"``).
    n_features_in_, feature_names_in_
        As in scikit-learn.

    See Also
    --------
    ClusterFeatures : a random layer, with no decoder.

    Notes
    -----
    With n rows, U inputs and C clusters, an iteration costs about 8 n U C multiply-adds, and as
    many again for each time a step is refused (``"rnn-elm"``: 2 n U C).  Memory beside the rows: a
    chunk, and two dozen arrays of U x C numbers; (C + U)^2 for ``"ridge"``.  Rows are never copied
    whole.

    Ctrl-C during the iterations ends them: ``fit`` warns (:class:`InterruptedWarning`) and returns
    the model with the weights of the last iteration that was finished.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> X = load_digits().data[:500]
    >>> model = RNNAutoencoder(n_hidden=16, max_iter=30, tol=0, random_state=0).fit(X)
    >>> model.transform(X).shape, model.inverse_transform(model.transform(X)).shape
    ((500, 16), (500, 64))
    >>> bool(model.cost_[-1] < 0.8 * model.cost_[0])
    True
    """

    method: str
    alpha: Any
    max_iter: int
    tol: float
    max_exponent: float
    variant: str
    engine = "auto"  # of models from files that are older than these two
    checkpoint: Any = None
    verbose: int

    def __init__(
        self,
        n_hidden: int = 50,
        *,
        method: str = "rnn-elm",
        cluster: Cluster | None = None,
        preparation: Any = "unit",
        input_scale: float | str | None = "auto",
        alpha: Any = "auto",
        max_iter: int = 500,
        tol: float = 1e-3,
        max_exponent: float = np.inf,
        variant: str = "signed",
        dtype: str = "auto",
        memory_limit: int | str | None = None,
        engine: str = "auto",
        checkpoint: str | PathLike[str] | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        store_params(self, locals())

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Learn both layers.

        Parameters
        ----------
        X : array, data frame, source of rows or Dask collection, (n_samples, n_features)
            Real numbers of any sign, in any real dtype.
        y : ignored
            Present for scikit-learn's sake.
        sample_weight : array of shape (n_samples,), optional
            A row of weight 0 counts nowhere, one of weight k as k copies.

        Returns
        -------
        self

        Raises
        ------
        ParameterError
            A parameter lies outside its condition.

        Warns
        -----
        ConvergenceWarning
            ``tol`` was not met in ``max_iter`` iterations.
        InterruptedWarning
            Ctrl-C ended the iterations.
        """
        with unchanged_by_errors(self):
            self._drop_fit()
            self._train(X, sample_weight, first=True, resumable=True)
            if self.method == "ridge":
                self._solution()  # fit solves at once; updates do not
        return self

    def _train(self, X: Any, sample_weight: Any, *, first: bool, resumable: bool = False) -> None:
        """Draw the layer from the first rows, then pass over them as the method says."""
        spec = AutoencoderSpec(self)
        spec.check()
        source = as_source(self, X, None, sample_weight, reset=first)
        with open_checkpoint(self, source, resumable) as checkpoint:
            passes = passes_over(self, source, spec.chunk_bytes(source), checkpoint)
            if first:
                start = spec.draw(passes, generator(self.random_state, checkpoint))
                self._set_layer(start, start.encoder)
            if self.method == "ridge":
                self._accumulate(passes)
            else:
                self._descend(start, passes, checkpoint)
        warn_of_skipped(passes.skipped, passes.n_rows)

    @property
    def partial_fit(self) -> Callable[..., Self]:
        """``partial_fit(X, y=None, sample_weight=None)``: add rows; ``method="ridge"`` alone.

        The first rows decide the preparation of input and the scale of W1.  Moments add up, (25)
        and (26), and W2 is solved for when it is first used.
        """
        if self.method != "ridge":
            raise AttributeError(
                f"RNNAutoencoder with method={self.method!r} passes over all rows many times and "
                "cannot learn them in pieces: give fit all rows (an array may be memory-mapped), "
                "or use method='ridge', which has partial_fit"
            )
        return self._partial_fit

    def _partial_fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        first = not hasattr(self, "feature_map_")
        if not first and not hasattr(self, "moments_"):
            raise DataError(
                "this RNNAutoencoder has no moments to add rows to: it was fitted with another "
                "method, or saved with moments=False"
            )
        with unchanged_by_errors(self):
            self._train(X, sample_weight, first=first)
        return self

    @property
    def alpha_(self) -> float:
        """Penalty in use, where the method is ``"ridge"``."""
        if not hasattr(self, "_readout"):
            raise AttributeError("alpha_ belongs to an RNNAutoencoder fitted with method='ridge'")
        return self._solution().alpha

    @property
    def cost_(self) -> Float64Array:
        """Cost before the first iteration and after each."""
        check_is_fitted(self)
        return self._cost if hasattr(self, "_cost") else self._ridge_cost()

    def _ridge_cost(self) -> Float64Array:
        moments, solution = self.moments_, self._solution()
        squares, W = float(np.trace(moments.TtT)), solution.coef
        fit = float(np.vdot(W, moments.HtH @ W + solution.alpha * W - 2.0 * moments.HtT))
        return np.array([squares, max(squares + fit, 0.0)])

    def _drop_fit(self) -> None:
        """Drop what an earlier fit with another method may have left."""
        left = "_readout moments_ _decoder _cost exponents_ n_refused_ feature_map_"
        for name in left.split():
            self.__dict__.pop(name, None)

    def _set_layer(self, start: Start, encoder: Float64Array) -> None:
        layer = ClusterLayer(DenseWeights(encoder.astype(start.dtype)), start.cluster)
        self.feature_map_ = FeatureMap(start.preparation, (layer,))
        self._spiking_decoder = self.method == "spiking"
        self.n_iter_ = 1

    def _accumulate(self, passes: Passes) -> None:
        """Add rows to the moments: all of them, or after an error none."""
        new = passes.run(ReconstructionMoments(self.feature_map_), "training")
        self.moments_ = self.moments_.merge(new) if hasattr(self, "moments_") else new
        self._readout = Readout(self.alpha, self.feature_map_.dtype.name, 0.0, intercept=False)

    def _descend(self, start: Start, passes: Passes, checkpoint: Checkpoint | None) -> None:
        again = Passes(
            passes.source, chunk_bytes=passes.chunk_bytes, engine=passes.engine
        )  # an iteration is kept whole, not its passes
        common = (again, start.preparation, start.cluster, start.dtype)
        problem: SpikingProblem | LinearProblem
        if self.method == "spiking":
            weights: tuple[Float64Array, ...] = (start.encoder, start.decoder)
            problem = SpikingProblem(*common)
        else:
            weights = (start.encoder,)
            alpha = 0.0 if isinstance(self.alpha, str) else float(self.alpha)
            problem = LinearProblem(*common, alpha, self.variant)
        descent = descend(
            problem,
            weights,
            max_iter=self.max_iter,
            tol=self.tol,
            max_exponent=self.max_exponent,
            damped=self.method == "spiking" or self.variant == "signed",
            verbose=bool(self.verbose),
            checkpoint=checkpoint,
        )
        point = descent.point
        self._set_layer(start, point.weights[0])
        self._decoder = point.found if self.method == "rnn-elm" else point.weights[1]
        self._cost = np.array(descent.costs)
        self.exponents_ = np.array(descent.exponents)
        self.n_iter_ = len(descent.exponents)
        self.n_refused_ = descent.refused

    def __getstate__(self) -> dict[str, Any]:
        """Return the state; for a file, solved, and without moments if they are not wanted."""
        state: dict[str, Any] = dict(super().__getstate__())
        wanted = moments_wanted()
        if wanted is None or "moments_" not in state:
            return state
        self._solution()  # so that the file holds it
        if not wanted:
            state["_cost"] = self._ridge_cost()
            del state["moments_"]
        return state
