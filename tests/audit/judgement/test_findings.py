import json
from dataclasses import fields, replace

import numpy as np
import pandas as pd
import pytest

from audit.evidence.errors import InputError
from audit.judgement.document import Findings as from_document
from audit.judgement.findings import (
    EXEMPLAR_COLUMNS,
    SCHEMA,
    Finding,
    Findings,
    finding_id,
    no_exemplars,
)

ONE = Finding(
    id=finding_id(measure="recall", class_="é"),
    measure="recall",
    unit="fraction",
    class_="é",
    parent=0.1,
    change=1 / 3,
    n=7,
)


def made(*findings, exemplars=None):
    rows = no_exemplars() if exemplars is None else exemplars
    return Findings({"version": "1"}, {"limits": []}, findings or (ONE,), rows)


def test_an_id_depends_on_the_question_only():
    assert ONE.id == finding_id(class_="é", measure="recall")
    assert replace(ONE, change=0.5).id == ONE.id
    assert finding_id(measure="recall") != finding_id(measure="recall", class_="a")


def test_what_is_written_is_read_again(tmp_path):
    rows = pd.DataFrame(
        [[3, "m", 0.5, "a", "a", "b", "harmed", 1.5]], columns=list(EXEMPLAR_COLUMNS)
    )
    findings = made(ONE, replace(ONE, class_=None, id="0" * 12), exemplars=rows)
    findings.write(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["exemplars.parquet", "findings.json"]
    for path in (tmp_path, tmp_path / "findings.json", str(tmp_path)):
        again = Findings.read(path)
        assert again.findings == findings.findings
        assert again.to_json() == findings.to_json()
        pd.testing.assert_frame_equal(again.exemplars, rows)


def test_bytes_are_the_same_every_time(tmp_path):
    for name in ("one", "two"):
        made().write(tmp_path / name)
    for file in ("findings.json", "exemplars.parquet"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_json_is_the_contract():
    document = json.loads(made().to_json())
    assert document["schema"] == SCHEMA
    (record,) = document["findings"]
    assert record["class"] == "é"
    assert "class_" not in record
    assert record["pruned"] is None
    assert "é" in made().to_json()


def test_nan_never_gets_into_a_file():
    with pytest.raises(ValueError, match="JSON compliant"):
        made(replace(ONE, change=float("nan"))).to_json()


def test_a_frame_has_a_column_per_key():
    frame = made().frame()
    assert list(frame) == [f.name.rstrip("_") for f in fields(Finding)]
    assert frame.loc[0, "class"] == "é"
    assert frame.loc[0, "change"] == pytest.approx(1 / 3)
    assert np.isnan(frame["pruned"].astype(float)).all()
    empty = Findings({}, {}, (), no_exemplars()).frame()
    assert list(empty) == list(frame)
    assert len(frame.query("measure == 'recall' and outcome == 'no_limit'")) == 1


def test_without_exemplars_beside_it(tmp_path):
    made().write(tmp_path)
    (tmp_path / "exemplars.parquet").unlink()
    assert list(Findings.read(tmp_path).exemplars) == list(EXEMPLAR_COLUMNS)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "is not JSON"),
        ("[]", "holds no findings but a list"),
        ("{}", "its schema is None"),
        ('{"schema": "else/1"}', "its schema is 'else/1'"),
        ('{"schema": "prune-audit/findings/2"}', "later version .schema 2, this one reads 1."),
        ('{"schema": "prune-audit/findings/1"}', "has no key 'run'"),
        (
            '{"schema": "prune-audit/findings/1", "run": {}, "policy": {}, "findings": [{"a": 1}]}',
            "a finding that is not one",
        ),
    ],
)
def test_what_is_no_findings_file_is_refused(tmp_path, text, problem):
    path = tmp_path / "findings.json"
    path.write_text(text)
    with pytest.raises(InputError, match=problem):
        Findings.read(tmp_path)


def test_nothing_there(tmp_path):
    with pytest.raises(InputError, match="Cannot read"):
        Findings.read(tmp_path)


def test_both_modules_name_the_same_class():
    assert from_document is Findings
