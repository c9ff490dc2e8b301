"""Training: from a configuration to a run folder, on one process or many, stopped and resumed anywhere."""

import json
import math
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, NoReturn

import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm.auto import tqdm

from unetpp_lib.data import Augmentation, SegmentationFolder, Split, find_dataset
from unetpp_lib.engine.batches import BatchPlan, Patches, channel_statistics, derived_seed, load_batches
from unetpp_lib.engine.checkpoints import load_checkpoint, save_checkpoint
from unetpp_lib.engine.config import TrainConfig
from unetpp_lib.engine.distributed import Later, Votes, World, join_world
from unetpp_lib.engine.evaluation import evaluate
from unetpp_lib.engine.faults import explained, interrupts
from unetpp_lib.engine.model_files import load_weights, save_model
from unetpp_lib.engine.pictures import draw_predictions
from unetpp_lib.engine.preprocessing import Card
from unetpp_lib.engine.runs import Run, begin_run, open_run
from unetpp_lib.engine.runtime import Runtime, choose_runtime
from unetpp_lib.errors import InputError
from unetpp_lib.files import write_atomically
from unetpp_lib.losses import bce_dice_loss, deep_supervision_loss

WARM_UP = 0.05  # share of the steps over which the learning rate rises
CHOSEN_BY = "iou/classes/pooled"  # the best network is the best by this score of the validation part
WATCHED = ("iou/foreground/pooled", "iou/background/pooled", CHOSEN_BY)

Watch = Callable[["Training"], bool | None]
"""Looks at a training after a step, changes nothing, and returns True where the training should stop."""


def train(config: TrainConfig, resume: bool = False, watch: Watch | None = None) -> Run:
    """Train, score and picture a network; return the run, whose folder holds everything.

    With ``resume`` the run in ``config.out`` goes on from its last checkpoint and ends with the weights that it would
    have had without the stop (bit for bit on a CPU: same machine, threads and versions).
    Ctrl-C stops after the current step, saves, and returns the unfinished run.
    ``watch`` takes the place of the progress bar: it is called after every step, and stops as Ctrl-C does.
    Raises InputError for data, options or files that are wrong, for a loss that is not finite, and where memory runs
    out or another process of the run is lost.
    """
    runtime = choose_runtime(config.device, config.precision, config.compiled)
    with join_world(runtime.device.type == "cuda") as world:
        if world.size > 1 and runtime.device.type == "cuda":
            runtime = replace(runtime, device=torch.device("cuda", world.local_rank))
        folder = SegmentationFolder(find_dataset(config.data), config.channels, config.num_classes, world.share)
        run, split = open_run(config, folder, resume)
        training = Training(run, config, split, folder, runtime, world)
        world.wait()  # every rank has seen the folder as it was, and nothing is written before all is known to be right
        if resume and run.checkpoint.exists():
            training.restore(load_checkpoint(run.checkpoint))
        elif world.is_main and not run.split_file.exists():
            begin_run(run, config, split, runtime)
        with explained(training):
            finished = training.fit(watch)
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
    run.write_json("scores.json", {"part": part, "images": evaluation.names, "scores": evaluation.scores})


def learning_rate(step: int, steps: int, highest: float) -> float:
    """Return the rate of one step: a linear warm-up, then a cosine to 0."""
    warm_up = max(1, round(WARM_UP * steps))
    if step < warm_up:
        return highest * (step + 1) / warm_up
    return highest * 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))


class Made(NamedTuple):
    """A step that the device was given, and whose loss Python has not looked at yet."""

    step: int
    images: Tensor
    masks: Tensor
    loss: Later


