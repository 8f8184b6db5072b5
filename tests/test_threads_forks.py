"""Many threads and forked children: right numbers, no deadlock, no abort.

What could hang or kill the process runs in a process of its own, with a time limit.
"""

import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from joblib import Parallel, delayed
from problems import classification, pieces, regression
from sklearn.datasets import load_digits

from densernn import Cluster, RNNELMClassifier, RNNELMRegressor, RNNForestClassifier, _threads
from densernn._threads import n_threads, run_blocks
from densernn.estimators import readout
from densernn.forest.readout import ForestReadout

LIMIT = 60
"""Seconds after which a script counts as hanging."""

SETUP = """
import multiprocessing, os, sys, threading
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from densernn import _threads
from densernn import Cluster, RNNELMClassifier, RNNForestClassifier
_threads.n_threads = lambda: 4  # several, however small the machine
cluster = Cluster()
x = np.random.default_rng(0).random((400, 1000))
X = np.random.default_rng(1).normal(size=(4000, 5))
y = (X[:, 0] * X[:, 1] > 0).astype(int)

def textbook(x, n=20, p=0.05, r=0.001, plus=0.005, minus=0.005):
    a, d = p * (n - 1) * (minus + x), n * plus
    b = (n - 1) * (r * (1 - p) - plus * p) - n * (r + minus + x)
    return (-b - np.sqrt(b * b - 4 * a * d)) / (2 * a)

def right():
    return np.abs(cluster.zeta(x) / textbook(x) - 1).max() < 1e-9
"""


