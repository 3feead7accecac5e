"""Recalibration: statistics by hand, everything else as it was, and accuracy that comes back."""

from __future__ import annotations

import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from pruners import Method, Training, build_seeded, prune, prune_and_retrain, train
from pruners.accuracy import measure_accuracy
from pruners.recalibration import recalibrate


def test_statistics_are_the_average_over_the_batches():
    model = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(2))
    x = torch.tensor([[1.0, 0.0], [3.0, 4.0], [5.0, 8.0], [7.0, 12.0]])
    done = recalibrate(model, x, batch_size=4, seed=0)
    torch.testing.assert_close(model[1].running_mean, torch.tensor([4.0, 6.0]))
    torch.testing.assert_close(model[1].running_var, x.var(0))
    assert (done.layers, done.batches, done.examples) == (("1",), 1, 4)
    # Two batches: the mean of two means, whatever the momentum is.
    done = recalibrate(model, x, batch_size=2, seed=0)
    assert done.batches == 2
    torch.testing.assert_close(model[1].running_mean, torch.tensor([4.0, 6.0]))
    assert "4 training examples in 2 batches" in done.note


def test_only_the_statistics_change(net):
    net.append(nn.Dropout(0.5))
    net.train()
    net[5].eval()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    recalibrate(net, torch.rand(40, 1, 4, 4), batches=2, batch_size=8, seed=3)
    changed = {n for n, t in net.state_dict().items() if not torch.equal(before[n], t)}
    assert changed == {"1.running_mean", "1.running_var", "1.num_batches_tracked"}
    assert net[1].momentum == 0.1
    assert net[1].training
    assert not net[5].training


def test_equal_seeds_draw_equal_examples_and_prepare_is_used(net):
    found = []
    x = torch.randint(0, 255, (64, 1, 4, 4), dtype=torch.uint8)
    for seed in (1, 1, 2):
        recalibrate(net, x, lambda batch: batch / 255, batches=1, batch_size=8, seed=seed)
        found.append(net[1].running_mean.clone())
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
    assert found[0].abs().max() < 5


def test_a_model_without_batch_norm_gets_a_note():
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2, track_running_stats=False))
    done = recalibrate(model, torch.rand(4, 2), seed=0)
    assert done.layers == ()
    assert "no batch-norm" in done.note


def test_too_little_is_refused(net):
    for inputs, options in (
        (torch.rand(1, 1, 4, 4), {}),
        (torch.rand(4, 1, 4, 4), {"batches": 0}),
        (torch.rand(4, 1, 4, 4), {"batch_size": 1}),
    ):
        with pytest.raises(ValueError, match="at least, got"):
            recalibrate(net, inputs, seed=0, **options)
    # Of three in pairs one is left over, and of one alone there is no variance.
    assert recalibrate(nn.BatchNorm1d(2), torch.rand(3, 2), batch_size=2, seed=0).examples == 2


def test_accuracy_comes_back_after_heavy_pruning():
    digits = load_digits()
    x = torch.tensor(digits.images, dtype=torch.float32)[:, None] / 16
    y = torch.tensor(digits.target)
    model = build_seeded("cnn", (1, 8, 8), 10, seed=0)
    train(model, x[:1200], y[:1200], Training(epochs=8), seed=0)
    pruned = prune(model, 0.8)
    before = measure_accuracy(pruned, x[1200:], y[1200:])
    recalibrate(pruned, x[:1200], seed=0)
    after = measure_accuracy(pruned, x[1200:], y[1200:])
    assert after.top1 > before.top1 + 0.05
    assert after.n == 597


def test_a_method_recalibrates_after_its_retraining_and_says_so():
    x, y = torch.rand(48, 1, 8, 8), torch.randint(4, (48,))
    parent = build_seeded("cnn", (1, 8, 8), 4, seed=0, width=2).eval()
    one_shot = {"schedule": "one_shot", "retraining": "none"}
    plain = prune_and_retrain(parent, x, y, Method(**one_shot), 0.5, Training(), seed=0)
    method = Method(**one_shot, recalibrate=True)
    again = prune_and_retrain(parent, x, y, method, 0.5, Training(), seed=0)
    changed = {
        name.rpartition(".")[2]
        for name, tensor in again.model.state_dict().items()
        if not torch.equal(tensor, plain.model.state_dict()[name])
    }
    assert changed == {"running_mean", "running_var", "num_batches_tracked"}
    assert "estimated anew on 48" in again.masks.notes[-1]
    assert not any("estimated anew" in note for note in plain.masks.notes)
    assert again.sparsities == plain.sparsities


def test_inputs_that_are_not_finite_are_refused_and_leave_the_statistics(net):
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    x = torch.rand(8, 1, 4, 4)
    x[3, 0, 1, 1] = torch.nan
    with pytest.raises(ValueError, match="statistics of batch-norm '1' would not be finite"):
        recalibrate(net, x, seed=0)
    assert all(torch.equal(before[n], t) for n, t in net.state_dict().items())