class Training:
    """The state of a training: network, optimiser, position, history.

    Python never waits for the step that it has just given to a device: it looks at that step's loss once the next one
    is under way, and before anything is written, so that no network with a loss that is not finite is ever kept.
    """

    def __init__(
        self, run: Run, config: TrainConfig, split: Split, folder: SegmentationFolder, runtime: Runtime, world: World
    ) -> None:
        self.run, self.config, self.split = run, config, split
        self.folder, self.runtime, self.world = folder, runtime, world
        indices = [folder.index_of[name] for name in split.train]
        mean, std = channel_statistics(folder, indices)
        classes = tuple(f"class {c}" for c in range(config.num_classes)) if config.num_classes > 1 else Card.classes
        self.card = Card(mean, std, classes=classes, details={"data": folder.root.name, "seed": config.seed})

        torch.manual_seed(config.seed)
        self.model = runtime.place(config.build_model())
        self.network = self._distribute()
        fused = True if runtime.device.type == "cuda" else None  # one launch for all weights
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=config.lr, fused=fused)
        self.loss = partial(bce_dice_loss, bce_weight=config.bce_weight, dice_weight=config.dice_weight)
        self.augment = Augmentation() if config.augment else None
        self.generator = torch.Generator(runtime.device)

        self.patches = Patches(folder, indices, config.patch)
        self.plan = BatchPlan(self.patches, config.batch_size, config.epochs, config.seed, world.rank, world.size)
        self.loader = load_batches(self.patches, self.plan, config.workers, pin=runtime.device.type == "cuda")
        self.step = 0
        self.made: Made | None = None
        self.last_loss = math.nan  # of the last step that was looked at
        self.history: list[dict[str, Any]] = []
        self.best = -1.0
        self.epoch_loss = self.epoch_seconds = 0.0  # sums over the steps of the epoch under way

    def _distribute(self) -> nn.Module:
        """Return what the loop calls: the network itself, compiled or wrapped for several processes where asked."""
        if self.world.size == 1:
            return self.runtime.compile(self.model)
        if self.config.norm == "batch" and self.runtime.device.type == "cuda":
            self.model = nn.SyncBatchNorm.convert_sync_batchnorm(self.model)  # type: ignore[no-untyped-call]
        elif self.config.norm == "batch" and self.world.is_main:
            warnings.warn(
                "On the CPU, batch norm takes its statistics from each process's share of the batch.", stacklevel=2
            )
        return self.runtime.compile(DistributedDataParallel(self.model), captured=False)

    def fit(self, watch: Watch | None = None) -> bool:
        """Train from the current step to the end; return whether it got there (Ctrl-C or ``watch`` stops it, saved)."""
        self.plan.first_step = self.step
        self.network.train()
        saved = time.monotonic()
        votes = Votes(self.world, self.runtime.device)
        with interrupts() as interrupted, self._progress_bar(watch is None) as bar:
            for images, masks in self.loader if self.step < len(self.plan) else ():
                self._train_on(images, masks)
                if watch is not None:
                    self.look_at_loss()
                looked = self.step % self.plan.steps_per_epoch == 0 and self._end_epoch()
                asked = watch is not None and self.world.is_main and bool(watch(self))
                late = self.world.is_main and time.monotonic() - saved > self.config.checkpoint_seconds
                stopped, due = votes.take(asked or interrupted.is_set(), late)
                stopped = stopped and self.step < len(self.plan)
                if looked or stopped or due:
                    self.save()
                    saved = time.monotonic()
                bar.set_postfix_str(self._progress(), refresh=False)
                bar.update()
                if stopped:
                    return False
        return True

    def _train_on(self, images: Tensor, masks: Tensor) -> None:
        """Make one step on images ``(N, C, patch, patch)`` in [0, 1] and masks ``(N, 1, patch, patch)``."""
        start, device = time.monotonic(), self.runtime.device
        images, masks = images.to(device, non_blocking=True), masks.to(device, non_blocking=True)
        images = self.card.normalise(images)
        if self.augment is not None:
            self.generator.manual_seed(derived_seed(self.config.seed, self.step, self.world.rank))
            images, masks = self.augment(images, masks, self.generator)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.step, len(self.plan), self.config.lr)
        self.optimizer.zero_grad()  # first: where the network is captured, its next run writes over its gradients
        with self.runtime.autocast():
            heads = self.network(images)
        loss = deep_supervision_loss(heads, masks, self.loss)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        made = Made(self.step, images, masks, self.world.total_later(loss.detach()))
        self.epoch_seconds += time.monotonic() - start
        self.look_at_loss()  # of the step before
        self.made = made
        self.step += 1

    def look_at_loss(self) -> None:
        """Wait for the loss of the last step that was made, and stop where it is not finite."""
        if self.made is None:
            return
        start = time.monotonic()
        step, images, masks, loss = self.made
        self.made = None
        value = loss()[0] / self.world.size
        if not math.isfinite(value):
            self._stop_on(value, step, images, masks)
        self.last_loss = value
        self.epoch_loss += value
        self.epoch_seconds += time.monotonic() - start

    def _stop_on(self, value: float, step: int, images: Tensor, masks: Tensor) -> NoReturn:
        """Save the batch whose loss is not finite, and say what to try."""
        path = self.run.folder / f"non_finite_batch_{self.world.rank}.safetensors"
        write_atomically(path, save({"images": images.cpu().contiguous(), "masks": masks.cpu().contiguous()}))
        raise InputError(
            f"The loss is {value} at step {step}. The batch, as the network got it, is in {path}: look there for "
            f"values that are not finite. Else lower the learning rate (--lr {self.config.lr / 10:g}) or use "
            "--precision float32."
        )

    def _end_epoch(self) -> bool:
        """Add the epoch to the history and return whether the validation part was looked at."""
        self.look_at_loss()
        epoch = self.step // self.plan.steps_per_epoch
        loss, speed = self._epoch_so_far(self.plan.steps_per_epoch)
        entry: dict[str, Any] = {"epoch": epoch, "step": self.step, "loss": loss, "images_per_second": round(speed, 2)}
        self.epoch_loss = self.epoch_seconds = 0.0
        self.history.append(entry)
        if epoch % self.config.evaluate_every and epoch != self.config.epochs:
            return False
        if self.world.is_main:
            self._look(entry)
        self.network.train()
        return True

    def _look(self, entry: dict[str, Any]) -> None:
        """Score the validation part, and keep the network if it is the best so far."""
        if self.split.validation:
            evaluation = evaluate(self.model, self.folder, self.card, self.split.validation, self.runtime)
            entry["validation"] = {
                row: {key: scores[key] for key in WATCHED} for row, scores in evaluation.scores.items()
            }
            if evaluation.answer[CHOSEN_BY] <= self.best:
                return
            self.best = evaluation.answer[CHOSEN_BY]
        save_model(self.model, self.run.weights, replace(self.card, details=self.card.details | entry))

    def save(self) -> None:
        """Write the state to the run's folder (rank 0 alone), once the last loss is known to be finite."""
        self.look_at_loss()
        if not self.world.is_main:
            return
        lines = (json.dumps(entry) + "\n" for entry in self.history)
        write_atomically(self.run.folder / "metrics.jsonl", "".join(lines))
        cuda = [torch.cuda.get_rng_state(self.runtime.device)] if self.runtime.device.type == "cuda" else []
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "random": [torch.get_rng_state(), *cuda],
            "step": self.step,
            "history": self.history,
            "best": self.best,
            "epoch_loss": self.epoch_loss,
            "epoch_seconds": self.epoch_seconds,
        }
        save_checkpoint(state, self.run.checkpoint)

    def restore(self, state: dict[str, Any]) -> None:
        """Take over a saved state."""
        try:
            load_weights(self.model, state["model"], self.run.checkpoint)
            for group in state["optimizer"]["param_groups"]:  # a run may go on on another kind of device
                group["fused"] = self.optimizer.defaults["fused"]
            self.optimizer.load_state_dict(state["optimizer"])
            torch.set_rng_state(state["random"][0])
            if self.runtime.device.type == "cuda" and len(state["random"]) > 1:
                torch.cuda.set_rng_state(state["random"][1], self.runtime.device)
            self.step, self.history, self.best = state["step"], state["history"], state["best"]
            self.epoch_loss, self.epoch_seconds = state["epoch_loss"], state["epoch_seconds"]
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{self.run.checkpoint} is no checkpoint of a training. Start a new run.") from error

    def _epoch_so_far(self, steps: int) -> tuple[float, float]:
        """Return the mean loss (of those looked at) and the images a second over ``steps`` of the epoch under way."""
        seen = steps - (self.made is not None)
        loss = self.epoch_loss / seen if seen else math.nan
        return loss, steps * self.config.batch_size / max(self.epoch_seconds, 1e-9)

    def _progress_bar(self, shown: bool) -> "tqdm[NoReturn]":
        return tqdm(total=len(self.plan), initial=self.step, unit="step", disable=not (shown and self.world.is_main))

    def _progress(self) -> str:
        """Return the epoch's mean loss and speed and the best validation IoU, for the progress bar."""
        steps = self.step % self.plan.steps_per_epoch
        last = self.history[-1] if self.history else {}
        loss, speed = self._epoch_so_far(steps) if steps else (last["loss"], last["images_per_second"])
        said = [] if math.isnan(loss) else [f"loss {loss:.3f}"]
        said += [f"best IoU {self.best:.3f}"] * (self.best >= 0)
        return ", ".join([*said, f"{speed:.1f} images/s"])
