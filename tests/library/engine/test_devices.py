"""No GPU is needed to see that every tensor is made where it is used: a pretended device refuses the CPU's as well."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def run_tests(name: str, **environment: str) -> subprocess.CompletedProcess[str]:
    plugins = ("-p", "no:cacheprovider", "-p", "no:nbval")  # the one for notebooks takes seconds to load
    command = [sys.executable, "-m", "pytest", "-q", *plugins, str(Path(__file__).with_name(name))]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=300)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["test_cuda.py", "test_cuda_answers.py"])
def test_the_tests_for_a_gpu_pass_with_a_cpu_in_its_place(name):
    result = run_tests(name, UNETPP_REHEARSAL="cpu")
    assert result.returncode == 0, result.stdout
    assert "skipped" not in result.stdout


@pytest.mark.slow
def test_a_training_step_and_an_answer_keep_to_one_device():
    result = run_tests("pretend_device.py", UNETPP_PLANT="")
    assert result.returncode == 0, result.stdout
    assert "8 passed" in result.stdout


@pytest.mark.slow
def test_a_planted_tensor_on_the_wrong_device_makes_every_one_of_these_tests_fail():
    result = run_tests("pretend_device.py", UNETPP_PLANT="cuda")
    assert "8 failed" in result.stdout
    said = ("on the same device", "two different devices", "the batch on")  # torch 2.13, torch 2.10, and our own check
    assert any(words in result.stdout for words in said)
