"""A run's folder: what a training leaves behind, and how it is read again."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from unetpp_lib.data import SegmentationFolder, Split, find_dataset, is_stack, read_split, split_by_image, write_split
from unetpp_lib.data.catalog import shipped_data, user_cache
from unetpp_lib.engine.config import TrainConfig
from unetpp_lib.engine.model_files import load_model
from unetpp_lib.engine.preprocessing import Card
from unetpp_lib.engine.runtime import Runtime, provenance
from unetpp_lib.errors import InputError
from unetpp_lib.files import write_atomically
from unetpp_lib.models import SegmentationNetwork


@dataclass(frozen=True)
class Run:
    """One training run on disk."""

    folder: Path

    @property
    def config(self) -> TrainConfig:
        """The configuration that it was started with."""
        return TrainConfig.from_json(self.folder / "config.json")

    @property
    def split_file(self) -> Path:
        """The file of the split; a run that has it has begun."""
        return self.folder / "split.json"

    @property
    def split(self) -> Split:
        """Which images are for training, validation and test."""
        return read_split(self.split_file)

    @property
    def checkpoint(self) -> Path:
        """The last state, to resume from."""
        return self.folder / "last.pt"

    @property
    def weights(self) -> Path:
        """The best network by the validation part."""
        return self.folder / "best.safetensors"

    @property
    def picture(self) -> Path:
        """Predictions beside the truth."""
        return self.folder / "predictions.png"

    @property
    def history(self) -> list[dict[str, Any]]:
        """One entry per epoch: epoch, step, mean loss, seconds, images per second, validation scores where taken."""
        path = self.folder / "metrics.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    def write_history(self, entries: list[dict[str, Any]]) -> None:
        """Write the entries of all epochs so far, one a line."""
        write_atomically(self.folder / "metrics.jsonl", "".join(json.dumps(entry) + "\n" for entry in entries))

    @property
    def scores(self) -> dict[str, Any]:
        """The final scores, by reading, and the part that they were measured on; empty before the end."""
        path = self.folder / "scores.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}

    @property
    def is_finished(self) -> bool:
        """Whether it came to its end."""
        return bool(self.scores)

    def was_trained_on(self, folder: Path) -> bool:
        """Whether ``folder`` is the data set that it was trained on, however the path is written."""
        try:
            return find_dataset(self.config.data).samefile(folder)
        except InputError:  # that set is no longer where it was
            return False

    def load_model(self) -> tuple[SegmentationNetwork, Card]:
        """Return its best network and card."""
        return load_model(self.weights)

    def write_json(self, name: str, content: Any) -> None:
        """Write one JSON file into the folder."""
        write_atomically(self.folder / name, json.dumps(content, indent=2) + "\n")


def open_run(config: TrainConfig, folder: SegmentationFolder, resume: bool) -> tuple[Run, Split]:
    """Return the run to go on with, or a new one, and its split; nothing is written yet.

    Raises InputError where there is no run to go on with, or it was started with other options.
    """
    if resume:
        if config.out is None:
            raise InputError("--resume needs the run's folder: say which with --out.")
        run = Run(config.out)
        before = run.config
        if run.was_trained_on(folder.root):
            before = replace(before, data=config.data)
        config.require_same_result(before)
        if run.split_file.exists():
            return run, read_split(run.split_file)
    else:
        run = Run(new_run_folder(config))
    split = choose_split(folder, config)
    refuse_copies(folder, split)
    return run, split


def begin_run(run: Run, config: TrainConfig, split: Split, runtime: Runtime) -> None:
    """Write what a new run starts from: configuration, provenance and split.

    The data are written with their full path, so that the run can be opened from any working folder and is never scored
    on another set of the same name. Shipped and downloaded sets are the same on every machine: their names stay.
    """
    root = find_dataset(config.data)
    if root.parent not in (shipped_data(), user_cache()):
        config = replace(config, data=str(root.resolve()))
    write_atomically(run.folder / "config.json", config.to_json())
    run.write_json("provenance.json", provenance(runtime))
    write_split(split, run.split_file)


def choose_split(folder: SegmentationFolder, config: TrainConfig) -> Split:
    """Return the folder's own split.json if it has one, else a split by image, blocked for a stack of slices."""
    own = folder.root / "split.json"
    if config.split == "auto" and own.is_file():
        split = read_split(own)
        missing = {*split.train, *split.validation, *split.test} - set(folder.names)
        if missing or not split.train:
            raise InputError(f"{own} names no training image, or images that are not there: {sorted(missing)[:3]}.")
        return split
    blocked = config.split == "blocked" or (config.split == "auto" and is_stack(folder.root))
    return split_by_image(folder.names, config.validation, config.test, config.seed, blocked)


def refuse_copies(folder: SegmentationFolder, split: Split) -> None:
    """Raise InputError where an image of the training part stands in another part as well, under another name."""
    seen: dict[bytes, str] = {}
    for part in ("train", "validation", "test"):
        for name in getattr(split, part):
            content = folder.contents[folder.index_of[name]]
            if not content:
                continue  # an empty image teaches nothing that a copy could give away
            if part != "train" and content in seen:
                raise InputError(
                    f"{folder.root}: {name} ({part}) is a copy of {seen[content]} (train), so its score would be of a "
                    "picture that was learned. Remove one of them, or put both into one part with a split.json."
                )
            if part == "train":
                seen[content] = name


def new_run_folder(config: TrainConfig) -> Path:
    """Return the folder of a new run: ``config.out``, or the first free number under runs/.

    Raises InputError where ``config.out`` holds files: nothing is ever overwritten.
    """
    if config.out is None:
        name = f"{Path(config.data).name}-{config.model}-{config.preset}"
        number = 1
        while Path("runs", f"{name}-{number}").exists():
            number += 1
        return Path("runs", f"{name}-{number}")
    if config.out.exists() and not config.out.is_dir():
        raise InputError(f"{config.out} is a file. Choose another --out.")
    if config.out.is_dir() and any(file.suffix != ".tmp" for file in config.out.iterdir()):
        raise InputError(f"{config.out} exists and holds files. Go on with it by --resume, or choose another --out.")
    return config.out
