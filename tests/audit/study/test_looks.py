"""The ledger: another audit of the same test examples is another look, the same one is not."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from audit.evidence.errors import StoreError
from audit.study.looks import fingerprint_of_test, note_look, say_look


def test_looks_by_hand(tmp_path: Path) -> None:
    """Policies 1, 2, again 1, then other data: looks 1, 2, 1, 1; another name is another audit."""
    judged = [{"policy": limit} for limit in (1, 2, 1)]
    assert [note_look(tmp_path, "a", "mnist", one) for one in judged] == [1, 2, 1]
    assert note_look(tmp_path, "a", "digits", judged[0]) == 1
    assert note_look(tmp_path, "b", "mnist", judged[0]) == 3
    assert note_look(tmp_path, "a", "mnist", judged[1]) == 2
    assert len(list((tmp_path / "ledger").iterdir())) == 4  # whole files, and no scratch


def test_a_broken_entry_is_named(tmp_path: Path) -> None:
    note_look(tmp_path, "a", "mnist", {})
    entry = next((tmp_path / "ledger").iterdir())
    entry.write_text('{"data": "mnist"')
    with pytest.raises(StoreError, match=f"{entry.name} is no entry of the ledger: delete it"):
        note_look(tmp_path, "a", "mnist", {"policy": 1})


@pytest.mark.parametrize(
    ("look", "planned", "words"),
    [
        (1, 1, None),
        (2, 3, "number 2 of the 3"),
        (3, 3, "number 3 of the 3"),
        (4, 3, "allow for 3 "),
    ],
)
def test_what_is_said(look: int, planned: int, words: str | None) -> None:
    said = say_look(look, planned)
    assert said is None if words is None else words in str(said)


def test_test_examples_are_known_by_id_and_label_in_any_order(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"example": ["a", "b", "c"], "split": ["test", "test", "train"], "label": [0, 1, 1]}
    )

    def told(table: pd.DataFrame) -> str:
        table.to_parquet(tmp_path / "examples.parquet")
        return fingerprint_of_test(tmp_path)

    first = told(frame)
    assert told(frame.iloc[::-1]) == first
    assert told(frame.assign(label=[0, 1, 0])) == first  # a training label
    assert told(frame.assign(label=[1, 1, 1])) != first
    assert told(frame.assign(example=["a", "x", "c"])) != first
