"""NetworkClassifier: what classifiers by frozen layers share, logistic readouts among it."""

from __future__ import annotations

from typing import Any, Self

from densernn.errors import ParameterError
from densernn.estimators.labels import LabelLearner
from densernn.estimators.network import RNNELM
from densernn.estimators.polishing import cache_for, polished
from densernn.estimators.state import unchanged_by_errors
from densernn.estimators.validation import as_source, passes_over


class NetworkClassifier(RNNELM, LabelLearner):
    """The base of classifiers by frozen layers, whose readout may be a logistic one."""

    readout = "ridge"  # of models from files that are older than it

    @property
    def n_iter_(self) -> int:
        """Passes that the logistic readout took; 0 for a ridge readout."""
        self._solution()
        return int(self._readout.n_iter)

    def polish(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Make the readout a logistic one, by passes over rows that the model has learned.

        After ``partial_fit``, ``merge``, ``forget`` and ``decay`` the readout is that of ridge,
        which is exact from the moments; log loss takes the rows themselves.

        Parameters
        ----------
        X, y, sample_weight
            All rows that the model has learned, or a part of them that stands for all.

        Returns
        -------
        self

        Raises
        ------
        ParameterError
            The model was fitted with ``readout="ridge"``.
        """
        self._require_moments()
        if self._readout.link is None:
            raise ParameterError(
                "polish is for models that were fitted with readout='logistic', and this one has a "
                "ridge readout"
            )
        with unchanged_by_errors(self):
            source = as_source(self, X, y, sample_weight, labelled=True)
            spec = self._spec(self)
            passes = passes_over(self, source, spec.chunk_bytes(source, self.targets_.n_targets))
            self._readout = polished(self, passes, self.learned_.moments, cache_for(self))
        return self
