"""Makes the pictures beside this file. Needs Pillow 10.1 and pillow-heif: python3 make_fixtures.py"""

import io
import os
import random
import struct
import zlib
from pathlib import Path

import pillow_heif
from PIL import Image, ImageCms

here = Path(__file__).parent
random.seed(7)


def gradient(width, height):
    image = Image.new("RGB", (width, height))
    image.putdata([
        (x * 255 // max(width - 1, 1), y * 255 // max(height - 1, 1), (x * 7 + y * 13) % 256)
        for y in range(height) for x in range(width)
    ])
    return image


# Four corner blocks tell every orientation apart; flat blocks of 16 survive JPEG.
corners = Image.new("RGB", (48, 32), (128, 128, 128))
for box, colour in [
    ((0, 0, 16, 16), (255, 0, 0)), ((32, 0, 48, 16), (0, 255, 0)),
    ((0, 16, 16, 32), (0, 0, 255)), ((32, 16, 48, 32), (255, 255, 0)),
]:
    corners.paste(colour, box)
stored_by_orientation = {
    1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
for orientation, transpose in stored_by_orientation.items():
    stored = corners if transpose is None else corners.transpose(transpose)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored.save(here / f"orientation-{orientation}.jpg", exif=exif, quality=95, subsampling=0)

# Adobe-style inverted CMYK, as Pillow writes it: pure cyan, magenta, yellow and black blocks, then white.
cmyk = Image.new("CMYK", (80, 16))
for index, ink in enumerate([(255, 0, 0, 0), (0, 255, 0, 0), (0, 0, 255, 0), (0, 0, 0, 255), (0, 0, 0, 0)]):
    cmyk.paste(ink, (16 * index, 0, 16 * index + 16, 16))
cmyk.save(here / "cmyk.jpg", quality=95)


def png(path, width, height, depth, colour_type, rows, extra=b""):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    raw = b"".join(b"\0" + row for row in rows)
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(raw, 9))
        + chunk(b"IEND", b""))


# 16-bit: sample = x * 4096 + y * 256 + 255, so that rounding instead of dropping the low byte shows.
sixteen = [[x * 4096 + y * 256 + 255 for x in range(16)] for y in range(16)]
png(here / "rgb16.png", 16, 16, 16, 2,
    [b"".join(struct.pack(">HHH", v, 65535 - v, v) for v in row) for row in sixteen])
png(here / "gray16.png", 16, 16, 16, 0, [b"".join(struct.pack(">H", v) for v in row) for row in sixteen])
png(here / "rgba16.png", 16, 16, 16, 6,
    [b"".join(struct.pack(">HHHH", v, v, v, 65535 - v) for v in row) for row in sixteen])
# A bomb: the header promises 1.2 GB. The data stop after 40 rows; the header alone must be enough to refuse it.
png(here / "bomb.png", 20000, 20000, 8, 2, [bytes(60000)] * 40)

palette = gradient(24, 18).quantize(8)
palette.save(here / "palette-alpha.png", transparency=bytes([0, 128, 255, 255, 64, 255, 255, 255]))
Image.open(here / "palette-alpha.png").convert("RGBA").save(here / "palette-alpha.expected.png")
Image.new("1", (9, 5), 1).save(here / "one-bit.png")
gray_alpha = Image.new("LA", (8, 8), (200, 100))
gray_alpha.save(here / "gray-alpha.png")

frames = [Image.new("RGB", (20, 12), colour) for colour in [(255, 0, 0), (0, 255, 0), (0, 0, 255)]]
frames[0].save(here / "animated.gif", save_all=True, append_images=frames[1:], duration=50)
gradient(24, 18).quantize(64).save(here / "still.gif")
frames[0].save(here / "animated.webp", save_all=True, append_images=frames[1:], duration=50, lossless=True)

# Wide gamut: an RGB profile with Adobe RGB (1998) primaries and gamma 2.2, written tag by tag.


def adobe_like_profile():
    def s15(value):
        return struct.pack(">i", round(value * 65536))
    def xyz(x, y, z):
        return b"XYZ \0\0\0\0" + s15(x) + s15(y) + s15(z)
    text = b"Wide RGB\0"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text)) + text + bytes(78),
        b"cprt": b"text\0\0\0\0No copyright\0",
        b"wtpt": xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": xyz(0.60974, 0.31111, 0.01947),
        b"gXYZ": xyz(0.20528, 0.62567, 0.06087),
        b"bXYZ": xyz(0.14919, 0.06322, 0.74457),
        b"rTRC": b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.19921875 * 256)),
    }
    tags = {key: value + bytes(-len(value) % 4) for key, value in tags.items()}
    names = list(tags) + [b"gTRC", b"bTRC"]
    offset = 128 + 4 + 12 * len(names)
    table, body, places = b"", b"", {}
    for key, value in tags.items():
        places[key] = (offset + len(body), len(value))
        body += value
    places[b"gTRC"] = places[b"bTRC"] = places[b"rTRC"]
    for key in names:
        table += key + struct.pack(">II", *places[key])
    size = offset + len(body)
    header = (struct.pack(">I", size) + bytes(4) + bytes([2, 0x10, 0, 0]) + b"mntrRGB XYZ "
              + struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + s15(0.9642) + s15(1.0) + s15(0.8249)
              + bytes(48))
    return header + struct.pack(">I", len(names)) + table + body


flat = Image.new("RGB", (32, 32), (60, 200, 90))
flat.save(here / "wide-gamut.jpg", quality=95, subsampling=0, icc_profile=adobe_like_profile())
managed = ImageCms.profileToProfile(
    flat, ImageCms.ImageCmsProfile(io.BytesIO(adobe_like_profile())), ImageCms.createProfile("sRGB"),
    renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC)
print("wide-gamut.jpg in sRGB:", managed.getpixel((0, 0)))
gradient(24, 18).save(
    here / "srgb-tagged.png", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
gradient(24, 18).save(here / "bad-profile.png", icc_profile=b"no profile at all" * 12)

noise = Image.new("RGB", (64, 64))
noise.putdata([tuple(random.randrange(256) for _ in range(3)) for _ in range(64 * 64)])
data = io.BytesIO()
noise.save(data, "JPEG", quality=60)
(here / "truncated.jpg").write_bytes(data.getvalue()[: len(data.getvalue()) // 2])
(here / "text.jpg").write_text("This is not a picture.\n")
(here / "empty.png").write_bytes(b"")
(here / "drawing.png").write_text(
    '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="10" height="10"/></svg>\n')
gradient(1, 1).save(here / "one-pixel.png")
gradient(1, 5000).save(here / "tall.png")
gradient(24, 18).save(here / "tiled.tif", compression="tiff_deflate")
gradient(24, 18).save(here / "gradient.png")
gradient(24, 18).save(here / "lossless.webp", lossless=True)
pillow_heif.register_heif_opener()
corners.save(here / "corners.heic", quality=90)

# Resizing with alpha, as Pillow does it: through premultiplied colour.
rgba = gradient(37, 29).convert("RGBA")
rgba.putalpha(Image.radial_gradient("L").resize((37, 29)))
rgba.save(here / "soft-alpha.png")
rgba.resize((17, 23), Image.Resampling.BICUBIC).save(here / "soft-alpha.17x23.bicubic.png")
rgba.resize((60, 11), Image.Resampling.BILINEAR).save(here / "soft-alpha.60x11.bilinear.png")

print("bytes in all:", sum(os.path.getsize(path) for path in here.iterdir()))
