"""What a start costs: the statistics load themselves when somebody computes, not before."""

from __future__ import annotations

import subprocess
import sys


def test_the_web_application_is_imported_without_the_statistics() -> None:
    heavy = "'scipy.stats', 'scipy.optimize', 'scipy.special', 'pandas', 'polars', 'pyarrow', 'duckdb', 'openpyxl'"
    program = f"import sys, survey.web.app; print([name for name in ({heavy}) if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert loaded.strip() == "[]"
