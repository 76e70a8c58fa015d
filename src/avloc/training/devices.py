"""Accelerators of this machine, by the names that CUDA_VISIBLE_DEVICES takes."""

from __future__ import annotations

import os

import torch


def visible_devices() -> tuple[str, ...]:
    """Of the GPUs that this process may use; empty on a machine without."""
    count = torch.cuda.device_count()
    named = [name for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    return tuple(named[:count]) if named else tuple(str(i) for i in range(count))
