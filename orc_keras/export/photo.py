"""From a photo to `images`, the input of the network beside this file; by NumPy and Pillow alone.

    from photo import to_images
    images = to_images("photo.jpg")

The pixels are those of the network's evaluation, but for ties of rounding.
"""

import json
from pathlib import Path

import numpy as np
from PIL import Image

BILINEAR = Image.Resampling.BILINEAR
FORMATS = ("PNG", "JPEG", "BMP", "WEBP")


def to_images(file, description=None):
    """Returns an image as uint8 `[1, height, width, channels]`.

    It becomes 8 bits on a white background, in the network's colours; its central part is cut out,
    averaged in whole blocks if it is of twice the size or more, and resized bilinearly. EXIF
    orientation is ignored.

    Args:
        file: path of the image, or a file that is open for reading bytes.
        description: the contents of preprocessing.json; None: of the one beside this file.

    Raises:
        OSError: if the file is no image, or cut.
        ValueError: if it has more than `most_pixels`, or is damaged otherwise.
    """
    if description is None:
        beside = Path(__file__).with_name("preprocessing.json")
        description = json.loads(beside.read_text(encoding="utf-8"))
    height, width, channels = (description[axis] for axis in ("height", "width", "channels"))
    try:
        image = Image.open(file, formats=FORMATS)  # reads no more than the header
        if image.width * image.height > description["most_pixels"]:
            raise ValueError(f"An image of {image.width} x {image.height} pixels is too large.")
        image = _opaque(image, description["background"])
        image = image.convert("L" if channels == 1 else "RGB")
    except (OSError, ValueError):
        raise
    except Exception as error:  # Pillow raises many kinds, an AssertionError without a palette
        raise ValueError(f"The image is damaged: {error!r}") from error
    scale = min(np.float32(image.width) / width, np.float32(image.height) / height)
    scale = np.float32(scale * np.float32(description["crop"]))
    columns, rows = (max(int(np.round(scale * np.float32(n))), 1) for n in (width, height))
    left, top = (image.width - columns) // 2, (image.height - rows) // 2
    block = max(min(columns // width, rows // height), 1)
    columns, rows = columns // block, rows // block
    box = (left, top, left + columns * block, top + rows * block)

    def resized(plane):
        averages = plane.convert("F").reduce(block, box)
        extent = Image.Transform.EXTENT
        return averages.transform((width, height), extent, (0, 0, columns, rows), BILINEAR)

    planes = [np.asarray(resized(plane)) for plane in image.split()]
    return np.rint(np.stack(planes, axis=-1)).astype(np.uint8)[None]


def _opaque(image, background):
    if image.mode.startswith("I"):  # 16 bits, which Pillow would cut off at 255
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if not image.has_transparency_data:
        return image
    pixels = np.asarray(image.convert("RGBA"))
    opaque = np.empty((*pixels.shape[:2], 3), np.uint8)
    for number, row in enumerate(pixels):  # in floating point, a whole one may take gigabytes
        alpha = row[:, 3:].astype(np.float32) / 255
        opaque[number] = np.rint(row[:, :3] * alpha + background * (1 - alpha))
    return Image.fromarray(opaque)
