import numpy as np
import pytest

from audit.evidence.blocks import CLEAN, Condition
from audit.judgement.shifts.kinds import is_attack, is_noise, kind_of


@pytest.mark.parametrize(
    ("condition", "kind"),
    [
        (CLEAN, "clean"),
        (Condition("fog", 3.0), "corruption"),
        (Condition("fgsm@0.031", 1.0), "corruption"),
        (Condition("cifar10.1", None), "natural"),
        (Condition("uniform_noise@0.1", None), "noise"),
        (Condition("rotate@sequence", None), "sequence"),
        (Condition("fgsm@0.031", None), "attack"),
        (Condition("pgd@8/255", None), "attack"),
        (Condition("pgd", None), "natural"),
    ],
)
def test_by_name(study, condition, kind):
    made = study([0, 1], [[0, 1]], {0.5: [[0, 1]]}, condition=condition)
    assert kind_of(made.block, made.evidence) == kind
    assert is_attack(condition) == (kind == "attack")
    assert is_noise(condition) == (kind == "noise")


@pytest.mark.parametrize(
    ("split", "shown", "kind"),
    [
        (["ood", "ood"], [0, 1], "out_of_distribution"),
        (["test", "ood"], [-1, 1], "out_of_distribution"),
        (["test", "ood"], [0, 1], "natural"),
        (["ood", "ood"], [-1, -1], "natural"),
    ],
)
def test_by_whom_it_shows(study, split, shown, kind):
    made = study(
        [-1, -1],
        [shown],
        {0.5: [np.array(shown)]},
        columns={"split": split},
        condition=Condition("svhn", None),
        classes=("a", "b"),
    )
    assert kind_of(made.block, made.evidence) == kind
