"""One thread a process: tests run side by side, and threads that wait for one another cost more than they bring."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
