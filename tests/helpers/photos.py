"""Photos of every mode and size, as files, and those that TensorFlow would decode wrongly."""

import io
import struct

import numpy as np
from PIL import Image


def _pixels(height, width, channels=3, seed=0):
    """Noise over coarse blocks, as in a photo, so that neither resizing nor JPEG is trivial."""
    rng = np.random.default_rng(seed)
    blocks = rng.normal(128, 60, (height // 4 + 1, width // 4 + 1, channels))
    noise = rng.normal(0, 10, (height, width, channels))
    photo = np.kron(blocks, np.ones((4, 4, 1)))[:height, :width] + noise
    return np.clip(photo, 0, 255).astype(np.uint8).squeeze()


def _image(height, width, mode="RGB"):
    if mode in ("RGBA", "LA"):
        image = Image.fromarray(_pixels(height, width)).convert(mode[:-1])
        image.putalpha(Image.fromarray(_pixels(height, width, 1, seed=1)))
        return image
    return Image.fromarray(_pixels(height, width)).convert(mode)


def _encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _rotated(kind):
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: to be turned to the right
    return _encoded(_image(48, 64), kind, exif=exif)


def _of_16_bits():
    grey = _pixels(40, 50, 1).astype(np.uint16) * 257 + 3
    return _encoded(Image.fromarray(grey), "PNG")


def good():
    """Returns the contents of files by name."""
    sizes = [(32, 32), (8, 8), (33, 31), (20, 20), (1, 1), (1, 40), (300, 2), (2, 300)]
    sizes += [(64, 64), (72, 72), (333, 500), (500, 333), (1000, 37)]
    files = {f"{h}x{w}.png": _encoded(_image(h, w), "PNG") for h, w in sizes}
    files |= {f"{h}x{w}.jpg": _encoded(_image(h, w), "JPEG", quality=90) for h, w in sizes[:9:2]}
    for mode in ("1", "L", "LA", "RGBA", "P"):
        files[f"{mode}.png"] = _encoded(_image(48, 40, mode), "PNG")
    palette = _image(48, 40, "RGBA").quantize(method=Image.Quantize.FASTOCTREE)
    files["palette_with_alpha.png"] = _encoded(palette, "PNG")
    files["grey.jpg"] = _encoded(_image(48, 40, "L"), "JPEG")
    files["cmyk.jpg"] = _encoded(_image(48, 40, "CMYK"), "JPEG")
    files["progressive.jpg"] = _encoded(_image(96, 80), "JPEG", progressive=True, subsampling=2)
    files["lossy.webp"] = _encoded(_image(48, 40), "WEBP", quality=80)
    files["alpha.webp"] = _encoded(_image(48, 40, "RGBA"), "WEBP", lossless=True)
    files["24.bmp"] = _encoded(_image(48, 40), "BMP")
    files["grey.bmp"] = _encoded(_image(48, 40, "L"), "BMP")
    files["16_bits.png"] = _of_16_bits()
    for kind in ("jpg", "png", "webp"):
        files[f"rotated_by_exif.{kind}"] = _rotated(kind.replace("jpg", "jpeg"))
    return files


def _huge():
    """Returns files by name whose headers promise 10,000 x 10,000 pixels."""
    small, side, less = _image(20, 20), 10_000, 9_999
    jpeg, alpha = _encoded(small, "JPEG"), _encoded(_image(20, 20, "RGBA"), "WEBP")

    def patched(contents, position, size):
        return contents[:position] + size + contents[position + len(size) :]

    return {
        "huge.png": _encoded(Image.new("1", (side, side)), "PNG"),
        "huge.jpg": patched(jpeg, jpeg.index(b"\xff\xc0") + 5, struct.pack(">2H", side, side)),
        "huge.bmp": patched(_encoded(small, "BMP"), 18, struct.pack("<2i", side, -side)),
        "huge.webp": patched(_encoded(small, "WEBP"), 26, struct.pack("<2H", side, side)),
        "huge_lossless.webp": patched(
            _encoded(small, "WEBP", lossless=True), 21, struct.pack("<I", less << 14 | less)
        ),
        "huge_alpha.webp": patched(alpha, 24, less.to_bytes(3, "little") * 2),
    }


def refused():
    """Returns the contents of files that are refused, by name, with the end of the sentence."""
    frames = [_image(20, 20), _image(20, 20).rotate(90)]
    photo = _encoded(_image(40, 40), "PNG")
    huge = {name: (each, "has more than 70 million pixels") for name, each in _huge().items()}
    return huge | {
        "palette.bmp": (_encoded(_image(20, 20, "P"), "BMP"), "is a BMP with a palette"),
        "alpha.bmp": (_encoded(_image(20, 20, "RGBA"), "BMP"), "is a BMP with a palette, alpha"),
        "key.png": (
            _encoded(_image(20, 20), "PNG", transparency=(1, 2, 3)),
            "has a transparent colour",
        ),
        "animation.webp": (
            _encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]),
            "is an animation",
        ),
        "gif.png": (_encoded(_image(20, 20, "P"), "GIF"), "not a PNG, JPEG, BMP or WebP"),
        "cut.png": (photo[: len(photo) // 2], "is damaged or truncated"),
        "empty.png": (b"", "is damaged, or not a PNG"),
        "text.jpg": (b"no image", "is damaged, or not a PNG"),
    }
