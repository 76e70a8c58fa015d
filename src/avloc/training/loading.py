"""Batches ahead of the step that computes: made in a thread, or in processes of their own, and sent to the device.

Memory from which a GPU copies by itself is pinned, so that the copy goes on beside the computing. A batch is a
function of its number, whoever makes it: order and values are the same whatever the number of processes.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from avloc.ahead import ahead
from avloc.datasets.batch import Batch
from avloc.errors import AvlocError, TrainingError
from avloc.training.batches import Batches, Listens

_AHEAD = 2  # batches of each process
Validations = Sequence[Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A Batch as tensors, in the order in which networks and criteria take them, and its task."""

    tensors: tuple[Tensor, ...]
    task: str

    @staticmethod
    def of(batch: Batch) -> Loaded:
        """Shares the arrays' memory."""
        arrays = batch.visual, batch.audio, batch.mask, batch.segments, batch.labels
        return Loaded(tuple(map(torch.from_numpy, arrays)), batch.task)

    def pin_memory(self) -> Loaded:
        """In memory that a GPU reads by itself."""
        return Loaded(tuple(tensor.pin_memory() for tensor in self.tensors), self.task)

    def to(self, device: torch.device) -> tuple[Tensor, ...]:
        """The tensors on the device; a copy from pinned memory is not waited for."""
        return tuple(tensor.to(device, non_blocking=True) for tensor in self.tensors)


class Loader:
    """The batches of `data` for process `rank` of `world`; `loaders` processes make them, or with 0 a thread."""

    def __init__(self, data: Batches, loaders: int, device: torch.device, rank: int, world: int) -> None:
        self.data, self.rank, self.world = data, rank, world
        self.pins = device.type == "cuda"
        self._order = _Order(data.steps)
        self._loader = (
            DataLoader(
                _Numbered(data, rank, world),
                batch_size=None,
                sampler=self._order,
                num_workers=loaders,
                prefetch_factor=_AHEAD,
                persistent_workers=True,
                pin_memory=self.pins,
                worker_init_fn=_leave_interrupts,
                multiprocessing_context="spawn",  # threads and a GPU's context do not outlive a fork
            )
            if loaders
            else None
        )

    def epoch(self, number: int, first_step: int, validations: Validations) -> Generator[Loaded | None, None, None]:
        """Those of epoch `number` from `first_step` on; None where nothing is learned.

        Raises:
            FeatureError: features cannot be read.
        """
        if self._loader is None:
            with contextlib.closing(ahead(self._here(number, first_step))) as batches:
                yield from batches
            return
        self._order.epoch, self._order.first_step, self._order.validations = number, first_step, tuple(validations)
        for loaded in self._loader:
            if isinstance(loaded, AvlocError):
                raise loaded
            yield loaded

    def _here(self, number: int, first_step: int) -> Iterator[Loaded | None]:
        for batch in self.data.epoch(number, first_step, self.rank, self.world):
            loaded = None if batch is None else Loaded.of(batch)
            yield loaded.pin_memory() if self.pins and loaded is not None else loaded


Key = tuple[int, int, tuple[Mapping[str, float], ...]]
"""Epoch, step, and all validations before, which data may listen to."""


class _Order(Sampler[Key]):
    def __init__(self, steps: int) -> None:
        self.steps, self.epoch, self.first_step = steps, 1, 0
        self.validations: tuple[Mapping[str, float], ...] = ()

    def __iter__(self) -> Iterator[Key]:
        return ((self.epoch, step, self.validations) for step in range(self.first_step, self.steps))

    def __len__(self) -> int:
        return self.steps - self.first_step


class _Numbered(Dataset[Loaded | AvlocError | None]):
    """The batch of a step, in whichever process."""

    def __init__(self, data: Batches, rank: int, world: int) -> None:
        self.data, self.rank, self.world = data, rank, world

    def __getitem__(self, key: Key) -> Loaded | AvlocError | None:
        number, step, validations = key
        try:
            if isinstance(self.data, Listens):
                self.data.hear(validations)
            batch = next(self.data.epoch(number, step, self.rank, self.world))
        except AvlocError as error:
            return error
        return None if batch is None else Loaded.of(batch)


def _leave_interrupts(worker: int) -> None:
    """Ctrl-C is for the process that trains, which still needs the batches of the step under way."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextlib.contextmanager
def deaths_told() -> Iterator[None]:
    """Inside, the death of a process that makes batches is one line; torch raises it wherever the program is.

    Raises:
        TrainingError: a process that makes batches has died.
    """
    try:
        yield
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise TrainingError(
            f"a process that makes batches ended ({str(error).splitlines()[0]}); go on with --resume, with fewer "
            "--train.loaders where memory is short"
        ) from None
