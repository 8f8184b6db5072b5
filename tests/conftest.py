"""Hypothesis profiles and BLAS threads of the test suite."""

import os

# On matrices as small as the tests', more threads only wait for one another, at many times the
# processor time.  Before NumPy is imported, and for processes that tests start; a value that is
# already set stays, so that the suite can be run with more.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings
from threadpoolctl import threadpool_limits

from densernn.cli import entry

# The suite gives one verdict for one version; --hypothesis-profile=thorough looks further.
_quick = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("quick", max_examples=40, derandomize=True, **_quick)
settings.register_profile("thorough", max_examples=1000, **_quick)
settings.load_profile("quick")


@pytest.fixture
def one_blas_thread():
    """For results that are compared to the last bit, or to what rounding of one order leaves."""
    with threadpool_limits(1, user_api="blas"):
        yield


@pytest.fixture
def call(capsys):
    """Run a command that must succeed and say nothing on stderr; return what it printed."""

    def called(*args):
        status = entry.run([str(arg) for arg in args])
        out, err = capsys.readouterr()
        assert (status, err) == (0, "")
        return out

    return called


@pytest.fixture
def refuse(capsys):
    """Run a command that must be refused in one line on stderr; return that line."""

    def refused(*args):
        status = entry.run([str(arg) for arg in args])
        out, err = capsys.readouterr()
        assert (status, out) == (2, "")
        assert err.startswith("densernn: ")
        assert err.count("\n") == 1
        assert "Traceback" not in err
        return err

    return refused
