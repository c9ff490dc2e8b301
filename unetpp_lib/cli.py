"""The command `unetpp`: each subcommand says what it did and where; wrong input is one message and exit status 2."""

import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Literal, cast

import tyro
from tyro.conf import OmitArgPrefixes, OmitSubcommandPrefixes, Positional, arg
from tyro.extras import SubcommandApp

from unetpp_lib import data, engine, models
from unetpp_lib.data.catalog import KNOWN
from unetpp_lib.engine import Run, TrainConfig
from unetpp_lib.engine.config import PresetName
from unetpp_lib.engine.distributed import is_main_process
from unetpp_lib.engine.image_files import find_images, name_pages, predict_pages, refuse_to_overwrite
from unetpp_lib.engine.tiles import TILE
from unetpp_lib.engine.warm_start import config_from
from unetpp_lib.errors import InputError
from unetpp_lib.models.unetpp import Mode

Part = Literal["train", "validation", "test", "all"]
WARNINGS = 5  # that are printed
WORTH = {  # of the scores on a part
    "test": "never seen in training",
    "validation": "no test part: these chose the epoch, and flatter",
    "train": "no test part and no validation part: these were trained on, and say nothing of new images",
}
INTERRUPTED = 130  # the shells' exit status of a program that Ctrl-C stopped


def list_sets() -> None:
    """List the data sets at hand, and those that can be downloaded."""
    for found in data.list_datasets():
        print(f"{found.name:<16}{found.images:>5} images   {found.place:<14}{found.folder or ''}")


def download(name: Positional[str], /, out: Path | None = None) -> None:
    """Fetch a public data set and lay it out as images/ and masks/.

    Args:
        name: isbi2012, isbi2012_test or dsb2018.
        out: The folder to write; default: the user's cache.
    """
    folder = data.download(name, out)
    print(f"The images and masks are in {folder}.\n{KNOWN[name].credit()}")


def check_folder(folder: Positional[str], /, channels: int = 1, num_classes: int = 1, mask_suffix: str = "") -> None:
    """Check every image and mask of a folder; all faults are listed at once.

    Args:
        folder: A folder with images/ and masks/, or a data set's name.
        channels: 1 (grey), 3 (RGB), or the number of bands of the images.
        num_classes: 1 for foreground against background, else how many classes the masks hold.
        mask_suffix: What follows an image's name in its mask's, such as _mask.
    """
    found = data.SegmentationFolder(data.find_dataset(folder), channels, num_classes, mask_suffix=mask_suffix)
    sizes = sorted(set(found.sizes))
    print(f"{found.root}: {len(found)} pairs of image and mask, no faults.")
    more = " …" if len(sizes) > 5 else ""
    print(f"Height × width: {', '.join(f'{h}×{w}' for h, w in sizes[:5])}{more}")
    print("Share of the pixels: " + ", ".join(f"class {k} {share:.1%}" for k, share in enumerate(found.class_shares)))
    if num_classes > 1:
        print(f"Ignored (255): {found.ignored_share:.1%} of all pixels")
    for note in found.notes:
        print(f"Note: {note}")


def train(config: Annotated[TrainConfig, OmitArgPrefixes], resume: bool = False) -> int:
    """Train a network, score it on images that it has never seen, and draw its predictions.

    Args:
        config: The run.
        resume: Go on with the run in --out.
    """
    run = engine.train(config, resume)
    if not is_main_process():
        return 0
    if not run.is_finished:
        print(f"Stopped; the state is saved. Go on with: unetpp train --out {run.folder} --resume")
        return INTERRUPTED
    scores = run.scores
    print(f"\nScores on the {scores['part']} part, {len(scores['images'])} images ({WORTH[scores['part']]}):")
    print(engine.Evaluation(tuple(scores["images"]), scores["scores"], tuple(scores.get("classes", ()))).table())
    print(f"\nPredictions: {run.picture}\nRun: {run.folder}")
    return 0


