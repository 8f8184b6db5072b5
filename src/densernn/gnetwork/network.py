"""The general Random Neural Network: how one is made, and what can be asked of it."""

from __future__ import annotations

from numpy.typing import ArrayLike

from densernn.gnetwork.rates import Matrix, Rates, checked_rates
from densernn.gnetwork.simulate import Simulation, simulate
from densernn.gnetwork.steady_state import SteadyState, solve
from densernn.gnetwork.wiring import ClusterParameters, cluster_rates, layer_rates, weight_rates


class RandomNeuralNetwork:
    r"""A network of M spiking cells: excitation, inhibition, and triggers that move on.

    The state of a cell is a whole number k >= 0, and a cell with k > 0 is excited.  Spikes from
    outside arrive at rates lambda_plus (k goes up by one) and lambda_minus (k goes down by one
    if k > 0).  An excited cell i fires at rate r_i: its k goes down by one, and then

    * with probability p_plus(i, j) cell j gains one;
    * with probability p_minus(i, j) cell j loses one, if it is excited;
    * with probability p(i, j) it triggers cell j: if j is excited it loses one, and then with
      probability Q(j, m) cell m gains one, with probability pi(j, m) the trigger moves on to m,
      and else it is lost; if j is not excited, the trigger ends there;
    * with probability d(i) nothing more happens.

    Cells are numbered from 0, and row i of a matrix belongs to cell i.

    Parameters
    ----------
    lambda_plus, lambda_minus : array of shape (M,), or float
        Rates of external excitatory and inhibitory spikes, not negative.
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
        Probability that a firing sends nothing; by default what the others leave.

    Attributes
    ----------
    rates : Rates
        All of the above as checked: vectors of float64, and matrices as CSR arrays.

    Raises
    ------
    ParameterError
        A condition is broken; the text names the cell and the value or the sum: rates that are
        negative or not finite, r not above 0, p_plus + p_minus + p + d of a cell not 1, Q + pi of
        a cell above 1, or shapes that do not fit.

    Notes
    -----
    The paper asks for Q + pi = 1; its own clusters have (n - 1)/n.  So sums up to 1 are taken,
    and what is missing is the probability that the trigger is lost.  An entry (i, i) is taken
    too: a cell may reach itself.

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
        self.rates: Rates = checked_rates(
            lambda_plus,
            lambda_minus,
            r,
            p_plus=p_plus,
            p_minus=p_minus,
            p=p,
            Q=Q,
            pi=pi,
            d=d,
        )

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
        """Make a network from weights w_plus = r p_plus and w_minus = r p_minus.

        Parameters
        ----------
        w_plus, w_minus : array or sparse matrix of shape (M, M)
            Rates at which an excited cell i sends spikes to cell j, not negative.
        lambda_plus, lambda_minus : array of shape (M,), or float
        r : array of shape (M,), or float, optional
            Firing rates; by default the sum of the weights of each cell, so that no spike is
            lost.
        p, Q, pi : array or sparse matrix of shape (M, M), optional
            Triggers, as of the class; they need ``r``.

        Raises
        ------
        ParameterError
            As of the class, or a cell has neither weights nor ``r``.

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
        cluster: ClusterParameters,
        *,
        offset: ArrayLike | None = None,
    ) -> RandomNeuralNetwork:
        """Make the network of Figure 1: U input cells, and C clusters that they inhibit.

        Parameters
        ----------
        weights : array or sparse matrix of shape (U, C)
            w(u, c), the rate at which input u inhibits each cell of cluster c; not negative.
        inputs : array of shape (U,)
            The states of the input cells, probabilities.
        cluster : Cluster
            Numbers, or arrays of shape (C,).
        offset : array of shape (C,), optional
            More inhibition from outside, as from an input that is always active.

        Returns
        -------
        RandomNeuralNetwork
            Cells 0 to U - 1 are the inputs, which fire at the exit rates (5); then come the
            clusters, cell by cell.

        Raises
        ------
        ParameterError
            As of the class, or an input is no probability.

        Notes
        -----
        An input of 1 saturates its cell, which is flagged and does no harm to q.

        A stack of layers is not one network: the cells of M(n) spend their firing on one
        another, so that none is left for the next layer.  Each layer is a network of its own,
        whose inputs are the states q of the layer below, presented anew.

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
        return cls._of(layer_rates(weights, inputs, cluster, offset))

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
        """Make M(n): n identical cells, each of which triggers or excites every other.

        Parameters
        ----------
        n, p, r, lambda_plus, lambda_minus
            As of :class:`densernn.Cluster`, without its condition that lambda_minus is at least
            lambda_plus.
        x : float, default=0.0
            Inhibitory rate from a layer below, not negative.

        Raises
        ------
        ParameterError
            A condition is broken.

        Notes
        -----
        p(i, j) = pi(i, j) = p/n and p_plus(i, j) = Q(i, j) = (1 - p)/n for different i and j, so
        that a firing, and a trigger, is lost with probability 1/n.  The text sets its weights
        w+ to 0, yet the term l = 0 of (2) is a direct excitation, which p_plus is.

        Memory is of the order of n^2.

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
        """M, the number of cells."""
        return self.rates.n_cells

    def steady_state(self, *, tol: float = 1e-12, max_iter: int = 1000) -> SteadyState:
        """Solve (1) for the probabilities q that cells are excited.

        Parameters
        ----------
        tol : float, default=1e-12
            Largest error of (1) to stop at, and how near to 1 a cell counts as saturated.
        max_iter : int, default=1000

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
            The error is still above ``tol`` after ``max_iter`` iterations.

        Notes
        -----
        The text's sums over sequences z(m) of distinct cells are taken over all sequences, as
        (2) does: a trigger may come back to a cell.  They are then a geometric series of
        matrices, whose sum T solves a linear equation; see :mod:`densernn.gnetwork.steady_state`.

        The search begins at rest, q = 0, with damped iterations; Newton steps follow while each
        halves the error.  Steps are found by GMRES, from five products with sparse matrices per
        Krylov vector.  Memory: a second copy of the matrices, and some 90 vectors.
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
        """Let the cells spike: several independent runs in continuous time, event by event.

        Parameters
        ----------
        duration : float, optional
            Time to measure in each run, in the unit in which rates are given per; by default as
            long as a million spikes take to arrive from outside, on average.
        warm_up : float, optional
            Time before that, from the network at rest; by default a quarter of ``duration``.
            What is measured is biased towards rest if the network takes longer to settle: next to
            saturation a cell takes some 4 / ((r + Lambda-) (1 - q)^2).
        n_runs : int, default=8
            At least 2: intervals come from how much runs differ.
        level : float, default=0.99
            Confidence level of intervals.
        random_state : int, optional
            Equal seeds give equal results, however many threads there are.
        time_limit : float, optional
            Seconds after which runs are cut short, all at about the same point; what they saw by
            then is returned, and is not reproducible.
        n_spikes : int, default=0
            Spikes of the first run to keep.
        n_snapshots : int, default=0
            Times, evenly over ``duration``, at which the states of each run are kept.
        verbose : int, default=0
            Show a progress bar on a terminal.

        Returns
        -------
        Simulation

        Raises
        ------
        ParameterError
            A parameter is out of range, or the time limit was over before the warm-up.

        Notes
        -----
        Nothing but ``rates`` is shared with :meth:`steady_state`.  An event is an arrival from
        outside or a firing, with the whole chain of triggers that it starts; its cost does not
        depend on the number of cells or connections.  Runs share the threads.

        Memory: 16 bytes for each matrix entry, and for each run 72 bytes a cell and 4 bytes for
        each cell and snapshot.  A saturated cell only counts higher and higher; see
        :attr:`Simulation.growing`.

        Examples
        --------
        >>> network = RandomNeuralNetwork.dense_cluster(x=0.1)
        >>> seen = network.simulate(2e4, random_state=0)
        >>> q, low, high = seen.pooled()
        >>> bool(low < network.steady_state().q[0] < high)
        True
        """
        return simulate(
            self.rates,
            duration=duration,
            warm_up=warm_up,
            n_runs=n_runs,
            level=level,
            random_state=random_state,
            time_limit=time_limit,
            n_spikes=n_spikes,
            n_snapshots=n_snapshots,
            verbose=verbose,
        )
