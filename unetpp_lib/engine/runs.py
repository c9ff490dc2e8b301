"""A run's folder: what a training leaves behind, and how it is read again."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from unetpp_lib.data import (
    SegmentationFolder,
    Split,
    find_dataset,
    find_groups,
    find_stacks,
    read_split,
    split_by_group,
    split_by_image,
    split_in_blocks,
    write_split,
)
from unetpp_lib.data.catalog import shipped_data, user_cache
from unetpp_lib.engine.config import TrainConfig
from unetpp_lib.engine.model_files import load_model
from unetpp_lib.engine.preprocessing import Card
from unetpp_lib.engine.runtime import Runtime, provenance
from unetpp_lib.errors import InputError
from unetpp_lib.files import write_atomically
from unetpp_lib.models import SegmentationNetwork

WHOLE_STACKS = 3  # from this number on, stacks are kept whole: one for each part


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
    """Return the split that ``config.split`` and ``config.group`` ask for; its ``how`` says what was done.

    A run that starts from the weights of another on the same images keeps its split. Raises InputError where an image
    would be held out that those weights have learned from, and for a split.json that does not fit.
    """
    automatic = config.split == "auto" and not config.group
    earlier = earlier_runs(config.init, folder.root)
    if automatic and earlier and earlier[0].split.names == set(folder.names):
        split = replace(earlier[0].split, how=f"As in {earlier[0].folder.name}, whose weights it starts from.")
    elif automatic and (folder.root / "split.json").is_file():
        split = _read_own_split(folder)
    else:
        split = _divide(folder, config)
    learned = sorted({name for run in earlier for name in run.split.train} & {*split.validation, *split.test})
    if learned:
        raise InputError(
            f"init is {config.init}, which has learned from {learned[0]}, and this split would hold that image out "
            f"({len(learned)} in all), so its score would flatter. Leave out --split and --group, or give a split.json "
            "that trains on these images."
        )
    return split


def earlier_runs(init: str, root: Path) -> list[Run]:
    """Return the runs on the data in ``root`` that the weights ``init`` come from, latest first, if they are there."""
    runs: list[Run] = []
    while init and Path(init).exists():
        run = Run(Path(init) if Path(init).is_dir() else Path(init).parent)
        if not (run.split_file.is_file() and (run.folder / "config.json").is_file()):
            break
        runs += [run] if run.was_trained_on(root) else []
        init = run.config.init
    return runs


def _read_own_split(folder: SegmentationFolder) -> Split:
    own = folder.root / "split.json"
    split = read_split(own)
    missing = split.names - set(folder.names)
    if missing or not split.train:
        raise InputError(f"{own} names no training image, or images that are not there: {sorted(missing)[:3]}.")
    return replace(split, how=f"As {folder.root.name}/split.json says.")


def _divide(folder: SegmentationFolder, config: TrainConfig) -> Split:
    """Divide the images: by groups, by stacks or in blocks where there are any, else at random."""
    shares = config.validation, config.test, config.seed
    groups, why = ({}, "") if config.group or config.split == "random" else find_stacks(folder)
    if config.group:
        groups = find_groups(folder, config.group)
        split, how = split_by_group(groups, *shares), f"By group, of which there are {len(groups)}."
    elif len(groups) >= WHOLE_STACKS and config.split == "auto":
        split, how = split_by_group(groups, *shares), f"By whole stacks, of which there are {len(groups)}: {why}."
    elif groups or config.split == "blocked":
        stacks = groups or {folder.root.name: list(folder.names)}
        split, how = split_in_blocks(stacks, *shares), f"In blocks of neighbouring slices: {why or 'as asked'}."
    else:
        split, how = split_by_image(folder.names, *shares), "At random, image by image."
    parts = (split.validation, config.validation), (split.test, config.test)
    if any(abs(len(part) / len(folder) - share) > 0.05 for part, share in parts):
        how += f" Asked for were validation {config.validation:.0%} and test {config.test:.0%}."
    return replace(split, how=how)


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
