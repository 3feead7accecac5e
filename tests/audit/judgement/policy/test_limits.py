import jsonschema
import pytest
from pydantic import BaseModel, ValidationError

from audit.judgement.measures import MEASURES
from audit.judgement.policy.limits import BESIDE_LIMITS, LIMITS, Limit, Policy


def test_the_three_forms_of_a_limit():
    policy = Policy.model_validate(
        {
            "max_accuracy_drop": 0.01,
            "max_group_fpr_increase": {"limit": 0.02, "groups": "any", "owner": "Ada"},
            "min_recall": [0.5, {"limit": 0.9, "class": 8, "condition": "fog", "severity": 3}],
        }
    )
    drop, rise, low, high = policy.stated()
    assert (drop.kind.name, drop.limit.limit, drop.condition) == (
        "max_accuracy_drop",
        0.01,
        "clean",
    )
    assert (drop.groups, drop.class_) == (None, None)
    assert (rise.groups, rise.limit.owner) == ("any", "Ada")
    assert (low.class_, low.limit.limit) == ("any", 0.5)
    assert (high.class_, high.condition, high.limit.severity) == ("8", "fog", 3.0)
    assert high.record()["class"] == "8"


def test_every_limit_is_a_field_about_a_known_measure():
    assert set(Policy.model_fields) == {*LIMITS, *BESIDE_LIMITS}
    for name, kind in LIMITS.items():
        assert kind.name == name
        assert kind.measure in MEASURES
        level = MEASURES[kind.measure].level
        assert level is (kind.bound in ("floor", "ceiling"))
        worse = MEASURES[kind.measure].worse_direction
        # which way `value` is worse is the plan's to say: down where it says nothing
        assert worse == ("down" if kind.bound in ("drop", "floor", "worsening") else "up")


def test_an_unknown_limit_is_refused_with_the_nearest():
    with pytest.raises(ValidationError, match=r"'max_acuracy_drop'.*'max_accuracy_drop'"):
        Policy.model_validate({"max_acuracy_drop": 0.01})


def test_its_place_survives_nesting():
    class Config(BaseModel):
        policy: Policy

    with pytest.raises(ValidationError) as caught:
        Config.model_validate({"policy": {"max_acuracy_drop": 0.01}})
    assert caught.value.errors()[0]["loc"] == ("policy", "max_acuracy_drop")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a lot", "a number or a mapping"),
        (True, "a number or a mapping"),
        ([], "an empty list"),
        (1.5, "less than or equal to 1"),
        (-0.1, "greater than or equal to 0"),
        (float("nan"), "finite|less than|greater than"),
        ({"limitt": 0.1}, "Extra inputs|required"),
        ({"limit": 0.1, "sparsity": 1.0}, "less than 1"),
    ],
)
def test_wrong_limits_are_refused(value, text):
    with pytest.raises(ValidationError, match=text):
        Policy.model_validate({"max_accuracy_drop": value})


def test_a_policy_survives_json_and_its_schema_knows_yaml():
    stated = {"min_recall": [0.5, {"limit": 0.9, "class": "8"}], "max_ece": 0.1}
    policy = Policy.model_validate(stated)
    again = policy.model_dump(mode="json", by_alias=True)
    assert Policy.model_validate(again) == policy
    jsonschema.validate(stated, Policy.model_json_schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"max_ece": "high"}, Policy.model_json_schema())


def test_python_may_say_class_():
    assert Limit(limit=0.1, class_="a") == Limit.model_validate({"limit": 0.1, "class": "a"})
