"""Frames of a Scene: layers, resized once and kept, laid over each other in numpy.

Legend: H, W height and width of the frames that are drawn; h, w those of a layer.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from avloc.compose.library import Picture
from avloc.compose.scene import PictureLayer, Scene

Image = NDArray[np.float32]
SHAKE_PX = 64  # the grain is one larger field, shifted from frame to frame


class Compositor:
    """Draws single frames of one scene at one size.

    `step_px`: heights of growing objects are rounded to multiples of it, so that few sizes are resized and kept.
    """

    def __init__(self, scene: Scene, size: tuple[int, int], step_px: int = 1) -> None:
        self._scene, self._step_px = scene, step_px
        self._width, self._height = size
        self._aspect = scene.size[0] / scene.size[1]
        self._layers = sorted(scene.pictures, key=lambda layer: not layer.full_frame)
        self._kept: dict[tuple[int, int], tuple[Image, Image]] = {}
        self._backs: dict[int, Image] = {}
        self._sources: dict[int, Image] = {}
        rng = np.random.default_rng(scene.seed)
        self._grain: Image = rng.normal(
            0, scene.look.grain, (self._height + SHAKE_PX, self._width + SHAKE_PX, 1)
        ).astype(np.float32)

    def frame(self, time_s: float) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 at `time_s`."""
        canvas = self._background(time_s).copy()
        for number, layer in enumerate(self._layers):
            if layer.start_s <= time_s < layer.end_s:
                self._lay(canvas, number, layer, time_s)
        return self._finish(canvas, time_s)

    def _background(self, time_s: float) -> Image:
        """A window of the background, enlarged by a zoom that changes slowly."""
        back = self._scene.backdrop
        if back.picture is None:
            return np.full((self._height, self._width, 3), 96, np.float32)
        zoom = max(1.0, back.zoom + back.zoom_per_s * time_s)
        height = self._stepped(zoom * self._height)
        if height not in self._backs:
            width = round(height * self._width / self._height)
            self._backs[height] = self._blurred(_cover(_opaque(back.picture), width, height, self._aspect))
        large = self._backs[height]
        room_y, room_x = large.shape[0] - self._height, large.shape[1] - self._width
        share = time_s / self._scene.duration_s - 0.5
        top = round(room_y * min(1.0, max(0.0, 0.5 + back.pan_y * share)))
        left = round(room_x * min(1.0, max(0.0, 0.5 + back.pan_x * share)))
        return large[top : top + self._height, left : left + self._width]

    def _lay(self, canvas: Image, number: int, layer: PictureLayer, time_s: float) -> None:
        colour, alpha = self._resized(number, layer, time_s)
        h, w = alpha.shape[:2]
        if layer.full_frame and (h, w) == canvas.shape[:2]:
            x, y = 0, 0
        else:
            centre_x, centre_y = _place(layer, time_s)
            x, y = round(centre_x * self._width - w / 2), round(centre_y * self._height - h / 2)
        present, aside = _presence(layer, time_s)
        x += round(aside * self._width)
        top, bottom, left, right = max(0, y), min(self._height, y + h), max(0, x), min(self._width, x + w)
        if top >= bottom or left >= right:
            return
        inside = np.s_[top - y : bottom - y, left - x : right - x]
        target = canvas[top:bottom, left:right]
        if present < 1:
            target *= 1 - present * alpha[inside]
            target += present * colour[inside]
        else:
            target *= 1 - alpha[inside]
            target += colour[inside]

    def _resized(self, number: int, layer: PictureLayer, time_s: float) -> tuple[Image, Image]:
        """The layer's colour (h, w, 3), already times its alpha (h, w, 1)."""
        if number not in self._sources:
            self._sources[number] = _prepared(layer, max(self._width, self._height))
        source = self._sources[number]
        rows, columns = source.shape[:2]
        frame_w, frame_h = self._scene.size
        if layer.full_frame and source[..., 3].min() == 1:
            height, width = self._height, self._width
            key = (number, height)
            if key not in self._kept:
                self._kept[key] = _split(self._blurred(_cover(source, width, height, self._aspect)))
            return self._kept[key]
        grown = 1 + layer.motion.grow_per_s * (time_s - layer.start_s)
        per_pixel = min(layer.height * frame_h / rows, layer.width * frame_w / columns) * min(1.5, max(0.5, grown))
        height = self._stepped(per_pixel * rows * self._height / frame_h)
        key = (number, height)
        if key not in self._kept:
            # The frame may be squeezed: width and height have scales of their own.
            width = round(height * (columns / rows) * (frame_h / frame_w) * (self._width / self._height))
            self._kept[key] = _split(self._blurred(resize(source, max(1, width), height)))
        return self._kept[key]

    def _blurred(self, image: Image) -> Image:
        """Reduced and enlarged again. Layers are blurred one by one, when they are kept, and not every frame."""
        blur, (h, w) = self._scene.look.blur, image.shape[:2]
        if blur <= 1:
            return image
        return resize(resize(image, max(1, round(w / blur)), max(1, round(h / blur))), w, h)

    def _stepped(self, height_px: float) -> int:
        return max(self._step_px, math.ceil(height_px / self._step_px) * self._step_px)

    def _finish(self, canvas: Image, time_s: float) -> NDArray[np.uint8]:
        look = self._scene.look
        if look.brightness:
            canvas *= 1 + look.brightness * math.sin(2 * math.pi * look.brightness_hz * time_s)
        if look.blocks:
            canvas = _blocks(canvas, look.blocks)
        if look.grain:
            dy, dx = np.random.default_rng([self._scene.seed, round(time_s * 1000)]).integers(0, SHAKE_PX, 2)
            canvas += self._grain[dy : dy + self._height, dx : dx + self._width]
        return np.clip(canvas, 0, 255).astype(np.uint8)


