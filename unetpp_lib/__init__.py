"""U-Net and UNet++ for image segmentation: networks, losses, scores, data, training and pruning.

Import from the packages, for example ``from unetpp_lib.models import UNetPlusPlus``; importing this one costs nothing.
"""

__version__ = "0.1.0"
