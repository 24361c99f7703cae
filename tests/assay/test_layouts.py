"""Known layouts: a file each beside a dataset type's rules, with an example of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from assay.datasets import registry
from assay.detection import detect
from assay.detection.layouts import Layout
from assay.detection.names import fold_all
from assay.detection.rules import Rules
from assay.files import source_of
from assay.formats import Preview, preview
from tests.assay.analyses import Run

KNOWN = registry.rules()
FILES = [
    (info.dataset_type, path) for info in registry.datasets() for path in sorted(info.folder.glob("layouts/*.json"))
]
# A column a parameter: its station is the file, and its parameters are the headers.
WIDE = {"toa5_logger"}
COLUMNS = {
    "title": "T",
    "description": "D",
    "columns": [{"role": "amount", "exact": ["amount"], "holds": "number"}],
    "needs": [["amount"]],
}
LAYOUT = {"name": "x", "title": "an X file", "source": "https://example.org", "headers": ["a", "b"], "columns": {}}


def head_of(path: Path) -> Preview:
    return preview(source_of(path), lambda names: max(rules.header_score(names) for rules in KNOWN.values()))


def example_of(path: Path) -> Path:
    (example,) = path.parent.glob(f"{path.stem}.example.*")
    return example


@pytest.mark.parametrize(("dataset_type", "path"), FILES, ids=lambda one: getattr(one, "stem", one))
def test_the_example_is_of_its_layout_however_its_columns_are_ordered(dataset_type: str, path: Path) -> None:
    layout = next(one for one in KNOWN[dataset_type].layouts if one.name == path.stem)
    head = head_of(example_of(path))
    turned = Preview(head.columns[::-1], [row[::-1] for row in head.rows])
    for table in (head, turned):
        assert KNOWN[dataset_type].layout_of(table.columns) == layout
        if path.stem in WIDE:
            continue
        found = detect(table, KNOWN, None)
        assert (found.dataset_type, found.band, found.columns.layout) == (dataset_type, "sure", layout.title)
        # Every column that the layout names is in its example, and taken for what the layout says.
        assert {name for name, role in found.columns.roles.items() if role.how == "layout"} == layout.columns.keys()
        assert all(found.columns.roles[name].column for name, column in layout.columns.items() if column is not None)


@pytest.mark.parametrize(("dataset_type", "path"), FILES, ids=lambda one: getattr(one, "stem", one))
def test_no_example_is_of_another_layout_as_well(dataset_type: str, path: Path) -> None:
    names = {fold_all(name) for name in head_of(example_of(path)).columns}
    assert [one.name for one in KNOWN[dataset_type].layouts if one.matches(names)] == [path.stem]


def test_a_layout_that_is_not_right_is_loud() -> None:
    assert Layout.model_validate(LAYOUT)
    for change in ({"headers": ["a"]}, {"source": "heard it"}, {"columns": {"a": 1}}, {"more": 1}):
        with pytest.raises(ValidationError):
            Layout.model_validate(LAYOUT | change)
    assert Rules.model_validate(COLUMNS | {"layouts": [LAYOUT | {"columns": {"amount": "b"}}]})
    with pytest.raises(ValidationError, match="total"):
        Rules.model_validate(COLUMNS | {"layouts": [LAYOUT | {"columns": {"total": "b"}}]})


def test_one_of_several_names_is_enough_and_a_missing_column_is_passed_over() -> None:
    layout = Layout.model_validate(LAYOUT | {"headers": ["a", ["b", "B two"]], "columns": {"amount": ["B two", "b"]}})
    rules = Rules.model_validate(COLUMNS | {"layouts": [layout.model_dump()]})
    for second in ("b", "b-TWO"):
        found = detect(Preview(("a", second), [["x", "1"]]), {"t": rules}, None)
        assert (found.columns.roles["amount"].column, found.columns.roles["amount"].how) == (second, "layout")
    assert rules.layout_of(("a", "c")) is None


def test_what_a_person_says_goes_before_the_layout() -> None:
    path = next(path for _, path in FILES if path.stem == "paypal")
    found = detect(head_of(example_of(path)), KNOWN, None, {"amount": "Net"})
    assert (found.columns.roles["revenue"].column, found.columns.roles["revenue"].how) == ("Net", "given")
    assert found.columns.roles["currency"].how == "layout"


def test_the_facts_of_a_layout_are_defaults_of_the_parameters(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = Layout.model_validate(
        LAYOUT
        | {"headers": ["order_date", "revenue"], "columns": {}, "parameters": {"top": 7}, "note": "Mind the gap."}
    )
    rules = registry.rules_of(registry.for_type("transactions")).model_copy(update={"layouts": (facts,)})
    monkeypatch.setattr(registry, "rules", lambda: {**KNOWN, "transactions": rules})
    monkeypatch.setattr(registry, "rules_of", lambda _info: rules)
    text = "order_id,order_date,customer_id,revenue\n1,2025-01-01,a,5\n2,2025-01-02,b,6\n"
    analysis = run(text)
    assert analysis.parameters["top"] == 7
    assert run(text, {"top": 9}).parameters["top"] == 9
    manifest = json.loads(analysis.outputs[-1].path.read_text())
    assert manifest["detection"]["layout"] == "an X file"
    assert manifest["detection"]["columns"]["revenue"] == {"column": "revenue", "how": "named", "position": 4}
    page = next(output for output in analysis.outputs if output.name == "dashboard.html").path.read_text()
    assert "Mind the gap." in page
