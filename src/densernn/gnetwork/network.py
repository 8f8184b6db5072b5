"""RandomNeuralNetwork: general networks, their steady state and simulation."""

from __future__ import annotations

from typing import Any

from numpy.typing import ArrayLike

from densernn.gnetwork.connectivity import cluster_rates, layer_rates, weight_rates
from densernn.gnetwork.rates import Matrix, Rates, checked_rates
from densernn.gnetwork.simulate import Simulation, SimulationOptions, simulate
from densernn.gnetwork.steady_state import SteadyState, solve


class RandomNeuralNetwork:
    r"""A Random Neural Network of M spiking cells, with excitation, inhibition and triggers.

    The state of a cell is an integer k >= 0, and a cell with k > 0 is excited.  External spikes
    arrive at rates lambda_plus (k increases by one) and lambda_minus (k decreases by one if
    k > 0).  An excited cell i fires at rate r_i: its k decreases by one, and then

    * with probability p_plus(i, j) the state of cell j increases by one;
    * with probability p_minus(i, j) the state of cell j decreases by one, if it is excited;
    * with probability p(i, j) cell j is triggered: if j is excited its state decreases by one, and
      then with probability Q(j, m) that of cell m increases by one, with probability pi(j, m) the
      trigger moves on to m, and otherwise it is lost; if j is not excited, the trigger ends;
    * with probability d(i) nothing else happens.

    Cells are numbered from 0, and row i of a matrix belongs to cell i.

    Parameters
    ----------
    lambda_plus, lambda_minus : array of shape (M,), or float
        Rates of external excitatory and inhibitory spikes, nonnegative.
    r : array of shape (M,), or float
        Firing rates, above 0.
    p_plus, p_minus : array or sparse matrix of shape (M, M), optional
        Probability that a firing of cell i excites or inhibits cell j; by default 0.
    p : array or sparse matrix of shape (M, M), optional
        Probability that a firing of cell i triggers cell j; by default 0.
    Q : array or sparse matrix of shape (M, M), optional
        Probability that a trigger of the excited cell j adds one to cell m; by default 0.
    pi : array or sparse matrix of shape (M, M), optional
        Probability that a trigger of the excited cell j moves on to m; by default ``p``, as the
        paper sets it.
    d : array of shape (M,), or float, optional
        Probability that a firing has no effect on other cells; by default the remainder to 1.

    Attributes
    ----------
    rates : Rates
        The validated parameters: vectors of float64, and matrices as CSR arrays.

    Raises
    ------
    ParameterError
        Rates are negative or not finite, r is not above 0, p_plus + p_minus + p + d of a cell is
        not 1, Q + pi of a cell is above 1, or shapes do not match.

    Notes
    -----
    The paper requires Q + pi = 1, but its own clusters have (n - 1)/n.  Sums up to 1 are accepted,
    and the remainder is the probability that a trigger is lost.  Diagonal entries are accepted: a
    cell may act on itself.

    Memory: 12 bytes for each matrix entry that is not 0.

    Examples
    --------
    Two cells, of which the first inhibits the second:

    >>> import numpy as np
    >>> network = RandomNeuralNetwork(
    ...     lambda_plus=[0.5, 0.5], lambda_minus=0.0, r=1.0, p_minus=[[0.0, 0.8], [0.0, 0.0]]
    ... )
    >>> network.steady_state().q.round(4)
    array([0.5   , 0.3571])
    >>> RandomNeuralNetwork(0.1, 0.0, 1.0, p_plus=np.full((2, 2), 0.6))
    Traceback (most recent call last):
        ...
    densernn.errors.ParameterError: cells need p_plus + p_minus + p <= 1: the sum of cell 0 is 1.2
    """

    def __init__(
        self,
        lambda_plus: ArrayLike,
        lambda_minus: ArrayLike,
        r: ArrayLike,
        *,
        p_plus: Matrix = None,
        p_minus: Matrix = None,
        p: Matrix = None,
        Q: Matrix = None,
        pi: Matrix = None,
        d: ArrayLike | None = None,
    ) -> None:
        matrices = {"p_plus": p_plus, "p_minus": p_minus, "p": p, "Q": Q, "pi": pi}
        self.rates: Rates = checked_rates(lambda_plus, lambda_minus, r, matrices, d)

    @classmethod
    def _of(cls, rates: Rates) -> RandomNeuralNetwork:
        network = cls.__new__(cls)
        network.rates = rates
        return network

    @classmethod
    def from_weights(
        cls,
        w_plus: Matrix,
        w_minus: Matrix,
        lambda_plus: ArrayLike,
        lambda_minus: ArrayLike,
        *,
        r: ArrayLike | None = None,
        p: Matrix = None,
        Q: Matrix = None,
        pi: Matrix = None,
    ) -> RandomNeuralNetwork:
        """Return a network with weights w_plus = r p_plus and w_minus = r p_minus.

        Parameters
        ----------
        w_plus, w_minus : array or sparse matrix of shape (M, M)
            Rates at which an excited cell i sends spikes to cell j, nonnegative.
        lambda_plus, lambda_minus : array of shape (M,), or float
        r : array of shape (M,), or float, optional
            Firing rates; by default the sum of the weights of each cell, so that no spike is
            lost.
        p, Q, pi : array or sparse matrix of shape (M, M), optional
            Triggers, as in the class; they require ``r``.

        Raises
        ------
        ParameterError
            As in the class, or a cell has neither weights nor ``r``.

        Examples
        --------
        >>> network = RandomNeuralNetwork.from_weights([[0, 2], [1, 0]], [[0, 2], [0, 0]], 0.1, 0)
        >>> network.rates.r, network.rates.p_plus.toarray()
        (array([4., 1.]), array([[0. , 0.5],
               [1. , 0. ]]))
        """
        triggers = {"p": p, "Q": Q, "pi": pi}
        return cls._of(weight_rates(w_plus, w_minus, lambda_plus, lambda_minus, r, triggers))

    @classmethod
    def from_layer(
        cls,
        weights: Matrix,
        inputs: ArrayLike,
        cluster: Any,
        *,
        offset: ArrayLike | None = None,
        excitatory: Matrix | None = None,
    ) -> RandomNeuralNetwork:
        """Return the network of Figure 1: U input cells that inhibit C clusters.

        Parameters
        ----------
        weights : array or sparse matrix of shape (U, C)
            w(u, c), the rate at which input u inhibits each cell of cluster c; not negative.
        inputs : array of shape (U,)
            The states of the input cells, probabilities.
        cluster : Cluster
            Numbers, or arrays of shape (C,).
        offset : array of shape (C,), optional
            Additional external inhibition, as from an input that is always active.
        excitatory : array or sparse matrix of shape (U, C), optional
            The rate at which input u excites each cell of cluster c; not negative.  The paper's
            layers have none.

        Returns
        -------
        RandomNeuralNetwork
            Cells 0 to U - 1 are the inputs, which fire at the exit rates (5); they are followed
            by the cells of the clusters.

        Raises
        ------
        ParameterError
            As in the class, or an input is not a probability.

        Notes
        -----
        An input of 1 saturates its cell, which is flagged and does not affect other cells.

        Several layers are not one network: the firings of cells of M(n) act on one another only.
        Each layer is a network of its own, whose inputs are the states q of the previous layer.

        Examples
        --------
        >>> import numpy as np
        >>> from densernn import Cluster
        >>> weights, inputs, cluster = np.full((2, 3), 0.01), np.array([0.3, 0.6]), Cluster(n=5)
        >>> network = RandomNeuralNetwork.from_layer(weights, inputs, cluster)
        >>> hidden = network.steady_state().q[2:].reshape(3, 5)[:, 0]
        >>> hidden.round(4), cluster.zeta(inputs @ weights).round(4)
        (array([0.351, 0.351, 0.351]), array([0.351, 0.351, 0.351]))
        >>> second = RandomNeuralNetwork.from_layer(np.full((3, 1), 0.01), hidden, cluster)
        >>> second.steady_state().q[3:].round(4)
        array([0.317, 0.317, 0.317, 0.317, 0.317])
        """
        return cls._of(layer_rates(weights, inputs, cluster, offset, excitatory))

    @classmethod
    def dense_cluster(
        cls,
        n: int = 20,
        p: float = 0.05,
        r: float = 0.001,
        lambda_plus: float = 0.005,
        lambda_minus: float = 0.005,
        *,
        x: float = 0.0,
    ) -> RandomNeuralNetwork:
        """Return M(n): n identical cells, each of which triggers or excites every other.

        Parameters
        ----------
        n, p, r, lambda_plus, lambda_minus
            As in :class:`densernn.Cluster`, without the condition lambda_minus >= lambda_plus.
        x : float, default=0.0
            Inhibitory rate from the previous layer, nonnegative.

        Raises
        ------
        ParameterError
            A parameter violates its condition.

        Notes
        -----
        p(i, j) = pi(i, j) = p/n and p_plus(i, j) = Q(i, j) = (1 - p)/n for different i and j, so
        that a firing, and a trigger, is lost with probability 1/n.  The paper sets its weights
        w+ to 0, but the term l = 0 of (2) is a direct excitation, that is p_plus.

        Memory: O(n^2).

        Examples
        --------
        >>> from densernn import Cluster
        >>> RandomNeuralNetwork.dense_cluster(x=0.01).steady_state().q[:2].round(6)
        array([0.331146, 0.331146])
        >>> Cluster().zeta(0.01).round(6)
        np.float64(0.331146)
        """
        return cls._of(cluster_rates(n, p, r, lambda_plus, lambda_minus, x))

    @property
    def n_cells(self) -> int:
        """Number of cells, M."""
        return self.rates.n_cells

    def steady_state(self, *, tol: float = 1e-12, max_iter: int = 1000) -> SteadyState:
        """Solve (1) for the probabilities q that cells are excited.

        Parameters
        ----------
        tol : float, default=1e-12
            Tolerance of the largest error of (1), and of q = 1 for saturated cells.
        max_iter : int, default=1000
            Maximum number of iterations.

        Returns
        -------
        SteadyState

        Raises
        ------
        ParameterError
            ``tol`` or ``max_iter`` is not above 0.

        Warns
        -----
        ConvergenceWarning
            The error is above ``tol`` after ``max_iter`` iterations.

        Notes
        -----
        The sums of (1) over sequences z(m) of distinct cells are extended to all sequences, as in
        (2): a trigger may return to a cell.  They are then a geometric series of matrices, whose
        sum T solves a linear equation; see :mod:`densernn.gnetwork.steady_state`.

        Damped iterations from rest, q = 0, are followed by Newton steps as long as each halves the
        error.  Newton steps are solved by GMRES, with five products of sparse matrices per Krylov
        vector.  Memory: a second copy of the matrices, and some 90 vectors.
        """
        return solve(self.rates, tol, max_iter)

    def simulate(
        self,
        duration: float | None = None,
        *,
        warm_up: float | None = None,
        n_runs: int = 8,
        level: float = 0.99,
        random_state: int | None = None,
        time_limit: float | None = None,
        n_spikes: int = 0,
        n_snapshots: int = 0,
        verbose: int = 0,
    ) -> Simulation:
        """Simulate several independent runs in continuous time, event by event.

        Parameters
        ----------
        duration : float, optional
            Measured time of each run, in the unit of 1 / rate; by default the mean time in which
            a million external spikes arrive.
        warm_up : float, optional
            Time before the measurement, from the network at rest; by default a quarter of
            ``duration``.  Results are biased towards rest if the network takes longer to reach
            its steady state: close to saturation a cell takes some
            4 / ((r + Lambda-) (1 - q)^2).
        n_runs : int, default=8
            Number of runs, at least 2: intervals are computed from their differences.
        level : float, default=0.99
            Confidence level of intervals.
        random_state : int, optional
            Seed; results do not depend on the number of threads.
        time_limit : float, optional
            Seconds after which all runs are stopped, at about the same point; the results up to
            then are returned and are not reproducible.
        n_spikes : int, default=0
            Number of spikes of the first run to record.
        n_snapshots : int, default=0
            Number of times, evenly spaced over ``duration``, at which states are recorded.
        verbose : int, default=0
            Whether to show a progress bar on a terminal.

        Returns
        -------
        Simulation

        Raises
        ------
        ParameterError
            A parameter is out of range, or the time limit ends before the warm-up.

        Notes
        -----
        Only ``rates`` is shared with :meth:`steady_state`, so that each checks the other.  An event
        is an external arrival or a firing, with the whole chain of triggers that it starts; its
        cost does not depend on the number of cells or connections.  Runs are distributed over
        threads.

        Memory: 16 bytes per matrix entry, and for each run 72 bytes per cell and 4 bytes per cell
        and snapshot.  The state of a saturated cell grows without bound; see
        :attr:`Simulation.growing`.

        Examples
        --------
        >>> network = RandomNeuralNetwork.dense_cluster(x=0.1)
        >>> simulation = network.simulate(2e4, random_state=0)
        >>> q, low, high = simulation.pooled()
        >>> bool(low < network.steady_state().q[0] < high)
        True
        """
        options = SimulationOptions(
            n_runs, level, random_state, time_limit, n_spikes, n_snapshots, bool(verbose)
        )
        return simulate(self.rates, duration, warm_up, options)
