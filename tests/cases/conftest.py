"""Lets this room's tests use their own random columns, and the simulated wave from tests/sampling."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "sampling"))
sys.path.insert(0, str(Path(__file__).parent))
