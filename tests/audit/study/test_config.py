"""A config that is wrong says file, line, key, value and the nearest valid name."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.evidence.errors import ConfigError
from audit.study.config import Config
from audit.study.config_file import load_config, load_policy
from audit.study.demo import DEMO, STARTER

GOOD = "data: {source: digits}\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "audit.yaml"
    path.write_text(text)
    return path


def complaint(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(write(folder, text))
    return str(caught.value)


def test_defaults_need_only_data(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, GOOD))
    assert config.name == "audit"
    assert config.population.seed_list == (0, 1, 2, 3, 4, 5, 6)
    assert config.population.sparsities == (0.5, 0.8, 0.9, 0.95)


@pytest.mark.parametrize("path", [DEMO, STARTER])
def test_shipped_configs_are_valid(path: Path) -> None:
    assert load_config(path).data.source == "digits"


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no config file .*nope.yaml: run `prune-audit init"):
        load_config(tmp_path / "nope.yaml")


def test_syntax_error_names_the_line(tmp_path: Path) -> None:
    text = complaint(tmp_path, GOOD + "population:\n  seeds: [1, 2\n")
    assert "audit.yaml, line 4" in text
    assert "not valid YAML" in text


def test_unknown_key_offers_the_nearest(tmp_path: Path) -> None:
    text = complaint(tmp_path, GOOD + "population:\n  sparsitys: [0.5]\n")
    assert "audit.yaml, line 3, key population.sparsitys" in text
    assert "did you mean 'sparsities'?" in text


def test_unknown_key_at_the_top(tmp_path: Path) -> None:
    text = complaint(tmp_path, GOOD + "modle: {architecture: cnn}\n")
    assert "line 2" in text
    assert "did you mean 'model'?" in text


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("1.0", "less than 1"),
        ("-0.1", "greater than 0"),
        (".nan", "finite number"),
        ("lots", "valid number"),
    ],
)
def test_bad_sparsity(tmp_path: Path, value: str, word: str) -> None:
    text = complaint(tmp_path, GOOD + f"population:\n  sparsities: [0.5, {value}]\n")
    assert "line 3" in text
    assert "population.sparsities.1" in text
    assert word in text


def test_the_same_sparsity_twice(tmp_path: Path) -> None:
    text = complaint(tmp_path, GOOD + "population:\n  sparsities: [0.5, 0.50]\n")
    assert "0.5 is there twice" in text


@pytest.mark.parametrize("name", ["a/../../b", "a\\\\b", "a\\nb"])
def test_a_method_is_no_path(tmp_path: Path, name: str) -> None:
    text = complaint(tmp_path, GOOD + f'population:\n  methods: [{{name: "{name}"}}]\n')
    assert "leave out slashes and line breaks" in text
    assert "line 3" in text


def test_the_same_key_twice_would_drop_a_limit(tmp_path: Path) -> None:
    text = complaint(tmp_path, GOOD + "policy:\n  max_ece: 0.1\n  max_ece: 0.2\n")
    assert "line 4" in text
    assert "there already on line 3" in text


def test_unknown_limit_offers_the_nearest(tmp_path: Path) -> None:
    text = complaint(tmp_path, GOOD + "policy:\n  max_acuracy_drop: 0.1\n")
    assert "max_accuracy_drop" in text
    assert "line 3" in text


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words\n"])
def test_not_a_mapping(tmp_path: Path, text: str) -> None:
    assert "not a mapping" in complaint(tmp_path, text)


def test_no_data_section(tmp_path: Path) -> None:
    assert "'data' is needed" in complaint(tmp_path, "name: x\n")


def test_seeds(tmp_path: Path) -> None:
    assert "at least one seed" in complaint(tmp_path, GOOD + "population: {seeds: 0}\n")
    assert "named twice" in complaint(tmp_path, GOOD + "population: {seeds: [3, 3]}\n")


def test_training_and_methods_are_those_of_the_library() -> None:
    """The config mirrors `pruners`, so that reading a config needs no torch."""
    import dataclasses

    import pruners
    from audit.study.config import MethodSettings, TrainingSettings

    for settings, original in (
        (TrainingSettings, pruners.Training),
        (MethodSettings, pruners.Method),
    ):
        theirs = {f.name: f.default for f in dataclasses.fields(original)}
        fields = settings.model_fields.items()
        ours = {name: field.get_default(call_default_factory=True) for name, field in fields}
        if "arguments" in ours:  # a mapping here, pairs there
            assert tuple(ours.pop("arguments").items()) == theirs.pop("arguments")
        assert ours == theirs


def test_policy_in_a_file_of_its_own_or_inside_a_config(tmp_path: Path) -> None:
    alone = tmp_path / "limits.yaml"
    alone.write_text("max_accuracy_drop: 0.02\n")
    inside = write(tmp_path, GOOD + "policy:\n  max_accuracy_drop: 0.02\n")
    assert load_policy(alone) == load_policy(inside)
    assert len(load_policy(alone).stated()) == 1
    alone.write_text("max_accuracy_drop: 0.02\nmax_ecce: 1\n")
    with pytest.raises(ConfigError, match=r"limits\.yaml, line 2, .*max_ece"):
        load_policy(alone)


def test_two_methods_of_one_name_would_be_one_model(tmp_path: Path) -> None:
    from audit.study.layout import lay_out

    methods = "population:\n  methods: [{saliency: obd}, {saliency: obd, frequency: 5}]\n"
    with pytest.raises(ConfigError, match="two methods would be called 'obd'"):
        lay_out(load_config(write(tmp_path, GOOD + methods)), tmp_path)


# --- a policy in a file of its own ---------------------------------------------------------------


def test_a_policy_may_be_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    limits = tmp_path / "rules" / "limits.yaml"
    limits.write_text("max_accuracy_drop: 0.02\nlooks: 3\n")
    here = load_config(write(tmp_path, GOOD + "policy: {max_accuracy_drop: 0.02, looks: 3}\n"))
    there = load_config(write(tmp_path, GOOD + "policy: rules/limits.yaml\n"))
    assert there == here  # and so its results have the same names
    assert load_policy(tmp_path / "audit.yaml") == load_policy(limits) == here.policy


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("max_accuracy_drop: 0.02\nmax_acuracy_drop: 1\n", r"limits.yaml, line 2.*did you mean"),
        ("max_accuracy_drop: 2\n", r"limits.yaml, line 1, key max_accuracy_drop"),
        ("- 1\n", r"limits.yaml is not a mapping"),
    ],
)
def test_a_fault_in_a_policy_names_its_file(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "limits.yaml").write_text(text)
    with pytest.raises(ConfigError, match=complaint):
        load_config(write(tmp_path, GOOD + "policy: limits.yaml\n"))


def test_a_policy_file_that_is_not_there(tmp_path: Path) -> None:
    text = complaint(tmp_path, GOOD + "policy: limits.yaml\n")
    assert "audit.yaml, line 2, key policy: there is no file" in text


def test_a_path_means_nothing_without_a_config_file() -> None:
    with pytest.raises(ValueError, match=r"'limits.yaml', is read by load_config alone"):
        Config(data={"source": "digits"}, policy="limits.yaml")  # type: ignore[arg-type]
