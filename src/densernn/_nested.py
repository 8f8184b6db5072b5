"""NestedParams: parameters of an object inside an estimator, by scikit-learn's protocol."""

from __future__ import annotations

import copy
from dataclasses import fields, replace
from typing import Any, Self

from densernn.errors import ParameterError


class NestedParams:
    """Base of frozen dataclasses whose fields are searched like parameters of estimators."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name.

        Parameters
        ----------
        deep : bool, default=True
            Present for scikit-learn's sake: no parameter has parameters of its own.
        """
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]

    def set_params(self, **params: Any) -> Self:
        """Change parameters, in place, all or none.

        It is what ``estimator.set_params(cluster__n=30)`` and searches call, on the cluster of
        a clone.  Models that were fitted with the cluster keep their own copy, as it was.  The
        hash changes with the parameters.

        Parameters
        ----------
        **params
            As in the constructor.

        Returns
        -------
        self

        Raises
        ------
        ParameterError
            There is no parameter of that name, or its value violates a condition.
        """
        known = self.get_params()
        for name in params:
            if name not in known:
                raise ParameterError(
                    f"{type(self).__name__} has no parameter {name!r}: its parameters are "
                    f"{', '.join(known)}"
                )
        changed = replace(self, **params)  # type: ignore[type-var]
        # Searches call this on the object that an estimator holds, and drop what it returns: so
        # a frozen object changes here alone, once all conditions hold.
        vars(self).update(vars(changed))
        return self

    def __sklearn_clone__(self) -> Self:
        # scikit-learn's own clone refuses constructors that convert what they are given.
        return copy.copy(self)