def _place(layer: PictureLayer, time_s: float) -> tuple[float, float]:
    """Centre of the object, kept where at least a good part of it is seen."""
    motion, t = layer.motion, time_s - layer.start_s
    swing = motion.swing * math.sin(2 * math.pi * motion.swing_hz * t)
    x = motion.x + motion.x_per_s * t + swing
    y = motion.y + motion.y_per_s * t + 0.3 * swing
    return min(0.85, max(0.15, x)), min(0.8, max(0.2, y))


def _presence(layer: PictureLayer, time_s: float) -> tuple[float, float]:
    """Opacity (0 to 1) and shift to the side (shares of the width) while the layer enters or leaves."""
    present, aside = 1.0, 0.0
    side = 1.0 if layer.motion.x >= 0.5 else -1.0
    for kind, since_s in ((layer.entry, time_s - layer.start_s), (layer.leave, layer.end_s - time_s)):
        if kind != "cut" and since_s < layer.entry_s:
            share = max(0.0, since_s / layer.entry_s)
            if kind == "fade":
                present *= share
            else:
                aside += side * (1 - share)
    return present, aside


def _prepared(layer: PictureLayer, side_px: int) -> Image:
    """The layer's picture, cropped to what is visible, flipped, tilted, tinted; colour times alpha; (h, w, 4).

    A picture much larger than frames of `side_px` is reduced first: turning it then costs less.
    """
    rgba = layer.picture.rgba()
    rows, columns = np.flatnonzero(rgba[..., 3].any(axis=1)), np.flatnonzero(rgba[..., 3].any(axis=0))
    if rows.size:
        rgba = rgba[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    out = _reduced(rgba, max(rgba.shape[:2]) // side_px)
    out[..., 3] /= 255
    out[..., :3] *= np.asarray(layer.gains, np.float32)
    np.clip(out[..., :3], 0, 255, out=out[..., :3])
    out[..., :3] *= out[..., 3:]
    if layer.flip:
        out = out[:, ::-1]
    if layer.tilt_deg:
        out = _tilted(out, layer.tilt_deg)
    return np.ascontiguousarray(out)


def _reduced(image: NDArray[np.uint8], factor: int) -> Image:
    """Every `factor` x `factor` pixels averaged to one."""
    if factor < 2:
        return image.astype(np.float32)
    h, w = image.shape[0] // factor, image.shape[1] // factor
    cells = image[: h * factor, : w * factor].reshape(h, factor, w, factor, -1)
    return np.asarray(cells.mean(axis=(1, 3), dtype=np.float32))


def _tilted(image: Image, degrees: float) -> Image:
    """Turned by `degrees`, nearest pixel, on a canvas that holds the corners."""
    h, w = image.shape[:2]
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    height, width = round(abs(h * c) + abs(w * s)), round(abs(w * c) + abs(h * s))
    middle = np.array([[[height / 2]], [[width / 2]]], np.float32)
    y, x = np.mgrid[:height, :width].astype(np.float32) - middle
    from_y, from_x = np.rint(c * y - s * x + h / 2).astype(int), np.rint(s * y + c * x + w / 2).astype(int)
    inside = (from_y >= 0) & (from_y < h) & (from_x >= 0) & (from_x < w)
    out = np.zeros((height, width, image.shape[2]), np.float32)
    out[inside] = image[from_y[inside], from_x[inside]]
    return out


def _opaque(picture: Picture) -> Image:
    return picture.rgba()[..., :3].astype(np.float32)


def _split(image: Image) -> tuple[Image, Image]:
    return np.ascontiguousarray(image[..., :3]), np.ascontiguousarray(image[..., 3:])


def _cover(image: Image, width: int, height: int, aspect: float) -> Image:
    """Cropped around the middle to width / height `aspect` (as shown, not squeezed), then resized."""
    rows, columns = image.shape[:2]
    keep_w = max(1, min(columns, round(rows * aspect)))
    keep_h = max(1, min(rows, round(keep_w / aspect)))
    top, left = (rows - keep_h) // 2, (columns - keep_w) // 2
    return resize(image[top : top + keep_h, left : left + keep_w], width, height)


def resize(image: Image, width: int, height: int) -> Image:
    """(h, w, C) -> (height, width, C), linear when enlarging, averaging when reducing."""
    h, w, channels = image.shape
    tall = _weights(h, height) @ image.reshape(h, w * channels)
    wide = tall.reshape(height, w, channels).transpose(1, 0, 2).reshape(w, height * channels)
    return np.ascontiguousarray(
        (_weights(w, width) @ wide).reshape(width, height, channels).transpose(1, 0, 2), np.float32
    )


@lru_cache(maxsize=256)
def _weights(before: int, after: int) -> Image:
    """(after, before) rows of a triangle filter as wide as the reduction, each summing to 1."""
    scale = before / after
    centres = (np.arange(after) + 0.5) * scale - 0.5
    distance = np.abs(np.arange(before)[None, :] - np.clip(centres, 0, before - 1)[:, None]) / max(1.0, scale)
    weights = np.clip(1 - distance, 0, None)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), np.float32)


