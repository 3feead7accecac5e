"""BackSelect on a model of three pixels, and on small nets: order, curve, and models crossed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from audit.evidence.errors import ConfigError
from audit.study.backselect import removal, share_kept
from audit.study.config_file import load_config
from audit.study.run import run
from audit.study.status import stages

WEIGHTS = torch.tensor([0.1, 0.6, 0.0, 0.3])


def confidence(inputs: torch.Tensor) -> torch.Tensor:
    return inputs.flatten(1) @ WEIGHTS


@pytest.mark.parametrize("size", [1, 3, 100])
def test_the_least_missed_goes_first(size: int) -> None:
    """Four pixels that add .1, .6, 0 and .3: hidden as 2, 0, 3, 1, which leaves 1, .9, .6, 0."""
    order, curve = removal(confidence, torch.ones(1, 2, 2), 1, size)
    assert order.tolist() == [2, 0, 3, 1]
    np.testing.assert_allclose(curve, [1, 1, 0.9, 0.6, 0], atol=1e-6)


def test_two_at_a_time_and_equal_ones_by_index() -> None:
    order, curve = removal(lambda x: confidence(x) * 0 + 0.5, torch.ones(1, 2, 2), 3, 100)
    assert order.tolist() == [0, 1, 2, 3]
    assert curve.tolist() == [0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ("curve", "step", "share"),
    [
        ([1, 1, 0.9, 0.6, 0], 1, 0.5),  # two of four pixels may go
        ([1, 0.8, 1, 1, 1], 1, 1.0),  # below at once: what comes back later does not count
        ([0.5, 0.5, 0.5], 3, 0.0),  # nothing is needed
    ],
)
def test_share_kept_by_hand(curve: list[float], step: int, share: float) -> None:
    assert share_kept(np.array(curve), 4, step) == share


CONFIG = """
name: pixels
data: {source: digits, limit: {train: 60, test: 40}}
population:
  seeds: 1
  controls: false
  training: {epochs: 2, optimizer: adam, lr: 0.003, batch_size: 32}
  sparsities: [0.5]
shifts: {backselect: {examples: 2, step: 4}}
execute: {backend: in_process}
"""


def test_tables_beside_the_evidence(tmp_path: Path) -> None:
    path = tmp_path / "pixels.yaml"
    path.write_text(CONFIG)
    config = load_config(path).model_copy(update={"store": str(tmp_path / "runs")})
    result = run(config, base=tmp_path, until="predictions")
    assert result.missing == ()
    table = pd.read_parquet(result.folder / "evidence" / "informative.parquet")
    assert table["model"].tolist() == ["dense-0"] * 2 + ["magnitude-0.5-0"] * 2
    assert [sorted(order) for order in table["order"]] == [list(range(64))] * 4
    assert table["curve"].map(len).tolist() == [64 // 4 + 1] * 4
    assert table["share_kept"].between(0, 1).all()
    across = pd.read_parquet(result.folder / "evidence" / "informative_across.parquet")
    assert len(across) == 2 * 2 * 2
    own = across[across["informative_to"] == across["model"]].set_index(["model", "example"])
    for row in table.itertuples():  # 6 of 64 pixels are between the curve's points at 4 and 8
        near = row.curve[-3:-1]
        found = own.loc[(row.model, row.example), "confidence"]
        assert found == pytest.approx(np.mean(near), abs=np.ptp(near) + 0.1)
    # its probabilities on whole images are those of the predictions
    parts = result.folder / "evidence" / "predictions" / "clean@0" / "dense-0.parquet"
    part = pd.read_parquet(parts).set_index("example")
    whole = table[table["model"] == "dense-0"].set_index("example")
    said = [part.loc[name, "probabilities"][row.label] for name, row in whole.iterrows()]
    np.testing.assert_allclose(whole["confidence"], said, atol=1e-5)
    done = {stage.stage: (stage.done, stage.total) for stage in stages(config, tmp_path)}
    assert done["probes"] == (2, 2)
    assert not run(config, base=tmp_path, until="predictions").published.fresh


def test_more_inputs_than_minutes_allow(tmp_path: Path) -> None:
    """Of 40 test images 784² / 2 inputs each are 12,293,120; in steps of two, half as many."""
    values = yaml.safe_load(CONFIG)
    values["shifts"]["backselect"] = {"examples": 100, "step": 1}
    values["data"] = {"source": "big:data"}
    (tmp_path / "pixels.yaml").write_text(yaml.safe_dump(values))
    (tmp_path / "big.py").write_text(
        "import numpy as np\n"
        "def data():\n"
        "    return np.zeros((200, 28, 28, 1), np.uint8), np.arange(200) % 2\n"
    )
    config = load_config(tmp_path / "pixels.yaml")
    config = config.model_copy(update={"store": str(tmp_path / "runs")})
    with pytest.raises(ConfigError, match=r"12,293,120 inputs: raise its step from 1 to 2"):
        run(config, base=tmp_path, until="predictions")
