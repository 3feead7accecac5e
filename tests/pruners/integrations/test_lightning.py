"""Masks in a Lightning `Trainer`: steps, accumulated gradients, checkpoints, resuming."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

pytest.importorskip("lightning")

import lightning.pytorch as pl
from lightning.pytorch.callbacks import ModelCheckpoint, StochasticWeightAveraging

from pruners.integrations.lightning import PruningCallback

pytestmark = [
    # The library asks for more workers, and for every callback of a checkpoint, than tests want,
    # and calls a function that torch has deprecated.
    pytest.mark.filterwarnings(
        "ignore:(The 'train_dataloader' does not|Be aware that when using `ckpt_path`)"
    ),
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec, LeafSpec:FutureWarning"),
]


class Net(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.Linear(8, 3))

    def training_step(self, batch, _):
        x, y = batch
        return nn.functional.cross_entropy(self.body(x), y)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.05, weight_decay=0.1)


def net() -> Net:
    torch.manual_seed(0)
    return Net()


def loader() -> DataLoader:
    draws = torch.Generator().manual_seed(1)
    x, y = torch.rand(24, 6, generator=draws), torch.randint(3, (24,), generator=draws)
    return DataLoader(TensorDataset(x, y), batch_size=4)


def trainer(tmp_path, *callbacks, **options) -> pl.Trainer:
    chosen = {"max_epochs": 2, **options}
    return pl.Trainer(
        accelerator="cpu", devices=1, logger=False, callbacks=[*callbacks],
        enable_progress_bar=False, enable_model_summary=False, default_root_dir=tmp_path,
        enable_checkpointing=any(isinstance(one, ModelCheckpoint) for one in callbacks), **chosen,
    )  # fmt: skip


def zeros(model: nn.Module) -> int:
    return int((model.get_parameter("body.2.weight") == 0).sum())


def test_the_masks_are_held_and_the_sparsity_is_exact(tmp_path):
    model, callback = net(), PruningCallback(0.5, saliency="magnitude", end=0.7)
    trainer(tmp_path, callback).fit(model, loader())
    assert list(callback.masks.kept) == ["body.2.weight"]
    assert callback.masks.requested == 0.5
    assert zeros(model) == 32
    assert list(model.state_dict()) == list(net().state_dict())


def test_averaging_weights_does_not_bring_removed_ones_back(tmp_path):
    model, callback = net(), PruningCallback(0.5, end=1.0)
    averaging = StochasticWeightAveraging(swa_lrs=0.01, swa_epoch_start=1)
    with pytest.warns(UserWarning, match="removed weights had come back .* are zero again"):
        trainer(tmp_path, callback, averaging, max_epochs=3).fit(model, loader())
    assert zeros(model) == 32


@pytest.mark.parametrize(("batches", "steps"), [(1, 12), (3, 4), (4, 4)])
def test_steps_are_those_of_the_optimizer_when_gradients_are_accumulated(tmp_path, batches, steps):
    callback = PruningCallback(0.5, end=1.0)
    trainer(tmp_path, callback, accumulate_grad_batches=batches).fit(net(), loader())
    state = callback.pruning.state_dict()
    assert (state["step"], state["end"]) == (steps, steps)


@pytest.mark.parametrize("reenter", [False, True])
def test_resumed_training_ends_as_training_that_never_stopped(tmp_path, reenter):
    def callback() -> PruningCallback:
        return PruningCallback(0.75, end=0.9, frequency=2, reenter=reenter)

    whole, first = net(), callback()
    saving = ModelCheckpoint(tmp_path, filename="{step}", save_top_k=-1, every_n_epochs=1)
    trainer(tmp_path, first, saving, max_epochs=3).fit(whole, loader())
    again, second = net(), callback()
    trainer(tmp_path, second, max_epochs=3).fit(again, loader(), ckpt_path=tmp_path / "step=6.ckpt")
    assert 0 < torch.load(tmp_path / "step=6.ckpt")["state_dict"]["body.2.weight"].eq(0).sum() < 48
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    assert torch.equal(first.masks.kept["body.2.weight"], second.masks.kept["body.2.weight"])
    assert zeros(again) == 48


def test_a_checkpoint_loads_into_the_plain_module(tmp_path):
    model = net()
    saving = ModelCheckpoint(tmp_path, filename="last")
    trainer(tmp_path, PruningCallback(0.5, schedule="constant"), saving).fit(model, loader())
    loaded = Net.load_from_checkpoint(tmp_path / "last.ckpt")
    assert zeros(loaded) == 32
    assert torch.equal(loaded.body[2].weight, model.body[2].weight)


def test_training_that_ends_early_says_so(tmp_path):
    with pytest.warns(UserWarning, match="reached sparsity .* of 0.5 when the loop ended after 12"):
        trainer(tmp_path, PruningCallback(0.5, steps=50)).fit(net(), loader())


def test_what_cannot_work_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="saliency called 'magnitud'"):
        PruningCallback(0.5, saliency="magnitud")
    with pytest.raises(ValueError, match="parsity"):
        PruningCallback(1.0)
    with pytest.raises(ValueError, match="before training"):
        PruningCallback(0.5).masks  # noqa: B018
    with pytest.raises(ValueError, match="number of optimizer steps"):
        trainer(tmp_path, PruningCallback(0.5), max_epochs=-1, max_time={"seconds": 1}).fit(
            net(), loader()
        )


def test_two_optimizers_are_one_too_many(tmp_path):
    class Two(Net):
        automatic_optimization = False

        def configure_optimizers(self):
            return [torch.optim.SGD(self.parameters(), lr=0.1) for _ in range(2)]

    with pytest.raises(ValueError, match="configures 2: use"):
        trainer(tmp_path, PruningCallback(0.5)).fit(Two(), loader())
