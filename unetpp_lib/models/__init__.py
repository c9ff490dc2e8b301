"""U-Net, UNet++, pruning, and what networks cost."""

from unetpp_lib.models.blocks import ConvBlock, SegmentationNetwork
from unetpp_lib.models.folding import fold_batch_norm
from unetpp_lib.models.graph import NetworkGraph, read_graph
from unetpp_lib.models.profiling import Profile, choose_depth, profile, profile_depths
from unetpp_lib.models.pruning import prune
from unetpp_lib.models.single_output import SingleOutput
from unetpp_lib.models.unet import UNet, compute_matched_unet, wide_unet
from unetpp_lib.models.unetpp import UNetPlusPlus, probabilities

__all__ = [
    "ConvBlock",
    "NetworkGraph",
    "Profile",
    "SegmentationNetwork",
    "SingleOutput",
    "UNet",
    "UNetPlusPlus",
    "choose_depth",
    "compute_matched_unet",
    "fold_batch_norm",
    "probabilities",
    "profile",
    "profile_depths",
    "prune",
    "read_graph",
    "wide_unet",
]
