"""`python -m avloc` is `avloc`."""

import sys

from avloc.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
