"""The examples of CONTRIBUTING.md: each runs as printed."""

import re
from pathlib import Path

import pytest

from densernn.solvers import SOLVERS
from densernn.sources.formats.find import FORMATS

TEXT = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTIONS = re.findall(r"^### (.+?)\n(.*?)(?=^##|\Z)", TEXT, re.DOTALL | re.MULTILINE)
TITLES = ["A solver", "A layer", "An estimator", "A data set", "A source format"]


def test_each_kind_of_addition_has_one_example():
    assert [title for title, _ in SECTIONS] == TITLES
    assert all(text.count("```python") == 1 for _, text in SECTIONS)


@pytest.fixture
def tables():
    """Tables that examples add their line to; each is put back afterwards."""
    tables = [SOLVERS, FORMATS]
    before = [dict(table) for table in tables]
    yield tables
    for table, known in zip(tables, before, strict=True):
        table.clear()
        table.update(known)


@pytest.mark.parametrize(("title", "text"), SECTIONS, ids=TITLES)
def test_example_runs(title, text, tables, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL).group(1)
    exec(compile(code, f"CONTRIBUTING.md, {title}", "exec"), {"__name__": "example"})