def evaluate(
    run_or_weights: Positional[Path],
    /,
    on: Annotated[str | None, arg(name="data")] = None,
    part: Part = "test",
    device: str = "auto",
    mask_suffix: str = "",
) -> None:
    """Score every head of a network.

    Args:
        run_or_weights: A run folder, a .safetensors file, or a network that comes along, such as unetpp_membranes.
        on: A data set's name or folder; default: the run's own.
        part: Which part to score; a set that has no split is scored whole.
        device: auto, cpu, cuda …
        mask_suffix: What follows an image's name in its mask's, such as _mask; of the run's own data it is known.
    """
    model, card = engine.load_model(engine.find_weights(run_or_weights))
    run = Run(run_or_weights) if run_or_weights.is_dir() else None
    if on is None and run is None:
        raise InputError(f"{run_or_weights} is no run folder: say with --data what to score it on.")
    root = data.find_dataset(run.config.data if run is not None and on is None else cast(str, on))
    own = run if run is not None and run.was_trained_on(root) else None
    suffix = run.config.mask_suffix if run is not None and own is not None else mask_suffix
    folder = data.SegmentationFolder(root, model.in_channels, model.num_classes, mask_suffix=suffix, complete=False)
    given = folder.root / "split.json"
    split = own.split if own is not None else data.read_split(given) if given.is_file() else None
    names = folder.names if split is None or part == "all" else getattr(split, part)
    if not names:
        raise InputError(f"The {part} part of {folder.root} is empty; choose another --part.")
    evaluation = engine.evaluate(model, folder, card, names, engine.choose_runtime(device))
    print(f"{folder.root}, {'all' if split is None else part}: {len(names)} images")
    print(evaluation.table())


def predict(
    run_or_weights: Positional[Path],
    images: Positional[tuple[Path, ...]],
    /,
    out: Path,
    depth: int | None = None,
    mode: Mode = "accurate",
    threshold: float | None = None,
    tile: int = TILE,
    average_flips: bool = False,
    device: str = "auto",
) -> None:
    """Write masks and probabilities for images of any size.

    Args:
        run_or_weights: A run folder, a .safetensors file, or a network that comes along, such as unetpp_membranes.
        images: Files, folders, and patterns such as 'scans/**/*.tif'. PNG, TIFF or JPEG, where every page of a TIFF is
            an image; .npy files and TIFFs of more than 67 million pixels (one page, no compression) are read area by
            area and need not fit into memory.
        out: The folder for NAME_mask.png (0 and 255, or the classes, with a palette) and NAME_probability.png (255 is
            probability 1); for what is read area by area they are .npy, the probabilities float32 (classes, height,
            width).
        depth: The deepest head to use; default: the deepest there is.
        mode: accurate (the mean of the heads up to the depth) or fast (that head alone).
        threshold: A pixel is foreground where its probability is above this; default: the network's own.
        tile: Larger images are read in overlapping tiles of this side, in pixels.
        average_flips: Take the mean over the image and its mirror images.
        device: auto, cpu, cuda …
    """
    if not images:
        raise InputError("No images were given; name at least one file, folder or pattern.")
    files = find_images(images)
    model, card = engine.load_model(engine.find_weights(run_or_weights))
    pages = name_pages(files, model.in_channels)
    if threshold is not None and model.num_classes > 1:
        raise InputError(f"threshold is {threshold}, and this network has {model.num_classes} classes; leave it out.")
    card = card if threshold is None else replace(card, threshold=threshold)
    ask = engine.Predictor(model, card, mode, depth, tile, average_flips, engine.choose_runtime(device))
    refuse_to_overwrite(out, pages, model.num_classes)
    strange = predict_pages(ask, pages, out)
    print(f"Wrote the masks and probabilities of {len(pages)} images to {out}.")
    for line in strange[:WARNINGS]:
        print(f"Warning: {line}.", file=sys.stderr)
    if len(strange) > WARNINGS:
        print(f"Warning: … and {len(strange) - WARNINGS} more of these.", file=sys.stderr)


def prune(run_or_weights: Positional[Path], /, depth: int, out: Path) -> None:
    """Cut a network to the nodes that heads 1 … depth need.

    Args:
        run_or_weights: A run folder, a .safetensors file, or a network that comes along, such as unetpp_membranes.
        depth: The depth that stays.
        out: The .safetensors file to write.
    """
    if out.exists():
        raise InputError(f"{out} exists already; choose another --out.")
    model, card = engine.load_model(engine.find_weights(run_or_weights))
    pruned = models.prune(model, depth)
    engine.save_model(pruned, out, card)
    before, after = (sum(p.numel() for p in network.parameters()) for network in (model, pruned))
    print(f"Wrote {out}: depth {depth} of {model.depth}, {after:,} of {before:,} parameters, the same answers.")


