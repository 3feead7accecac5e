import json
from dataclasses import fields
from pathlib import Path

import jsonschema
import pytest

from audit.judgement.document import findings_schema
from audit.judgement.findings import Finding
from audit.judgement.measures import MEASURES

PUBLISHED = Path(__file__).parents[3] / "docs" / "findings.schema.json"


def test_the_published_schema_is_this_one():
    assert json.loads(PUBLISHED.read_text()) == findings_schema()


def test_it_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(findings_schema())


def test_every_field_of_a_finding_is_in_it_and_no_other():
    schema = findings_schema()["properties"]["findings"]["items"]
    names = [f.name.rstrip("_") for f in fields(Finding)]
    assert list(schema["properties"]) == names
    assert schema["required"] == names


def test_it_knows_every_unit_and_direction():
    finding = findings_schema()["properties"]["findings"]["items"]["properties"]
    assert {m.unit for m in MEASURES.values()} <= set(finding["unit"]["enum"])
    assert {m.worse_direction for m in MEASURES.values()} <= set(finding["worse_direction"]["enum"])


@pytest.mark.parametrize(
    ("key", "value"), [("outcome", "fine"), ("p", 1.5), ("n", -1), ("id", "x")]
)
def test_a_wrong_value_is_refused(key, value):
    record = Finding(id="0" * 12, measure="recall", unit="fraction").record() | {key: value}
    schema = findings_schema()["properties"]["findings"]["items"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(record, schema)
