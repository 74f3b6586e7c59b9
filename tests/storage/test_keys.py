from __future__ import annotations

import pytest

from survey.settings import Settings
from survey.storage.keys import (
    KeyExistsError,
    KeyMissingError,
    WorldReadableKeyError,
    has_key,
    key_path,
    load_key,
    save_key,
)
from survey.storage.print_files import (
    PrintFileGoneError,
    erase_print_file,
    load_print_file,
    print_path,
    save_print_file,
)


def test_a_key_is_readable_by_its_owner_alone(sqlite_settings: Settings) -> None:
    path = save_key(sqlite_settings, "wave-1", "slip", b"secret")

    assert path.stat().st_mode & 0o777 == 0o600
    assert load_key(sqlite_settings, "wave-1", "slip") == b"secret"
    assert has_key(sqlite_settings, "wave-1", "slip") and not has_key(sqlite_settings, None, "slip")


def test_a_key_that_others_can_read_is_refused(sqlite_settings: Settings) -> None:
    save_key(sqlite_settings, None, "registry", b"secret").chmod(0o644)

    with pytest.raises(WorldReadableKeyError, match="chmod 600"):
        load_key(sqlite_settings, None, "registry")


def test_a_key_is_never_replaced(sqlite_settings: Settings) -> None:
    save_key(sqlite_settings, None, "registry", b"secret")

    with pytest.raises(KeyExistsError):
        save_key(sqlite_settings, None, "registry", b"another")
    assert key_path(sqlite_settings, None, "registry").read_bytes() == b"secret"


def test_a_missing_key_is_named(sqlite_settings: Settings) -> None:
    with pytest.raises(KeyMissingError, match="log.key"):
        load_key(sqlite_settings, "wave-1", "log")


def test_the_print_file_keeps_its_order_and_then_is_gone(sqlite_settings: Settings) -> None:
    rows = [("8WYJ4VMNK449", "0001-T"), ("62T668XBPYH7", "0001-P")]
    save_print_file(sqlite_settings, "wave-1", rows)
    mode = print_path(sqlite_settings, "wave-1").stat().st_mode & 0o777
    kept = load_print_file(sqlite_settings, "wave-1")
    erase_print_file(sqlite_settings, "wave-1")
    erase_print_file(sqlite_settings, "wave-1")

    assert kept == rows and mode == 0o600
    with pytest.raises(PrintFileGoneError):
        load_print_file(sqlite_settings, "wave-1")
