"""A folder of images and masks with five faults, as extra/24 shows them."""

import io
import shutil
from pathlib import Path

from PIL import Image

FAULTS = 5
QUALITY = 75  # Pillow's default for JPEG


def through_jpeg(mask: Image.Image) -> Image.Image:
    """Return a mask as it comes back from a JPEG file."""
    file = io.BytesIO()
    mask.save(file, "JPEG", quality=QUALITY)
    with Image.open(file) as read:
        return read.copy()


def write_broken_copy(root: Path, folder: Path) -> None:
    """Copy the first five images and masks of a data set into ``folder``, and break each pair in another way.

    In the order of their names: the mask is missing, it has another size, it is a JPEG file, it has been one and is a
    PNG file again, and the image is cut off.
    """
    names = sorted(path.name for path in (root / "images").glob("*.png"))[:FAULTS]
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
        for name in names:
            shutil.copyfile(root / part / name, folder / part / name)
    masks = [folder / "masks" / name for name in names]
    masks[0].unlink()
    for number, change in ((1, lambda mask: mask.crop((0, 0, 200, 200))), (3, through_jpeg)):
        with Image.open(masks[number]) as mask:
            changed = change(mask)
        changed.save(masks[number])
    with Image.open(masks[2]) as mask:
        mask.save(masks[2].with_suffix(".jpg"), quality=QUALITY)
    masks[2].unlink()
    image = folder / "images" / names[4]
    image.write_bytes(image.read_bytes()[:5000])
