"""What ``import densernn`` costs and gives."""

import subprocess
import sys
import time
from types import ModuleType

import pytest

import densernn

HEAVY = (
    "torch",
    "dask",
    "onnx",
    "onnxruntime",
    "matplotlib",
    "pandas",
    "sklearn",
    "scipy",
    "numba",
    "pyarrow",
    "pooch",
    "requests",
    "filelock",
)


def loaded_by(code):
    """Names of the modules that are loaded after running code in a new process."""
    code += "\nimport sys; print('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    return set(done.stdout.split())


def test_importing_is_fast():
    def seconds(code):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
        return time.perf_counter() - start

    # The best of three: the machine may be busy.
    assert min(seconds("import densernn") for _ in range(3)) < 1.5


def test_importing_loads_nothing_heavy():
    loaded = loaded_by("import densernn")
    assert "densernn" in loaded
    assert not loaded & set(HEAVY)


def test_a_model_learns_and_predicts_without_optional_packages():
    # Hidden rather than looked for: skops imports all of scikit-learn, which imports what it finds.
    loaded = loaded_by(
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name in ('torch', 'dask', 'distributed', 'onnxruntime', 'matplotlib'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "from densernn import *\n"
        "RNNELMClassifier(5).fit([[0.0], [1.0]] * 9, [0, 1] * 9).predict([[0.5]])"
    )
    assert {"densernn.estimators", "sklearn"} <= loaded


@pytest.mark.parametrize("name", densernn.__all__)
def test_every_public_name_resolves_and_is_listed(name):
    assert getattr(densernn, name) is getattr(densernn, name)
    assert name == "__version__" or name in dir(densernn)


def test_public_names_stand_once_and_are_documented():
    assert len(set(densernn.__all__)) == len(densernn.__all__)
    for name in set(densernn.__all__) - {"__version__"}:
        value = getattr(densernn, name)
        assert value.__doc__, name
        home = value.__name__ if isinstance(value, ModuleType) else value.__module__
        assert home.startswith("densernn."), name


def test_the_rooms_that_users_reach_are_attributes():
    code = "import densernn; print(*[getattr(densernn, n).__name__ for n in {!r}])"
    rooms = ("datasets", "paper", "plotting", "solvers")
    done = subprocess.run(
        [sys.executable, "-c", code.format(rooms)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [f"densernn.{room}" for room in rooms]


def test_the_version_is_that_of_the_distribution():
    from importlib.metadata import version

    assert densernn.__version__ == version("densernn")


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="No densernn attribute RNN"):
        _ = densernn.RNN
    with pytest.raises(ImportError, match="cannot import name 'RNN'"):
        exec("from densernn import RNN")


def test_import_star_replaces_no_module_of_another_name():
    names = {}
    exec("from sklearn import datasets\nfrom densernn import *", names)
    assert names["datasets"].__name__ == "sklearn.datasets"
    assert names["RNNELMClassifier"] is densernn.RNNELMClassifier
    assert {"__version__", "datasets", "load"} <= set(dir(densernn))