def _cosines() -> Image:
    k, n = np.mgrid[:8, :8]
    out = np.cos(np.pi * k * (2 * n + 1) / 16) * np.where(k == 0, np.sqrt(1 / 8), 0.5)
    return np.asarray(out, np.float32)


_DCT = _cosines()
_COARSE = (1 + np.add.outer(np.arange(8), np.arange(8))).astype(np.float32)


def _blocks(image: Image, strength: float) -> Image:
    """Blocks as of compression: 8 x 8 cosine transforms whose high frequencies are rounded coarsely."""
    h, w = image.shape[0] // 8 * 8, image.shape[1] // 8 * 8
    rows = _DCT @ image[:h, :w].reshape(h // 8, 8, w * 3)
    cells = rows.reshape(h, w // 8, 8, 3).transpose(0, 1, 3, 2).reshape(-1, 8) @ _DCT.T
    step = (_COARSE * np.float32(strength))[:, None, :]
    grid = cells.reshape(h // 8, 8, -1, 8)
    grid = np.rint(grid / step) * step
    rows = (grid.reshape(-1, 8) @ _DCT).reshape(h, w // 8, 3, 8).transpose(0, 1, 3, 2).reshape(h // 8, 8, w * 3)
    out = image.copy()
    out[:h, :w] = (_DCT.T @ rows).reshape(h, w, 3)
    return out
