"""Training: from a configuration to a run folder, on one process or many, stopped and resumed anywhere.

The step itself is in `loop`. What only ranks, GPUs and mishaps need is in `distributed`, `pending` and `faults`.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor
from tqdm.auto import tqdm

from unetpp_lib.data import Augmentation, SegmentationFolder, Split, find_dataset
from unetpp_lib.engine.batches import (
    BatchPlan,
    Patches,
    brightness_range,
    channel_statistics,
    derived_seed,
    load_batches,
)
from unetpp_lib.engine.checkpoints import load_checkpoint, save_checkpoint
from unetpp_lib.engine.config import TrainConfig
from unetpp_lib.engine.distributed import Votes, World, distribute, join_world
from unetpp_lib.engine.evaluation import evaluate
from unetpp_lib.engine.faults import explained, interrupts, read_batches
from unetpp_lib.engine.history import History
from unetpp_lib.engine.loop import learning_rate, make_optimizer, prepare_batch, seeded, training_step
from unetpp_lib.engine.model_files import load_weights, save_model
from unetpp_lib.engine.pending import PendingLoss
from unetpp_lib.engine.pictures import draw_predictions
from unetpp_lib.engine.preprocessing import Card
from unetpp_lib.engine.runs import Run, begin_run, open_run
from unetpp_lib.engine.runtime import Runtime, choose_runtime
from unetpp_lib.engine.warm_start import load_initial
from unetpp_lib.errors import InputError
from unetpp_lib.losses import bce_dice_loss, count_pixels, deep_supervision_loss

CHOSEN_BY = "iou/classes/pooled"  # the best network is the best by this score of the validation part
WATCHED = ("iou/foreground/pooled", "iou/background/pooled", CHOSEN_BY)

Watch = Callable[["Trainer"], bool | None]
"""Looks at a training run after a step, changes nothing, and returns True where the run should stop."""


def train(config: TrainConfig, resume: bool = False, watch: Watch | None = None) -> Run:
    """Train, score and picture a network; return the run, whose folder holds everything.

    With ``resume`` the run in ``config.out`` goes on from its last checkpoint and ends with the weights that it would
    have had without the stop (bit for bit on a CPU: same machine, threads and versions).
    Ctrl-C stops after the current step, saves, and returns the unfinished run.
    ``watch`` takes the place of the progress bar: it is called after every step, and stops as Ctrl-C does.
    PyTorch's global generators are as before afterwards.
    Raises InputError for data, options or files that are wrong, for a loss that is not finite, and where memory runs
    out or another process of the run is lost.
    """
    runtime = choose_runtime(config.device, config.precision, config.compiled)
    with join_world(runtime.device.type == "cuda") as world:
        if world.size > 1 and runtime.device.type == "mps":
            raise InputError("Several processes cannot share Apple's GPU: train in one, or use --device cpu.")
        if world.size > 1 and runtime.device.type == "cuda":
            runtime = replace(runtime, device=torch.device("cuda", world.local_rank))
        with seeded(config.seed, runtime.device):  # of the first weights; each step has a seed of its own
            return _train_as(world, config, runtime, resume, watch)


def _train_as(world: World, config: TrainConfig, runtime: Runtime, resume: bool, watch: Watch | None) -> Run:
    """Do what one of the processes does."""
    folder = SegmentationFolder(find_dataset(config.data), config.channels, config.num_classes, world.share)
    run, split = open_run(config, folder, resume)
    trainer = Trainer(run, config, split, folder, runtime, world)
    world.wait()  # every rank has seen the folder as it was, and nothing is written before all is known to be right
    restored = resume and run.checkpoint.exists()
    if restored:
        trainer.restore(load_checkpoint(run.checkpoint))
    elif config.init:
        load_initial(trainer.model, config.init)
    if world.is_main and not restored and not run.split_file.exists():
        begin_run(run, config, split, runtime)
        if watch is None:
            print(split)
    with explained(trainer):
        finished = trainer.fit(watch)
    if finished and world.is_main:
        score_run(run, folder, runtime)
    world.wait()
    return run


def score_run(run: Run, folder: SegmentationFolder, runtime: Runtime) -> None:
    """Score the run's best network on the test part, once, and draw its predictions.

    Without a test part it is the validation part: the epoch was chosen on it, so its scores flatter.
    """
    model, card = run.load_model()
    split = run.split
    part = next(part for part in ("test", "validation", "train") if getattr(split, part))
    evaluation = evaluate(model, folder, card, getattr(split, part), runtime)
    draw_predictions(model, folder, evaluation.names[:3], card, runtime, run.picture)
    about = {"part": part, "images": evaluation.names, "classes": evaluation.classes, "scores": evaluation.scores}
    run.write_json("scores.json", about)


class Validation:
    """The validation part, and the best network by it so far, which is kept in the run's folder."""

    def __init__(self, run: Run, folder: SegmentationFolder, names: tuple[str, ...]) -> None:
        self.run, self.folder, self.names = run, folder, names
        self.best = -1.0

    def look(self, trainer: "Trainer", entry: dict[str, Any]) -> None:
        """Score the network into the epoch's ``entry``, and keep it if it is better than all before."""
        if self.names:
            evaluation = evaluate(trainer.model, self.folder, trainer.card, self.names, trainer.runtime)
            entry["validation"] = {
                row: {key: scores[key] for key in WATCHED} for row, scores in evaluation.scores.items()
            }
            if evaluation.answer[CHOSEN_BY] <= self.best:
                return
            self.best = evaluation.answer[CHOSEN_BY]
        card = replace(trainer.card, details=trainer.card.details | entry)
        save_model(trainer.model, self.run.weights, card)


