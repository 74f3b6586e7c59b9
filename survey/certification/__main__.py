"""The verifier as a program: `python -m survey.certification FILE`, and inside the zipapp.

A file name enters; one line per claim and an exit code leave: 0 all hold, 1 something is
false, 2 unreadable. Needs no network and nothing but the standard library.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from survey.certification.claims import Verdict
from survey.certification.verification import verify_file


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify the file named on the command line; the exit code comes back."""
    parser = argparse.ArgumentParser(
        prog="survey-verify", description="离线核验结果证书或公开证据包。退出码 0 成立，1 有假，2 读不懂。"
    )
    parser.add_argument("file", type=Path, help="证书（JSON）或证据包（ZIP）")
    parser.add_argument("--key", action="append", help="您认可的经办、签发公钥，可多次给出")
    parser.add_argument("--plan-code", help="海报或填写单上印的方案码")
    parser.add_argument("--receipts", nargs="*", type=Path, default=[], help="回执文本文件")
    parser.add_argument("--all", action="store_true", help="核对每一个日志头的签名")
    parser.add_argument("--json", action="store_true", help="只输出一个JSON")
    options = parser.parse_args(arguments)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        data = options.file.read_bytes()
        receipts = {str(path): path.read_text(encoding="utf-8") for path in options.receipts}
    except (OSError, UnicodeDecodeError) as error:
        print(f"打不开文件：{error}")
        return 2
    verdict = verify_file(
        data, options.key, plan_code=options.plan_code, receipts=receipts, check_all=options.all
    )
    _show(verdict, as_json=options.json)
    return verdict.exit_code


def _show(verdict: Verdict, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(verdict.document(), ensure_ascii=False))
    else:
        print("\n".join(verdict.lines()))


if __name__ == "__main__":
    raise SystemExit(main())
