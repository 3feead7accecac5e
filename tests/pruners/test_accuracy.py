"""Accuracy by hand: top-1, top-5, ties, and what is refused."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pruners.accuracy import Accuracy, measure_accuracy

LOGITS = torch.tensor(
    [
        [9.0, 1, 2, 3, 4, 5],  # top: 0; the five highest leave out 1
        [0.0, 0, 0, 0, 0, 0],  # ties by index: top 0, the five leave out 5
        [1.0, 2, 3, 4, 5, 6],
    ]
)


def test_by_hand():
    labels = torch.tensor([1, 4, 5])
    found = measure_accuracy(nn.Identity(), LOGITS, labels, batch_size=2)
    assert found == Accuracy(top1=1 / 3, top5=2 / 3, n=3)
    assert measure_accuracy(nn.Identity(), LOGITS, torch.tensor([0, 0, 0])).top1 == 2 / 3


def test_with_five_classes_top_five_says_nothing():
    found = measure_accuracy(nn.Identity(), LOGITS[:, :5], torch.tensor([0, 0, 4]))
    assert found == Accuracy(top1=1.0, top5=None, n=3)


def test_dropout_is_off_and_prepare_is_used():
    model = nn.Dropout(0.9).train()
    found = measure_accuracy(model, LOGITS, torch.tensor([1, 5, 0]), lambda x: x.flip(1))
    assert found.top1 == 1 / 3
    assert model.training


@pytest.mark.parametrize(
    ("inputs", "labels", "said"),
    [
        (LOGITS[:0], torch.zeros(0, dtype=torch.int64), "n of 1 or more"),
        (LOGITS, torch.tensor([1]), "n of 1 or more"),
        (LOGITS, torch.tensor([1, 2, 6]), "labels up to 6"),
        (LOGITS, torch.tensor([1, 2, -1]), "labels up to 2, from -1"),
        (LOGITS[:, :, None], torch.tensor([1, 2, 3]), "must return logits"),
    ],
)
def test_what_does_not_fit_is_refused(inputs, labels, said):
    with pytest.raises(ValueError, match=said):
        measure_accuracy(nn.Identity(), inputs, labels)


def test_a_model_that_returns_no_numbers_has_no_accuracy():
    logits = LOGITS.clone()
    logits[1, 2] = torch.nan
    with pytest.raises(ValueError, match=r"no numbers \(NaN\) for 1 of 3 examples"):
        measure_accuracy(nn.Identity(), logits, torch.tensor([1, 4, 5]))