class Trainer:
    """A run under way: what it is made of, its step, and the loop over its batches."""

    def __init__(
        self, run: Run, config: TrainConfig, split: Split, folder: SegmentationFolder, runtime: Runtime, world: World
    ) -> None:
        self.run, self.config, self.runtime, self.world = run, config, runtime, world
        indices = [folder.index_of[name] for name in split.train]
        details = {"data": folder.root.name, "seed": config.seed}
        details["training_brightness"] = brightness_range(folder, indices)
        mean, std = channel_statistics(folder, indices)
        self.card = Card(mean, std, classes=config.classes, details=details)
        self.model = runtime.place(config.build_model())
        self.network = distribute(self.model, runtime, world)
        self.optimizer = make_optimizer(self.model)
        patches = Patches(folder, indices, config.patch)
        self.plan = BatchPlan(patches, config.batch_size, config.epochs, config.seed, world.rank, world.size)
        self.loader = load_batches(patches, self.plan, config.workers, pin=runtime.device.type == "cuda")
        self.validation = Validation(run, folder, split.validation)
        self.history = History()
        self.step = 0
        self.pending: PendingLoss | None = None

    def fit(self, watch: Watch | None = None) -> bool:
        """Train from the current step to the end; return whether it got there (Ctrl-C or ``watch`` stops it, saved)."""
        self.plan.first_step = self.step
        self.network.train()
        votes = Votes(self.world, self.runtime.device)
        start = saved = time.monotonic()
        shown = self.world.is_main and watch is None
        with (
            interrupts() as interrupted,
            tqdm(total=len(self.plan), initial=self.step, unit="step", disable=not shown) as bar,
        ):
            for images, masks in read_batches(self.loader, self) if self.step < len(self.plan) else ():
                self.make_step(images, masks)
                at_end = self.step % self.plan.steps_per_epoch == 0
                if at_end or watch is not None:
                    self.check_loss()
                self.history.seconds += time.monotonic() - start  # what follows, up to `start` again, is no training
                validated = at_end and self._end_epoch()
                asked = watch is not None and self.world.is_main and bool(watch(self))
                late = self.world.is_main and time.monotonic() - saved > self.config.checkpoint_seconds
                stopped, due = votes.take(asked or interrupted.is_set(), late)
                stopped = stopped and self.step < len(self.plan)
                if validated or stopped or due:
                    self.save()
                    saved = time.monotonic()
                bar.set_postfix_str(self._progress(), refresh=False)
                bar.update()
                if stopped:
                    return False
                start = time.monotonic()
        return True

    def make_step(self, images: Tensor, masks: Tensor) -> None:
        """Train on a batch of the loader: images ``(N, C, patch, patch)`` in [0, 1], masks ``(N, 1, patch, patch)``.

        All that is random in it follows from (seed, step, rank).
        """
        config, device = self.config, self.runtime.device
        seed = derived_seed(config.seed, self.step, self.world.rank)
        images, masks = images.to(device, non_blocking=True), masks.to(device, non_blocking=True)
        augment = Augmentation() if config.augment else None
        images, masks = prepare_batch(images, masks, self.card, augment, seed)
        rate = learning_rate(self.step, len(self.plan), config.lr)
        loss = training_step(self.network, self.optimizer, images, masks, rate, self.runtime, self._loss, seed)
        launched = PendingLoss(self.step, images, masks, self.world.total_later(loss))
        self.check_loss()  # of the step before
        self.pending = launched
        self.history.images += len(images) * self.world.size
        self.step += 1

    def _loss(self, heads: Sequence[Tensor], masks: Tensor) -> Tensor:
        """Return the sum of the heads' losses; the ranks' mean of it is the loss of the whole batch."""
        pixels = self.world.mean(count_pixels(masks)) if self.config.num_classes > 1 else None
        names = ("bce_weight", "dice_weight", "foreground_weight")
        loss = partial(bce_dice_loss, pixels=pixels, **{name: getattr(self.config, name) for name in names})
        return deep_supervision_loss(heads, masks, loss)

    def check_loss(self) -> None:
        """Wait for the loss of the last step, and stop where it is not finite."""
        if self.pending is not None:
            launched, self.pending = self.pending, None
            self.history.add(launched.check(self.world, self.run.folder, self.config.lr))

    def _end_epoch(self) -> bool:
        """Add the epoch to the history and return whether the validation part was looked at."""
        epoch = self.step // self.plan.steps_per_epoch
        entry = self.history.end_epoch(epoch, self.step)
        if epoch % self.config.evaluate_every and epoch != self.config.epochs:
            return False
        if self.world.is_main:
            self.validation.look(self, entry)
        return True

    def save(self) -> None:
        """Write the state to the run's folder (rank 0 alone), once the last loss is known to be finite."""
        self.check_loss()
        if not self.world.is_main:
            return
        self.run.write_history(self.history.entries)
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "step": self.step}
        save_checkpoint(state | self.history.state() | {"best": self.validation.best}, self.run.checkpoint)

    def restore(self, state: dict[str, Any]) -> None:
        """Take over a saved state."""
        try:
            load_weights(self.model, state["model"], self.run.checkpoint)
            for group in state["optimizer"]["param_groups"]:  # an earlier version's Adam was not fused on a CPU
                group["fused"] = self.optimizer.defaults["fused"]
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.validation.best = state["step"], state["best"]
            done = self.step % self.plan.steps_per_epoch  # what an earlier version's checkpoint does not say
            self.history.restore({"epoch_steps": done, "epoch_images": done * self.config.batch_size} | state)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise InputError(f"{self.run.checkpoint} is no checkpoint of a training. Start a new run.") from error

    def _progress(self) -> str:
        best = f"best IoU {self.validation.best:.3f}" if self.validation.best >= 0 else ""
        return ", ".join(filter(None, (self.history.progress(), best)))
