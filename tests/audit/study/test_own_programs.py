"""A user's own training: what it may be told, how it fails, and what is left when it does."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from audit.evidence.errors import ConfigError, InputError, JobError
from audit.study.own_programs import as_words, check_installed, check_program, program_of
from audit.study.own_runs import run_program, take_over
from audit.study.recipes import Program

WHOLE = {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}  # of nn.Linear(3, 2)


def ran(folder: Path, *words: str, timeout: float | None = None, **told: object) -> Path:
    out = folder / "out"
    out.mkdir()
    return run_program(Program(words, timeout=timeout), "train", {"out": out, **told}, folder)


def script(folder: Path, text: str) -> str:
    (folder / "train.py").write_text(text)
    return "train.py"


# --- what it is told -----------------------------------------------------------------------------


def test_a_command_is_split_as_a_shell_splits_it():
    assert as_words("torchrun 'my train.py' --seed {seed}") == (
        "torchrun",
        "my train.py",
        "--seed",
        "{seed}",
    )
    with pytest.raises(ValueError, match="quotes"):
        as_words("python 'train.py")


@pytest.mark.parametrize(
    ("given", "purpose", "said"),
    [
        ("train --seed {sed} {out}", "train", "did you mean 'seed'"),
        ("train --seed {seed}", "train", "does not use {out}"),
        ("train --out {out}", "train", "does not use {seed}"),
        ("train --out {out} --seed {seed} {sparsity}", "train", "no placeholder"),
        ("prune {out} {parent}", "prune", "does not use {sparsity}"),
        ("train {out} {seed:03d}", "train", "plainly"),
        ("train {out} {seed} {", "train", "brace"),
        ("train {out} {seed} {}", "train", "plainly"),
    ],
)
def test_placeholders_that_mean_nothing_are_refused(given: str, purpose: str, said: str):
    with pytest.raises(ValueError, match=said):
        check_program(given, purpose)


def test_a_doubled_brace_is_a_brace(tmp_path: Path):
    words = (sys.executable, "-c", "import sys; print(sys.argv[1])", "{{{seed}}}")
    assert check_program(["x", *words[3:], "{out}"], "train")
    ran(tmp_path, *words, seed=3)
    assert (tmp_path / "log.txt").read_text() == "{3}\n"


def test_a_program_is_named_by_its_words_and_the_files_they_name(tmp_path: Path):
    script(tmp_path, "print(1)")
    command = "python train.py --seed {seed} --out {out}"
    before = program_of(command, tmp_path, None)
    assert before == program_of(command, tmp_path, 60.0)  # how long it may take changes nothing
    assert before != program_of(command + " --lr 1", tmp_path, None)
    script(tmp_path, "print(2)")
    assert before != program_of(command, tmp_path, None)
    (tmp_path / "mine.py").write_text("def train(out, seed): ...")
    named = program_of("mine:train", tmp_path, None)
    (tmp_path / "mine.py").write_text("def train(out, seed): 1")
    assert named != program_of("mine:train", tmp_path, None)


def test_a_command_that_is_not_there_is_refused_before_anything_is_made(tmp_path: Path):
    check_installed(Program((sys.executable, "x")), "train", tmp_path)
    with pytest.raises(ConfigError, match=r"no command 'traain'.*python"):
        check_installed(Program(("traain", "{out}")), "train", tmp_path)


# --- how it ends ---------------------------------------------------------------------------------


def test_it_runs_beside_the_config_and_its_output_is_kept(tmp_path: Path):
    name = script(tmp_path, "import os, sys; print(os.getcwd(), sys.argv[1:])")
    out = ran(tmp_path, sys.executable, name, "--seed={seed}", "{out}", seed=7)
    assert (tmp_path / "log.txt").read_text() == f"{tmp_path} ['--seed=7', '{out}']\n"


def test_a_failure_shows_the_end_of_what_was_printed(tmp_path: Path):
    name = script(tmp_path, "print('x' * 5000)\nraise SystemExit('no such data set: fish')")
    with pytest.raises(JobError, match=r"status 1; it last printed '….*no such data set: fish'"):
        ran(tmp_path, sys.executable, name)


def test_one_that_hangs_is_ended_with_all_it_started(tmp_path: Path):
    child = "import time; time.sleep(600)"
    name = script(
        tmp_path,
        "import subprocess, sys, signal\n"
        "signal.signal(signal.SIGTERM, signal.SIG_DFL)\n"
        f"one = subprocess.Popen([sys.executable, '-c', {child!r}])\n"
        "print(one.pid, flush=True)\n"
        "one.wait()\n",
    )
    with pytest.raises(JobError, match=r"not done after 3 seconds.*population.timeout"):
        ran(tmp_path, sys.executable, name, timeout=3.0)
    pid = int((tmp_path / "log.txt").read_text().split()[0])
    assert _gone(pid)


def _gone(pid: int) -> bool:
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_a_function_is_called_with_what_it_takes(tmp_path: Path):
    (tmp_path / "mine_called.py").write_text(
        "def train(out, seed):\n    (out / 'seed').write_text(str(seed + 1))\n"
    )
    out = ran(tmp_path, "mine_called:train", seed=4, data=tmp_path)
    assert (out / "seed").read_text() == "5"


def test_a_function_that_is_not_there_is_one_sentence(tmp_path: Path):
    (tmp_path / "mine_empty.py").write_text("")
    with pytest.raises(JobError, match=r"status 1; it last printed .mine_empty has no 'train'"):
        ran(tmp_path, "mine_empty:train", seed=4)


# --- what it leaves ------------------------------------------------------------------------------


def test_weights_and_record_are_taken_over(tmp_path: Path):
    model = nn.Linear(3, 2)
    save_file(WHOLE, tmp_path / "weights.safetensors")
    (tmp_path / "record.json").write_text('{"steps": 12}')
    assert take_over(tmp_path, model, "train") == {"steps": 12}
    assert bool((model.weight == 1).all())


def test_a_state_dict_in_a_pickle_is_read_without_running_code(tmp_path: Path):
    model = nn.Linear(3, 2)
    torch.save(WHOLE, tmp_path / "weights.pt")
    assert take_over(tmp_path, model, "train") == {}
    assert bool((model.weight == 1).all())
    torch.save(model, tmp_path / "weights.pt")
    with pytest.raises(InputError, match="holds more than tensors"):
        take_over(tmp_path, model, "train")


def test_nothing_written_and_something_else_written_say_what_is_there(tmp_path: Path):
    model = nn.Linear(3, 2)
    (tmp_path / "model.bin").touch()
    with pytest.raises(InputError, match=r"left no weights.safetensors.*there is model.bin"):
        take_over(tmp_path, model, "train")
    save_file({"weight": torch.ones(2, 4), "fc": torch.zeros(2)}, tmp_path / "weights.safetensors")
    with pytest.raises(InputError, match=r"lacks bias \(2,\).*also has fc \(2,\).*weight \(2, 4\)"):
        take_over(tmp_path, model, "train")


def test_weights_that_are_not_finite_and_records_that_are_no_object_are_refused(tmp_path: Path):
    model = nn.Linear(3, 2)
    tensors = {"weight": torch.full((2, 3), torch.nan), "bias": torch.zeros(2)}
    save_file(tensors, tmp_path / "weights.safetensors")
    with pytest.raises(InputError, match="weight is not finite"):
        take_over(tmp_path, model, "train")
    save_file(WHOLE, tmp_path / "weights.safetensors")
    (tmp_path / "record.json").write_text("[1]")
    with pytest.raises(InputError, match="holds a list"):
        take_over(tmp_path, model, "train")


def test_a_folder_that_is_gone_weights_that_are_integers_and_a_record_with_nan(tmp_path: Path):
    model = nn.Linear(3, 2)
    with pytest.raises(InputError, match=r"its folder \{out\} is gone"):
        take_over(tmp_path / "gone", model, "train")
    whole = {name: value.long() for name, value in WHOLE.items()}
    save_file(whole, tmp_path / "weights.safetensors")
    with pytest.raises(InputError, match=r"is of torch.int64, and the model has torch.float32"):
        take_over(tmp_path, model, "train")
    save_file(WHOLE, tmp_path / "weights.safetensors")
    (tmp_path / "record.json").write_text('{"loss": NaN}')
    with pytest.raises(InputError, match=r"no JSON .NaN is no number that JSON has"):
        take_over(tmp_path, model, "train")
