"""Draws the letters that titles of reels are set in: DejaVu Sans, as shipped with matplotlib > lettering.npz.

    python tools/make_lettering.py

Needs, beside avloc: pip install Pillow matplotlib. Latin, Greek and Cyrillic letters, 40 pixels high, side by side.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from avloc.media.lettering import FILE, UNKNOWN

HEIGHT = 40
EM = 32
RANGES = ((0x20, 0x7E), (0xA0, 0x17F), (0x386, 0x3CE), (0x400, 0x45F), (0x490, 0x491), (0x1E9E, 0x1E9E))
SIGNS = "–—‘’‚“”„†•…‰‹›€™←↑→↓−≈≠≤≥♪♫" + UNKNOWN


def main() -> None:
    font = ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf"), EM)
    codes = sorted({c for low, high in RANGES for c in range(low, high + 1)} | set(map(ord, SIGNS)))
    widths = [max(1, round(font.getlength(chr(code)))) for code in codes]
    sheet = Image.new("L", (sum(widths), HEIGHT))
    pen = ImageDraw.Draw(sheet)
    for code, left in zip(codes, np.cumsum([0, *widths[:-1]]).tolist(), strict=True):
        pen.text((left, (HEIGHT - EM) // 2 + EM - 6), chr(code), fill=255, font=font, anchor="ls")
    # Sixteen shades are enough, and half the size.
    shades = (np.asarray(sheet, np.uint16) + 8) // 17 * 17
    np.savez_compressed(
        FILE, codes=np.array(codes, np.uint32), widths=np.array(widths, np.uint8), sheet=shades.astype(np.uint8)
    )
    print(f"{FILE}: {len(codes)} letters, {FILE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
