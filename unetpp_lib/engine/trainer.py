"""Training: from a configuration to a run folder, in one process or several, stopped and resumed at any step.

The step itself is in `loop`. The modules `distributed`, `pending` and `faults` hold what only several processes, GPUs
and failures need.
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
from unetpp_lib.engine.distributed import AnyRank, World, distribute, join_world
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

CHOSEN_BY = "iou/classes/pooled"  # the score on the validation part by which the best network is chosen
REPORTED = ("iou/foreground/pooled", "iou/background/pooled", CHOSEN_BY)

Callback = Callable[["Trainer"], bool | None]
"""Called after every step with the trainer, which it must not change; the run stops if it returns True."""


def train(config: TrainConfig, resume: bool = False, callback: Callback | None = None) -> Run:
    """Train a network, score it and draw its predictions; return the run, whose folder holds all results.

    With ``resume`` the run in ``config.out`` continues from its last checkpoint. It ends with the weights that it would
    have had without the interruption, bit for bit on a CPU with the same machine, threads and versions.
    Ctrl-C stops the run after the current step, saves it, and returns it unfinished.
    ``callback`` replaces the progress bar: it is called after every step, and by returning True it stops the run as
    Ctrl-C does.
    PyTorch's global random generators are left as they were.
    Raises InputError for wrong data, options or files, for a loss that is not finite, and if the memory runs out or
    another process of the run is lost.
    """
    runtime = choose_runtime(config.device, config.precision, config.compiled)
    with join_world(runtime.device.type == "cuda") as world:
        if world.size > 1 and runtime.device.type == "mps":
            raise InputError("Several processes cannot share Apple's GPU: train in one, or use --device cpu.")
        if world.size > 1 and runtime.device.type == "cuda":
            runtime = replace(runtime, device=torch.device("cuda", world.local_rank))
        with seeded(config.seed, runtime.device):  # for the initial weights; each step has its own seed
            return _train_as(world, config, runtime, resume, callback)


def _train_as(world: World, config: TrainConfig, runtime: Runtime, resume: bool, callback: Callback | None) -> Run:
    """Train as one of the processes."""
    root = find_dataset(config.data)
    folder = SegmentationFolder(root, config.channels, config.num_classes, world.share, config.mask_suffix)
    for note in folder.notes if world.is_main else ():
        print(f"Note: {note}")
    run, split = open_run(config, folder, resume)
    trainer = Trainer(run, config, split, folder, runtime, world)
    world.wait()  # no rank writes before every rank has read the folder and found it in order
    restored = resume and run.checkpoint.exists()
    if restored:
        trainer.restore(load_checkpoint(run.checkpoint))
    elif config.init:
        load_initial(trainer.model, config.init)
    if world.is_main and not restored and not run.split_file.exists():
        begin_run(run, config, split, runtime)
        if callback is None:
            print(split)
    with explained(trainer):
        finished = trainer.fit(callback)
    if finished and world.is_main:
        score_run(run, folder, runtime)
    world.wait()
    return run


def score_run(run: Run, folder: SegmentationFolder, runtime: Runtime) -> None:
    """Score the run's best network once, on the test part, and draw its predictions.

    Without a test part it is scored on the validation part. These scores are optimistic, because the epoch was chosen
    on the same images.
    """
    model, card = run.load_model()
    split = run.split
    part = next(part for part in ("test", "validation", "train") if getattr(split, part))
    evaluation = evaluate(model, folder, card, getattr(split, part), runtime)
    draw_predictions(model, folder, evaluation.names[:3], card, runtime, run.picture)
    about = {"part": part, "images": evaluation.names, "classes": evaluation.classes, "scores": evaluation.scores}
    run.write_json("scores.json", about)


class Validation:
    """Scores the network on the validation part, and keeps the best one so far in the run's folder."""

    def __init__(self, run: Run, folder: SegmentationFolder, names: tuple[str, ...]) -> None:
        self.run, self.folder, self.names = run, folder, names
        self.best = -1.0

    def validate(self, trainer: "Trainer", entry: dict[str, Any]) -> None:
        """Add the network's scores to the epoch's ``entry``, and save the network if it is the best so far."""
        if self.names:
            evaluation = evaluate(trainer.model, self.folder, trainer.card, self.names, trainer.runtime)
            entry["validation"] = {
                row: {key: scores[key] for key in REPORTED} for row, scores in evaluation.scores.items()
            }
            if evaluation.answer[CHOSEN_BY] <= self.best:
                return
            self.best = evaluation.answer[CHOSEN_BY]
        card = replace(trainer.card, details=trainer.card.details | entry)
        save_model(trainer.model, self.run.weights, card)


