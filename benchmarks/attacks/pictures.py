"""Files of images, right and wrong ones; each function writes to `place / path`."""

import io
import os
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms

SUFFIXES = ("png", "jpg", "bmp", "webp")


def noise(seed, size=12, channels=3):
    """Returns an image of random pixels."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, channels), np.uint8)
    return Image.fromarray(pixels[..., 0] if channels == 1 else pixels)


def encoded(image, suffix, **options):
    """Returns the bytes of an image's file."""
    file = io.BytesIO()
    kind = {"jpg": "jpeg", "tif": "tiff"}.get(suffix, suffix)
    image.save(file, kind, **({"lossless": True} if kind == "webp" else {}), **options)
    return file.getvalue()


def write(place, path, contents):
    (place / path).parent.mkdir(parents=True, exist_ok=True)
    (place / path).write_bytes(contents)


def folder(place, root="images", splits=("train", "val"), classes=("cat", "dog"), **options):
    """Writes a folder of small PNGs, three of each class in each split."""
    for split in splits:
        for name in classes:
            for i in range(3):
                seed = [*f"{split}{name}".encode(), i]
                contents = encoded(noise(seed, **options), "png")
                write(place, f"{root}/{split}/{name}/{i}.png", contents)


def digits(place, root="digits", names=tuple("0123456789")):
    """Writes grey PNGs of 8 x 8, two of each class, as a network of digits takes them."""
    for name in names:
        for i in range(2):
            contents = encoded(noise([*name.encode(), i], 8, 1), "png")
            write(place, f"{root}/{name}/{i}.png", contents)


def damaged(place, path, how, seed):
    """Writes an image that is damaged in one of the ways `DAMAGES`."""
    whole = encoded(noise(seed, 40), path.rpartition(".")[2])
    rng = np.random.default_rng(seed)
    write(place, path, DAMAGES[how](whole, rng))


def _without_a_byte(whole, rng):
    flipped = bytearray(whole)
    flipped[int(rng.integers(0, 2))] ^= 0xFF  # of what says which kind of file it is
    return bytes(flipped)


DAMAGES = {
    "empty": lambda whole, rng: b"",
    "text": lambda whole, rng: b"This is no image.\n" * 20,
    "cut": lambda whole, rng: whole[: int(rng.integers(1, len(whole) * 9 // 10))],
    "flipped at the start": _without_a_byte,
    "zeros": lambda whole, rng: bytes(len(whole)),
    "noise": lambda whole, rng: rng.bytes(len(whole)),
    "its header only": lambda whole, rng: whole[:40],
}


def flipped_png(place, path, seed):
    """Writes a PNG of which any byte behind its signature is another; it has checksums."""
    whole = bytearray(encoded(noise(seed, 40), "png"))
    whole[int(np.random.default_rng(seed).integers(8, len(whole) - 12))] ^= 0x10
    write(place, path, bytes(whole))


def other_kind(place, path, kind):
    """Writes an image of a kind that the suffix does not say, or that cannot be used."""
    write(place, path, OTHER_KINDS[kind]())


def _animation(suffix):
    frames = [noise(i, 16) for i in range(3)]
    return encoded(frames[0], suffix, save_all=True, append_images=frames[1:])


def _with_profile():
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return encoded(noise(1), "png", icc_profile=srgb[:200] + bytes(100))


def _extra_bytes():
    """A JPEG with bytes between its segments that do not belong there; it can be decoded."""
    whole = encoded(noise(2, 40), "jpg")
    return whole[:2] + b"\xff\xec\x00\x04ab" + b"xyz" + whole[2:]


OTHER_KINDS = {
    "a GIF": lambda: encoded(noise(1).convert("P"), "gif"),
    "a TIFF": lambda: encoded(noise(1), "tif"),
    "a PPM": lambda: encoded(noise(1), "ppm"),
    "an ICO": lambda: encoded(noise(1, 32), "ico"),
    "an animated WebP": lambda: _animation("webp"),
    "an animated GIF": lambda: _animation("gif"),
    "a palette BMP": lambda: encoded(noise(1).convert("P"), "bmp"),
    "a BMP of one bit": lambda: encoded(noise(1).convert("1"), "bmp"),
    "a BMP with alpha": lambda: encoded(noise(1).convert("RGBA"), "bmp"),
    "a transparent colour": lambda: encoded(noise(1), "png", transparency=(1, 2, 3)),
    "a grey transparent colour": lambda: encoded(noise(1, 12, 1), "png", transparency=5),
    "HTML": lambda: b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
    "SVG": lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><rect/></svg>',
    "a pointer of git LFS": lambda: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
    "a ZIP": lambda: b"PK\x03\x04" + bytes(60),
}
SPEAKING = {
    "a PNG with a wrong colour profile": _with_profile,
    "a JPEG with bytes too many": _extra_bytes,
    "a JPEG in CMYK": lambda: encoded(noise(1, 40).convert("CMYK"), "jpg"),
    "a JPEG of one pixel": lambda: encoded(noise(1, 1), "jpg"),
}


def speaking(place, path, kind):
    """Writes an image of which a library says something, though it may be decoded."""
    write(place, path, SPEAKING[kind]())


def huge_header(place, path, width, height):
    """Writes a PNG whose header claims a size, with a few bytes of pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(3000))
    chunks = [(b"IHDR", header), (b"IDAT", body), (b"IEND", b"")]
    parts = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    ]
    write(place, path, b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def large(place, path, size):
    """Writes an image of one colour and many pixels."""
    write(place, path, encoded(Image.new("L", (size, size), 120), path.rpartition(".")[2]))


def link(place, path, target):
    (place / path).parent.mkdir(parents=True, exist_ok=True)
    os.symlink(target, place / path)


def rename(place, path, to):
    os.rename(os.fsencode(place / path), os.path.join(os.fsencode(place), os.fsencode(to)))
