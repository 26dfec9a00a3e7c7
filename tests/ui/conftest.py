"""The panel's tests get at the stand-in beside them, and at the Lab above."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]  # the browser's kernels import the stand-in by the same name