def script(code):
    """Run code after SETUP in a process of its own; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", SETUP + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def at_once(function, n=16):
    """Call a function from many threads that start together; return all results."""
    gate = threading.Barrier(n)

    def call(i):
        gate.wait()
        return function(i)

    with ThreadPoolExecutor(n) as pool:
        return list(pool.map(call, range(n)))


# ----------------------------------------------------------------------------- threads


def test_many_threads_get_the_right_numbers_at_once():
    out = script("""
        model = RNNELMClassifier(100, alpha=1e-2, random_state=0).fit(X, y)
        alone = model.decision_function(X)
        def work(i):
            again = RNNELMClassifier(100, alpha=1e-2, random_state=0).fit(X, y)
            return right() and all(
                np.abs(m.decision_function(X) - alone).max() < 1e-8 for m in (model, again)
            )
        with ThreadPoolExecutor(16) as pool:
            print(all(pool.map(work, range(48))))
    """)
    assert out == ["True"]


def test_a_forest_first_used_by_many_threads_is_solved_once(monkeypatch):
    solved = []

    def counted(self, *args):
        solved.append(args)
        return solve(self, *args)

    solve = ForestReadout._solve
    monkeypatch.setattr(ForestReadout, "_solve", counted)
    X, y = classification()
    model = RNNForestClassifier(3, random_state=0).partial_fit(X, y, classes=[0, 1, 2])
    assert not solved
    results = at_once(lambda _: model.predict_proba(X))
    assert len(solved) == 1
    assert all(np.array_equal(result, results[0]) for result in results)


@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_a_readout_first_used_by_many_threads_is_solved_once(kind, monkeypatch):
    solved = []

    def counted(*args):
        solved.append(args)
        return choose(*args)

    choose = readout.choose_alpha
    monkeypatch.setattr(readout, "choose_alpha", counted)
    if kind == "classifier":
        X, y = classification()
        model = RNNELMClassifier(50, random_state=0).partial_fit(X, y, classes=[0, 1, 2])
        predict = model.decision_function
    else:
        X, y = regression()
        model = RNNELMRegressor(50, random_state=0).partial_fit(X, y)
        predict = model.predict
    assert not solved
    held = dict(vars(model))
    results = at_once(lambda _: predict(X))
    assert len(solved) == 1
    assert all(np.array_equal(result, results[0]) for result in results)
    assert all(vars(model)[name] is value for name, value in held.items())


def test_models_train_in_threads_as_they_do_alone():
    X, y = classification(600)
    model = RNNELMClassifier(40, alpha=1e-2, random_state=0).fit(X, y)
    parts = pieces(len(X), 8)
    shards = at_once(lambda i: model.fresh().partial_fit(X[parts[i]], y[parts[i]]), 8)
    whole = model.fresh()
    for shard in shards:
        whole.merge(shard)
    np.testing.assert_allclose(whole.decision_function(X), model.decision_function(X), atol=1e-8)


@pytest.mark.parametrize("kind", [RNNELMClassifier, RNNForestClassifier])
@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_joblib_workers_predict_and_learn(backend, kind):
    X, y = classification(600)
    model = kind(20, alpha=1e-2, random_state=0).fit(X, y)
    parts = pieces(len(X), 4)

    def work(part):
        return model.decision_function(X), model.fresh().partial_fit(X[part], y[part])

    results = Parallel(n_jobs=2, backend=backend)(delayed(work)(part) for part in parts)
    whole = model.fresh()
    for outputs, shard in results:
        np.testing.assert_allclose(outputs, model.decision_function(X), atol=1e-9)
        whole.merge(shard)
    np.testing.assert_allclose(whole.decision_function(X), model.decision_function(X), atol=1e-8)


# ----------------------------------------------------------------------------- forks


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="no fork here")
@pytest.mark.parametrize("threads", ["idle", "busy"])
def test_a_forked_child_computes_after_its_parent_used_the_pool(threads):
    out = script(f"""
        assert right()  # the parent's pool is up
        model = RNNELMClassifier(100, random_state=0).fit(X, y)
        alone = model.decision_function(X)
        stop = threading.Event()
        def keep_busy():
            while not stop.is_set():
                cluster.zeta(x)
        workers = [threading.Thread(target=keep_busy) for _ in range({3 * (threads == "busy")})]
        for worker in workers:
            worker.start()
        for _ in range(4):
            child = os.fork()
            if not child:
                same = np.abs(model.decision_function(X) - alone).max() < 1e-9
                grandchild = os.fork()
                if not grandchild:
                    os._exit(7 if right() else 1)
                below = os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1])
                os._exit(below if right() and same else 1)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        stop.set()
        for worker in workers:
            worker.join()
        print(right())
    """)
    assert out == ["7"] * 4 + ["True"]


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="no fork here")
def test_a_forked_child_grows_the_forest_of_its_parent():
    out = script("""
        def digest():
            model = RNNForestClassifier(5, random_state=0).fit(X, y)
            return model.predict_proba(X).tobytes()
        alone = digest()
        for _ in range(2):
            child = os.fork()
            if not child:
                os._exit(7 if digest() == alone else 1)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        with ThreadPoolExecutor(8) as pool:
            print(all(found == alone for found in pool.map(lambda _: digest(), range(8))))
    """)
    assert out == ["7", "7", "True"]


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="no fork here")
def test_multiprocessing_forks_fit_and_predict_and_end_cleanly():
    out = script("""
        def fit(seed):
            model = RNNELMClassifier(50, alpha=1e-2, random_state=seed).fit(X, y)
            return float(np.abs(model.decision_function(X)).sum())
        alone = [fit(seed) for seed in range(4)]
        with multiprocessing.get_context("fork").Pool(2) as pool:
            forked = pool.map(fit, range(4))
        print(np.allclose(alone, forked, rtol=1e-9))
        child = multiprocessing.get_context("fork").Process(target=fit, args=(0,))
        child.start()
        child.join()  # an ordinary end, which joins whatever threads it thinks it has
        print(child.exitcode)
    """)
    assert out == ["True", "0"]


# ----------------------------------------------------------------------------- sharing out


@pytest.mark.parametrize("n_items", [0, 1, 2, 3, 7, 100])
@pytest.mark.parametrize("at_least", [0, 1, 3, 1000])
def test_blocks_cover_every_item_once_in_order(n_items, at_least, monkeypatch):
    monkeypatch.setattr(_threads, "n_threads", lambda: 3)
    blocks = run_blocks(lambda i, j: (i, j), n_items, at_least=at_least)
    assert [i for start, stop in blocks for i in range(start, stop)] == list(range(n_items))
    assert len(blocks) <= 3
    if len(blocks) > 1:
        assert min(stop - start for start, stop in blocks) >= at_least


def test_an_error_in_a_thread_reaches_the_caller(monkeypatch):
    monkeypatch.setattr(_threads, "n_threads", lambda: 2)

    def fail(start, stop):
        raise ZeroDivisionError(f"{start} to {stop}")

    with pytest.raises(ZeroDivisionError, match="0 to 5"):
        run_blocks(fail, 10)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [("1", 1), ("1,2", 1), ("0", 1), ("100000", None), ("many", None), ("", None)],
)
def test_omp_num_threads_bounds_the_threads(wanted, expected, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    available = n_threads.__wrapped__()
    assert available >= 1
    monkeypatch.setenv("OMP_NUM_THREADS", wanted)
    assert n_threads.__wrapped__() == (expected or available)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_number_of_threads_changes_no_number(threads, monkeypatch, one_blas_thread):
    X, y = classification()
    x = np.random.default_rng(0).random((300, 1000))
    model = RNNELMClassifier(64, alpha=1e-2, random_state=0).fit(X, y)
    expected = Cluster().zeta(x), model.decision_function(X)
    monkeypatch.setattr(_threads, "n_threads", lambda: threads)
    again = RNNELMClassifier(64, alpha=1e-2, random_state=0).fit(X, y)
    np.testing.assert_allclose(Cluster().zeta(x), expected[0], rtol=1e-15)
    np.testing.assert_allclose(again.decision_function(X), expected[1], atol=1e-10)


def test_an_update_while_another_thread_begins_to_predict_is_not_lost():
    class Interrupted(RNNELMClassifier):
        """Lets an update in just after a reader has taken what was learned."""

        @property
        def learned_(self):
            state, hook = self.__dict__["_state"], self.__dict__.pop("_hook", None)
            if hook is not None:
                hook()
            return state

        @learned_.setter
        def learned_(self, state):
            self.__dict__["_state"] = state

    X, y = load_digits(return_X_y=True)
    model = Interrupted(30, alpha=0.1, random_state=0)
    model.partial_fit(X[:300], y[:300], classes=range(10))
    whole = model.fresh().partial_fit(X[:300], y[:300]).partial_fit(X[300:], y[300:])

    def update():
        thread = threading.Thread(target=lambda: model.partial_fit(X[300:], y[300:]))
        thread.start()
        thread.join()

    model.__dict__["_hook"] = update
    model.predict(X[:1])
    np.testing.assert_array_equal(model.readout_coef_, whole.readout_coef_)
