"""What all tests share: how Hypothesis searches, and BLAS held to one thread."""

import pytest
from hypothesis import HealthCheck, settings
from threadpoolctl import threadpool_limits

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
