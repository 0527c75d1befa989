"""Makes the modules of apache/installer known, as its directory does when it is run."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[3] / "apache/installer"))
