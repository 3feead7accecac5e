"""Masks in the `Trainer` of Transformers: steps, accumulated gradients, checkpoints, resuming."""

from __future__ import annotations

import json

import pytest
import torch

pytest.importorskip("transformers")
pytest.importorskip("accelerate")

from transformers import (
    DistilBertConfig,
    DistilBertForSequenceClassification,
    Trainer,
    TrainerState,
    TrainingArguments,
)

from pruners.integrations.transformers import PruningCallback

# Of the library itself: pinned memory is asked for where there is no accelerator.
pytestmark = pytest.mark.filterwarnings("ignore:'pin_memory' argument")

NAME = "distilbert.transformer.layer.0.ffn.lin1.weight"


def model() -> DistilBertForSequenceClassification:
    torch.manual_seed(0)
    return DistilBertForSequenceClassification(
        DistilBertConfig(
            vocab_size=20, dim=8, n_heads=2, hidden_dim=16, n_layers=1, max_position_embeddings=8
        )
    )


def examples() -> list[dict[str, torch.Tensor]]:
    draws = torch.Generator().manual_seed(0)
    ids = torch.randint(20, (24, 6), generator=draws)
    return [{"input_ids": row, "labels": row[0] % 2} for row in ids]


def train(folder, callback, *, resume=None, **options):
    chosen = {"num_train_epochs": 2, "save_strategy": "no", **options}
    trained = model()
    Trainer(
        trained,
        TrainingArguments(
            str(folder), per_device_train_batch_size=4, learning_rate=0.01, report_to=[],
            use_cpu=True, disable_tqdm=True, logging_strategy="no", weight_decay=0.1, **chosen,
        ),
        train_dataset=examples(),
        eval_dataset=examples(),
        callbacks=[callback],
    ).train(resume_from_checkpoint=resume)  # fmt: skip
    return trained


def zeros(trained) -> int:
    return sum(int((p == 0).sum()) for n, p in trained.named_parameters() if n.endswith("weight"))


def test_the_masks_are_held_and_the_sparsity_is_exact(tmp_path):
    callback = PruningCallback(0.5, end=0.7)
    trained = train(tmp_path, callback)
    found = callback.masks.sparsities(trained)
    assert found.achieved == pytest.approx(0.5, abs=1e-3)
    assert "distilbert.embeddings.word_embeddings.weight" in found.unsupported
    for name, kept in callback.masks.kept.items():
        assert (trained.get_parameter(name)[~kept] == 0).all()
    assert list(trained.state_dict()) == list(model().state_dict())


def test_the_best_checkpoint_is_pruned_as_the_last(tmp_path):
    """The highest loss is that of the first, before most weights were removed."""
    callback = PruningCallback(0.5, end=1.0)
    with pytest.warns(UserWarning, match="removed weights had come back .* are zero again"):
        trained = train(
            tmp_path, callback, save_strategy="epoch", eval_strategy="epoch",
            load_best_model_at_end=True, metric_for_best_model="eval_loss", greater_is_better=True,
        )  # fmt: skip
    for name, kept in callback.masks.kept.items():
        assert (trained.get_parameter(name)[~kept] == 0).all()


@pytest.mark.parametrize(("batches", "steps"), [(1, 12), (3, 4)])
def test_steps_are_those_of_the_optimizer_when_gradients_are_accumulated(tmp_path, batches, steps):
    callback = PruningCallback(0.5, end=1.0)
    train(tmp_path, callback, gradient_accumulation_steps=batches)
    state = callback.pruning.state_dict()
    assert (state["step"], state["end"]) == (steps, steps)


def test_resumed_training_ends_as_training_that_never_stopped(tmp_path):
    def callback() -> PruningCallback:
        return PruningCallback(0.75, end=0.9, frequency=2)

    first, second = callback(), callback()
    whole = train(tmp_path, first, save_strategy="steps", save_steps=5)
    again = train(tmp_path / "again", second, resume=str(tmp_path / "checkpoint-5"))
    for name, value in whole.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    for name, kept in first.masks.kept.items():
        assert torch.equal(kept, second.masks.kept[name])
    assert second.masks.requested == 0.75
    saved = json.loads((tmp_path / "checkpoint-5" / "trainer_state.json").read_text())
    assert saved["stateful_callbacks"]["PruningCallback"]["attributes"]["saved"]["step"] == 5


def test_a_checkpoint_loads_into_the_plain_model(tmp_path):
    callback = PruningCallback(0.5, schedule="constant")
    trained = train(tmp_path, callback, save_strategy="epoch")
    loaded = DistilBertForSequenceClassification.from_pretrained(tmp_path / "checkpoint-12")
    assert torch.equal(loaded.get_parameter(NAME), trained.get_parameter(NAME))
    assert (loaded.get_parameter(NAME)[~callback.masks.kept[NAME]] == 0).all()


def test_what_cannot_work_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="cannot hold the weights that reenter"):
        PruningCallback(0.5, reenter=True)
    with pytest.raises(ValueError, match="before training"):
        PruningCallback(0.5).masks  # noqa: B018
    trained = model()
    optimizer = torch.optim.SGD(trained.parameters(), lr=0.1)
    with pytest.raises(ValueError, match="written without one PruningCallback"):
        PruningCallback(0.5).on_train_begin(
            TrainingArguments(str(tmp_path), use_cpu=True, report_to=[]),
            TrainerState(global_step=3, max_steps=9),
            None,
            model=trained,
            optimizer=optimizer,
        )