def export(run_or_weights: Positional[Path], /, out: Path, mode: Mode = "accurate", depth: int | None = None) -> None:
    """Write a network for other programs: ONNX (.onnx), torch.export (.pt2), or the page in a browser (.bin).

    Args:
        run_or_weights: A run folder, a .safetensors file, or a network that comes along, such as unetpp_membranes.
        out: The file to write; its ending chooses the format.
        mode: accurate (the mean of the heads) or fast (the deepest head alone); a .bin file holds every head.
        depth: Prune to this depth first.
    """
    model, card = engine.load_model(engine.find_weights(run_or_weights))
    engine.export_model(model, out, card, mode, depth)
    if out.suffix == ".bin":
        print(f"Wrote {out}: {out.stat().st_size / 1e6:.2f} MB, the weights of every head, rounded to float16.")
        return
    print(f"Wrote {out}: images (N, {model.in_channels}, H, W) in [0, 1] in, probabilities of the same size out.")


def profile(run_or_weights: Positional[Path], /, size: int = 512, device: str = "cpu") -> None:
    """Measure what a network costs at each depth.

    Args:
        run_or_weights: A run folder, a .safetensors file, or a network that comes along, such as unetpp_membranes.
        size: Side of the square image, in pixels.
        device: cpu, cuda …
    """
    model, _ = engine.load_model(engine.find_weights(run_or_weights))
    runtime = engine.choose_runtime(device, "float32")
    if len(model.heads) > 1:
        costs = models.profile_depths(model, size, runtime.device)
    else:
        costs = {model.depth: models.profile(model, size, runtime.device)}
    print(f"One image of {size}×{size} pixels on {runtime}")
    print("depth   parameters        MACs    peak memory    latency")
    for depth, cost in costs.items():
        memory, milliseconds = cost.peak_memory / 2**20, cost.latency * 1000
        print(f"{depth:>5}{cost.parameters:>13,}{cost.macs / 1e9:>10.2f} G{memory:>11.1f} MiB{milliseconds:>8.1f} ms")


@dataclass(frozen=True)
class Start:
    """The options of `unetpp train` that decide where all others start."""

    preset: PresetName | None = None
    init: str = ""
    out: Path | None = None
    resume: bool = False


def train_defaults(args: Sequence[str]) -> TrainConfig:
    """Return what the options of `unetpp train` start from: the values of a preset, or those of a run to go on with."""
    try:
        start, _ = tyro.cli(Start, args=args, return_unknown_args=True, add_help=False, console_outputs=False)
    except SystemExit:  # the whole command line says what is wrong
        return engine.PRESETS["laptop"]
    if start.resume and start.out is not None:
        return Run(start.out).config
    preset = None if start.preset is None else engine.PRESETS[start.preset]
    return config_from(start.init, preset) if start.init else preset or engine.PRESETS["laptop"]


def make_app(defaults: TrainConfig) -> SubcommandApp:
    """Return the command with all its subcommands; the options of `train` start from ``defaults``."""
    sets, app = SubcommandApp(), SubcommandApp()
    sets.command(name="list")(list_sets)
    sets.command(download)
    sets.command(name="check")(check_folder)
    app.command(sets, name="data", help="List, download and check data sets.")
    train_here = partial(train, config=defaults)
    train_here.__doc__ = train.__doc__
    app.command(name="train")(train_here)
    for command in (evaluate, predict, prune, profile, export):
        app.command(command)
    return app


def let_output_pass() -> None:
    """Print "?" for what the output's encoding lacks, instead of an error: a pipe of Windows may lack "≥"."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line; the process ends with 0, with 2 for wrong input, or with 130 after Ctrl-C."""
    let_output_pass()
    args = sys.argv[1:] if args is None else args
    try:
        app = make_app(train_defaults(args))
        status = app.cli(
            prog="unetpp",
            description="Train, score, use and prune U-Net and UNet++.",
            args=args,
            config=(OmitSubcommandPrefixes,),
        )
    except (InputError, OSError) as error:  # an OSError names its file: no right to read it, for example
        print(f"unetpp: {error}", file=sys.stderr)
        status = 2
    sys.exit(status)
