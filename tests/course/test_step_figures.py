"""The pretend GPU keeps time as a GPU does, and the figures of notebook 10 show what they are given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from unetpp_course.lab import read_results
from unetpp_course.pretend_gpu import PretendGPU, show_timeline
from unetpp_course.step_figures import FLOAT16, show_gradients, show_step_profile


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_launching_returns_before_the_work_is_done():
    gpu = PretendGPU([0.5, 0.25], launch=0.01)
    gpu.launch_step()
    assert gpu.clock() == 0.01
    gpu.synchronize()
    assert gpu.clock() == 0.51
    gpu.synchronize()
    assert gpu.clock() == 0.51


def test_steps_wait_in_line_and_the_last_duration_holds_for_all_further_ones():
    gpu = PretendGPU([0.5, 0.25], launch=0.01)
    for _ in range(3):
        gpu.launch_step()
    assert gpu.clock() == pytest.approx(0.03)
    gpu.synchronize()
    assert gpu.clock() == pytest.approx(0.01 + 0.5 + 0.25 + 0.25)


def test_the_timeline_has_a_bar_for_each_launch_and_each_step():
    gpu = PretendGPU([0.03], launch=0.001)
    gpu.launch_step()
    gpu.launch_step()
    show_timeline(gpu)
    python, work = plt.gca().collections
    assert len(python.get_paths()) == len(work.get_paths()) == 2


def test_every_bar_is_as_long_as_its_step():
    stored = read_results("step_profile")["cpu"]
    show_step_profile(stored, {"as PyTorch comes": "default", "and bf16": "+ bf16"})
    ends = {}
    for bar in plt.gca().patches:
        ends[round(bar.get_y(), 2)] = bar.get_x() + bar.get_width()
    expected = [sum(stored["families"][way].values()) for way in ("as PyTorch comes", "and bf16")]
    assert list(ends.values()) == pytest.approx(expected)


def test_float16_loses_what_the_figure_says_it_loses():
    just_lost, just_kept = FLOAT16["lost"], FLOAT16["lost"] * 1.01
    assert torch.tensor([just_lost, just_kept]).half().ne(0).tolist() == [False, True]
    assert torch.finfo(torch.float16).tiny == FLOAT16["exact"]
    show_gradients(np.array([2.0**-30, 2.0**-20, 0.0]), 1024)
    assert [axis.texts[0].get_text().split(" of ")[1] for axis in plt.gcf().axes] == ["50.0%", "0.0%"]
