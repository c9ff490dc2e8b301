"""The configuration of a training run."""

import json
import re
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from unetpp_lib.engine.options import check_option
from unetpp_lib.engine.preprocessing import Card
from unetpp_lib.engine.runtime import Precision
from unetpp_lib.errors import InputError
from unetpp_lib.models import SegmentationNetwork, UNet, UNetPlusPlus

ModelName = Literal["unet", "unetplus", "unetpp"]
PresetName = Literal["laptop", "full"]

# what may differ when a run is resumed: options that do not change its result
FREE_ON_RESUME = {"out", "device", "workers", "compiled", "checkpoint_seconds"}


@dataclass(frozen=True)
class TrainConfig:
    """The configuration of one training run; its fields are the options of the command line.

    Every value is checked. Raises InputError, which names the field, the value and what it must be.
    """

    data: str = "membranes"
    """A data set's name (see `unetpp data list`) or a folder with images/ and masks/."""
    preset: PresetName = "laptop"
    """The default values of all other options: laptop (minutes on two cores) or full (for a GPU)."""
    model: ModelName = "unetpp"
    """unet, unetplus (UNet+: no dense skips) or unetpp."""
    deep_supervision: bool = True
    """One head on each X^{0,j} (UNet++ and UNet+), so that the network can be pruned."""
    widths: tuple[int, ...] = (8, 16, 32, 64, 128)
    """Channels of each level; the depth is their number minus one."""
    norm: Literal["batch", "group", "instance", "none"] = "batch"
    """The kind of normalisation layers."""
    upsample: Literal["transpose", "bilinear"] = "transpose"
    """How a node enlarges the map from the row below."""
    dropout: float = 0.0
    """Fraction of the channels that dropout zeroes after each block in training."""
    channels: int = 1
    """Channels of the images: 1 (grey), 3 (RGB), or the number of their bands."""
    num_classes: int = 1
    """1: foreground against background; C ≥ 2: the masks hold classes 0 … C-1, and 255 is ignored."""
    class_names: tuple[str, ...] = ()
    """The names of the classes, class 0 first; they go into the network's card and the tables of scores."""
    init: str = ""
    """Train on from the weights of a run (and from its options), a .safetensors file or a network that comes along."""
    mask_suffix: str = ""
    """What follows an image's name in its mask's: _mask for images/a.png with masks/a_mask.png."""
    epochs: int = 40
    """Passes over the training part; in one epoch each image yields as many patches as fit into its area."""
    batch_size: int = 4
    """Patches per step, over all processes."""
    patch: int = 256
    """Side of the square patches, in pixels."""
    lr: float = 3e-3
    """Highest learning rate of Adam; it warms up over the first 5 % of the steps, then follows a cosine to 0."""
    bce_weight: float = 0.5
    """Weight of the cross-entropy in each head's loss."""
    dice_weight: float = 1.0
    """Weight of 1 - soft Dice in each head's loss."""
    foreground_weight: float = 1.0
    """Weight of the foreground's pixels (classes 1 …) in the cross-entropy; above 1 finds more of a rare foreground."""
    augment: bool = True
    """Flip, rotate and deform the training patches, change their intensity and add noise."""
    split: Literal["auto", "random", "blocked"] = "auto"
    """auto: the set's split.json; else by whole stacks (three or more), in blocks (one or two), or random by image."""
    group: str = ""
    """A regular expression that finds in each file's name what must not be divided, an animal say: `mouse[0-9]+`."""
    validation: float = 0.15
    """Fraction of the images by which the best epoch is chosen (if the set has no split of its own)."""
    test: float = 0.15
    """Fraction of the images that are scored once, at the end; with 0, the validation part is scored instead."""
    evaluate_every: int = 4
    """Epochs between two validations."""
    seed: int = 0
    """Seed of the split, the weights, the order, the patches and the augmentation."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:1 …"""
    precision: Precision = "auto"
    """auto: bf16 if the hardware has instructions for it, else float32; tf32: float32 with 10 bits, only on CUDA."""
    compiled: bool = False
    """Compile the network (torch.compile): a slow start, then faster steps on a GPU."""
    workers: int = 0
    """Processes that read images; 0 reads in the training process. In all, a GiB of decoded images is kept."""
    checkpoint_seconds: float = 60.0
    """A checkpoint is written after each validation, and in between whenever this many seconds have passed."""
    out: Path | None = field(default=None)
    """The run's folder; default: a new one under runs/."""

    def __post_init__(self) -> None:
        for option in fields(self):
            value = check_option(option.name, getattr(self, option.name), option.type)
            most = 2**63 - 1 if option.name == "seed" else 2**31 - 1
            if option.type is int and value > most:
                raise InputError(f"{option.name} is {value}; it must be at most {most}.")
            object.__setattr__(self, option.name, value)
        if self.init and Path(self.init).exists():  # else it is the name of a network that comes along
            object.__setattr__(self, "init", str(Path(self.init).resolve()))
        self._check_ranges()
        self._check_groups_and_classes()

    def _check_ranges(self) -> None:
        sizes = ("channels", "num_classes", "epochs", "batch_size", "patch")
        for name in (*sizes, "lr", "foreground_weight", "evaluate_every"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} is {getattr(self, name)}; it must be greater than 0.")
        for name in ("bce_weight", "dice_weight", "workers", "seed", "checkpoint_seconds"):
            if getattr(self, name) < 0:
                raise InputError(f"{name} is {getattr(self, name)}; it must be at least 0.")
        for name in ("dropout", "validation", "test"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; it must be at least 0 and less than 1.")
        if self.validation + self.test >= 1:
            raise InputError(
                f"validation is {self.validation} and test is {self.test}; together they must be less than 1, "
                "so that images remain to train on."
            )
        if self.bce_weight == self.dice_weight == 0:
            raise InputError("bce_weight and dice_weight are both 0; the loss needs at least one term.")
        if self.bce_weight == 0 and self.foreground_weight != 1:
            raise InputError("foreground_weight weighs the cross-entropy, and bce_weight is 0; give both, or neither.")

    def _check_groups_and_classes(self) -> None:
        try:
            re.compile(self.group)
        except re.error as error:
            raise InputError(f"group is {self.group!r}, which is no regular expression: {error}.") from error
        if self.group and self.split != "auto":
            raise InputError(f'group is {self.group!r} and split is "{self.split}"; groups need split="auto".')
        if self.class_names and len(self.class_names) != max(2, self.num_classes):
            advice = " A network that starts from init keeps its number of classes." if self.init else ""
            raise InputError(
                f"class_names is {self.class_names}; num_classes={self.num_classes} needs {max(2, self.num_classes)} "
                f"names, class 0 (the background) first.{advice}"
            )

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, as given or else made up."""
        return self.class_names or Card().names_of(self.num_classes)

    def build_model(self) -> SegmentationNetwork:
        """Return the untrained network."""
        arguments: dict[str, Any] = {
            "in_channels": self.channels,
            "num_classes": self.num_classes,
            "widths": self.widths,
            "norm": None if self.norm == "none" else self.norm,
            "upsample": self.upsample,
            "dropout": self.dropout,
        }
        match self.model:
            case "unet":
                return UNet(**arguments)
            case "unetplus":
                return UNetPlusPlus(**arguments, deep_supervision=self.deep_supervision, dense=False)
            case "unetpp":
                return UNetPlusPlus(**arguments, deep_supervision=self.deep_supervision)

    def to_json(self) -> str:
        """Return the configuration as JSON text, without ``out``: the text is kept in that folder."""
        values = asdict(self)
        del values["out"]
        return json.dumps(values, indent=2) + "\n"

    @classmethod
    def from_json(cls, path: Path) -> "TrainConfig":
        """Read the configuration of the run in ``path``'s folder; InputError for a file that is missing or damaged."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            known = {f.name for f in fields(cls)} - {"out"}
            if not isinstance(values, dict) or not values.keys() <= known:
                raise InputError(f"{path} holds options that this version does not know. Start a new run.")
            values["widths"] = tuple(values["widths"])
        except FileNotFoundError as error:
            raise InputError(f"{path.parent} is not a run folder: it has no config.json. Check the path.") from error
        except (json.JSONDecodeError, KeyError, TypeError, UnicodeDecodeError) as error:
            raise InputError(f"{path} is damaged. Restore it, or start a new run.") from error
        try:
            return cls(**values, out=path.parent)
        except InputError as error:
            raise InputError(f"{path}: {error} Correct it, or start a new run.") from error

    def require_same_result(self, other: "TrainConfig") -> None:
        """Raise InputError if ``other``, the run on disk, has options that would change the result."""
        names = [f.name for f in fields(self) if f.name not in FREE_ON_RESUME]
        differ = [
            f"{name} is {getattr(self, name)} here and {getattr(other, name)} there"
            for name in names
            if getattr(self, name) != getattr(other, name)
        ]
        if differ:
            raise InputError(
                f"{other.out} was started with another configuration: {'; '.join(differ)}. "
                "Resume with the same options, or start a new run with another --out."
            )


LAPTOP = TrainConfig()
PRESETS: dict[PresetName, TrainConfig] = {
    "laptop": LAPTOP,
    "full": replace(
        LAPTOP, preset="full", widths=(32, 64, 128, 256, 512), epochs=300, batch_size=8, lr=1e-3, evaluate_every=10
    ),
}
