"""The verifier as a program: `survey verify FILE`, and inside the zipapp `survey-verify.pyz`.

A file name enters; one line per claim and an exit code leave: 0 all hold, 1 something is
false, 2 unreadable. Needs no network and nothing but the standard library.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from survey.certification.archive import looks_like_archive
from survey.certification.claims import Verdict
from survey.certification.packed_papers import list_claim, read_pack
from survey.certification.verification import verify_file


def main(arguments: Sequence[str] | None = None, *, program: str = "survey-verify") -> int:
    """Verify the file named on the command line; the exit code comes back."""
    parser = argparse.ArgumentParser(
        prog=program, description="离线核验结果证书或公开证据包。退出码 0 成立，1 有假，2 读不懂。"
    )
    parser.add_argument("file", type=Path, help="证书（JSON）、公开核验包或建档包（ZIP）")
    parser.add_argument("--key", action="append", help="您认可的经办、签发公钥，可多次给出")
    parser.add_argument("--plan-code", help="海报或填写单上印的方案码")
    parser.add_argument(
        "--receipts",
        nargs="*",
        type=Path,
        default=[],
        help="回执文本文件，写在文件名之后，如 --receipts *.txt",
    )
    parser.add_argument("--all", action="store_true", help="核对每一个日志头的签名")
    parser.add_argument("--json", action="store_true", help="只输出一个JSON")
    options = parser.parse_args(arguments)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        with options.file.open("rb") as file:
            pack = read_pack(file) if looks_like_archive(file.read(2)) else None
            file.seek(0)
            data = file.read() if pack is None else pack.bundle
        receipts = {str(path): path.read_text(encoding="utf-8") for path in options.receipts}
    except (OSError, UnicodeDecodeError) as error:
        _refuse(error, as_json=options.json)
        return 2
    looked_at = sys.stderr.isatty() and not options.json
    verdict = verify_file(
        data,
        options.key,
        plan_code=options.plan_code,
        receipts=receipts,
        check_all=options.all,
        progress=_tell if looked_at else None,
    )
    if pack is not None and verdict.exit_code != 2:
        verdict = replace(verdict, claims=(list_claim(pack), *verdict.claims))
    if looked_at:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    _show(verdict, as_json=options.json)
    return verdict.exit_code


def _tell(done: int, of: int, part: str) -> None:
    """How far it is, on one line that only a person at a terminal sees."""
    print(f"\r\x1b[K核对 {done + 1}/{of}　{part}…", end="", file=sys.stderr, flush=True)


def _refuse(error: OSError | UnicodeDecodeError, *, as_json: bool) -> None:
    """Say which file could not be opened, and why."""
    thing = f"文件 {getattr(error, 'filename', None) or '回执'}"
    reason = f"打不开（{getattr(error, 'strerror', None) or '不是UTF-8文本'}）"
    refusal = {"code": "cli.unreadable_file", "thing": thing, "reason": reason, "remedy": "看一看路径和权限"}
    if as_json:
        print(json.dumps({"error": refusal}, ensure_ascii=False))
    else:
        print(f"{thing}：{reason}。{refusal['remedy']}。", file=sys.stderr)


def _show(verdict: Verdict, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(verdict.document(), ensure_ascii=False))
    else:
        print("\n".join(verdict.lines()))


if __name__ == "__main__":
    raise SystemExit(main())
