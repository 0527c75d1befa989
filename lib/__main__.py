"""Start a keeper: `python -I lib keeper <session directory>`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] != "keeper":
        sys.exit("usage: python -I lib keeper <session directory>")
    from desktop.session import spawn
    sys.exit(spawn.main(Path(sys.argv[2])))
