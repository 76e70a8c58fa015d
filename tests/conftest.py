"""One thread a process: tests run side by side, and threads that wait for one another cost more than they bring."""

import os

from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
# Without a deadline: a busy machine is no failure.
settings.register_profile("avloc", deadline=None)
settings.load_profile("avloc")