class Trainer:
    """Trains one run: holds its parts, makes its steps, and loops over its batches."""

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

    def fit(self, callback: Callback | None = None) -> bool:
        """Train from the current step to the end; return False if Ctrl-C or ``callback`` stopped the run earlier.

        A stopped run is saved.
        """
        self.plan.first_step = self.step
        self.network.train()
        any_rank = AnyRank(self.world, self.runtime.device)
        start = saved = time.monotonic()
        shown = self.world.is_main and callback is None
        with (
            interrupts() as interrupted,
            tqdm(total=len(self.plan), initial=self.step, unit="step", disable=not shown) as bar,
        ):
            for images, masks in read_batches(self.loader, self) if self.step < len(self.plan) else ():
                self.make_step(images, masks)
                at_end = self.step % self.plan.steps_per_epoch == 0
                if at_end or callback is not None:
                    self.check_loss()
                self.history.seconds += time.monotonic() - start  # the rest of the loop's body is not training
                validated = at_end and self._end_epoch()
                asked = callback is not None and self.world.is_main and bool(callback(self))
                late = self.world.is_main and time.monotonic() - saved > self.config.checkpoint_seconds
                stopped, due = any_rank.combine(asked or interrupted.is_set(), late)
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
        """Train on one batch: images ``(N, C, patch, patch)`` in [0, 1], masks ``(N, 1, patch, patch)``.

        Everything random in the step follows from (seed, step, rank).
        """
        config, device = self.config, self.runtime.device
        seed = derived_seed(config.seed, self.step, self.world.rank)
        images, masks = images.to(device, non_blocking=True), masks.to(device, non_blocking=True)
        augment = Augmentation() if config.augment else None
        images, masks = prepare_batch(images, masks, self.card, augment, seed)
        rate = learning_rate(self.step, len(self.plan), config.lr)
        loss = training_step(self.network, self.optimizer, images, masks, rate, self.runtime, self._loss, seed)
        launched = PendingLoss(self.step, images, masks, self.world.deferred_sum(loss))
        self.check_loss()  # that of the previous step
        self.pending = launched
        self.history.images += len(images) * self.world.size
        self.step += 1

    def _loss(self, heads: Sequence[Tensor], masks: Tensor) -> Tensor:
        """Return the sum of the heads' losses; its mean over the ranks is the loss of the whole batch."""
        pixels = self.world.mean(count_pixels(masks)) if self.config.num_classes > 1 else None
        names = ("bce_weight", "dice_weight", "foreground_weight")
        loss = partial(bce_dice_loss, pixels=pixels, **{name: getattr(self.config, name) for name in names})
        return deep_supervision_loss(heads, masks, loss)

    def check_loss(self) -> None:
        """Wait for the loss of the last step; raises InputError if it is not finite."""
        if self.pending is not None:
            launched, self.pending = self.pending, None
            self.history.add(launched.check(self.world, self.run.folder, self.config.lr))

    def _end_epoch(self) -> bool:
        """Add the epoch to the history, and return whether the network was validated."""
        epoch = self.step // self.plan.steps_per_epoch
        entry = self.history.end_epoch(epoch, self.step)
        if epoch % self.config.evaluate_every and epoch != self.config.epochs:
            return False
        if self.world.is_main:
            self.validation.validate(self, entry)
        return True

    def save(self) -> None:
        """Write the state to the run's folder, on rank 0 only, after checking that the last loss is finite."""
        self.check_loss()
        if not self.world.is_main:
            return
        self.run.write_history(self.history.entries)
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(), "step": self.step}
        save_checkpoint(state | self.history.state() | {"best": self.validation.best}, self.run.checkpoint)

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from a saved state."""
        try:
            load_weights(self.model, state["model"], self.run.checkpoint)
            for group in state["optimizer"]["param_groups"]:  # earlier versions did not fuse Adam on a CPU
                group["fused"] = self.optimizer.defaults["fused"]
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.validation.best = state["step"], state["best"]
            done = self.step % self.plan.steps_per_epoch  # missing from the checkpoints of earlier versions
            self.history.restore({"epoch_steps": done, "epoch_images": done * self.config.batch_size} | state)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise InputError(f"{self.run.checkpoint} is not a training checkpoint. Start a new run.") from error

    def _progress(self) -> str:
        best = f"best IoU {self.validation.best:.3f}" if self.validation.best >= 0 else ""
        return ", ".join(filter(None, (self.history.progress(), best)))
