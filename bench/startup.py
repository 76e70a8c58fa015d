"""How long it takes until avloc is there: `import avloc`, and until the default model is loaded.

    python bench/startup.py

Medians of nine new processes, after one that warms the disk's cache; an empty Python is the yardstick.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 9
CASES = {
    "python, nothing": "pass",
    "import numpy": "import numpy",
    "import avloc": "import avloc",
    "avloc.load()": "import avloc; avloc.load()",
    "and its encoders": "import avloc; e = avloc.load().extractor; e.see, e.faces, e.objects, e.hear",
}


def main() -> None:
    for name, code in CASES.items():
        seconds = []
        for _ in range(RUNS + 1):
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            seconds.append(time.perf_counter() - began)
        print(f"{name:24s} {statistics.median(seconds[1:]):.3f} s")


if __name__ == "__main__":
    main()
