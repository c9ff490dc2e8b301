"""How long networks take beside each other: one step of each in turn, so that a slow moment of the machine hits all."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import torch

from unetpp_course.lab.base import Outcome, Row, Trial, open_set, stack_images
from unetpp_lib.engine import Card, TrainConfig, choose_runtime
from unetpp_lib.engine.batches import channel_statistics
from unetpp_lib.engine.loop import make_optimizer, training_step

WARM_UP = 2
ROUNDS = 15
CPU = torch.device("cpu")

Configs = Mapping[str, TrainConfig]
MakeTask = Callable[[TrainConfig], Callable[[], object]]


def timing_trial(
    name: str,
    make: MakeTask,
    configs: Configs,
    config: TrainConfig,
    write: Callable[[], None] | None = None,
    **settings: Any,
) -> Trial:
    """Return a trial that times networks beside each other; its settings are ``config``'s, the rounds, and more.

    ``make`` is `make_step` or `make_prediction`; ``write`` makes the data when the trial is measured.
    """

    def measure() -> Outcome:
        if write:
            write()
        return time_networks(make, configs, ROUNDS)

    return Trial(name, json.loads(config.to_json()) | {"rounds": ROUNDS} | settings, measure, {}, seconds_rows)


def seconds_rows(outcome: Outcome) -> Iterator[Row]:
    """Yield the seconds of each network in each round."""
    for network, seconds in outcome.items():
        for turn, value in enumerate(seconds):
            yield {"network": network, "score": "seconds", "round": turn, "value": value}


def first_batch(config: TrainConfig) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a corner of the first training images, normalised, and its mask; ``(batch, 1, patch, patch)`` each."""
    folder, split = open_set(config.data)
    mean, std = channel_statistics(folder, [folder.index_of[name] for name in split.train])
    images, masks = stack_images(folder, split.train[: config.batch_size])
    corner = (..., slice(config.patch), slice(config.patch))
    return Card(mean, std).normalise(images[corner]), masks[corner]


def seconds_of(work: Callable[[], object], device: torch.device) -> float:
    """Return how long a function takes, from when the device is free until it is done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def steps_a_turn(device: torch.device) -> int:
    """Return how many steps are timed as one: on a GPU several: in training too the next is launched meanwhile."""
    return 10 if device.type == "cuda" else 1


def in_turn(
    tasks: Mapping[str, Callable[[], object]], rounds: int, device: torch.device = CPU, warm_up: int = WARM_UP
) -> dict[str, list[float]]:
    """Return the seconds of each task, one value per round; each round runs each task once (several times on a GPU)."""
    steps = steps_a_turn(device)
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for number in range(-warm_up, rounds):
        for name, task in tasks.items():
            spent = seconds_of(lambda task=task: [task() for _ in range(steps)], device) / steps  # type: ignore[misc]
            if number >= 0:
                seconds[name].append(round(spent, 6))
    return seconds


def time_networks(make: MakeTask, configs: Configs, rounds: int) -> Outcome:
    """Return the seconds of what is made of each configuration, on the device that they share."""
    device = choose_runtime(next(iter(configs.values())).device).device
    return in_turn({name: make(config) for name, config in configs.items()}, rounds, device)


def make_step(config: TrainConfig) -> Callable[[], object]:
    """Return a function that makes one training step of a new network."""
    runtime = choose_runtime(config.device, config.precision)
    images, masks = (tensor.to(runtime.device) for tensor in first_batch(config))
    model = runtime.place(config.build_model())
    return partial(training_step, model, make_optimizer(model), images, masks, config.lr, runtime)


def make_prediction(config: TrainConfig) -> Callable[[], object]:
    """Return a function that runs a new network on one image, as a prediction does."""
    runtime = choose_runtime(config.device, config.precision)
    image = first_batch(config)[0][:1].to(runtime.device)
    model = runtime.place(config.build_model()).eval()

    def predict() -> None:
        with torch.inference_mode(), runtime.autocast():
            model(image)

    return predict
