import errno
import hashlib
import os
import stat

import pytest

from salesnb.errors import SalesnbError
from salesnb.publish.files import start_private, write_whole

NO_SPACE = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
posix = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def fail(*_, **__):
    raise NO_SPACE


def test_the_hash_is_that_of_the_bytes_on_disk(tmp_path):
    digest = write_whole(tmp_path / "a.html", "Ünïted\r\n€")
    assert (tmp_path / "a.html").read_bytes() == "Ünïted\r\n€".encode()
    assert digest == hashlib.sha256((tmp_path / "a.html").read_bytes()).hexdigest()


def test_half_a_character_is_replaced(tmp_path):
    write_whole(tmp_path / "a.html", "a\ud83db")
    assert (tmp_path / "a.html").read_bytes() == b"a?b"


@posix
def test_only_the_owner_reads_the_file_whatever_was_there_and_the_umask(tmp_path):
    path = tmp_path / "a.html"
    path.write_text("old", encoding="utf-8")
    path.chmod(0o666)
    before = os.umask(0)
    try:
        write_whole(path, "new")
    finally:
        os.umask(before)
    assert mode_of(path) == 0o600


@pytest.mark.parametrize("step", ["os.fsync", "os.open", "pathlib.Path.replace"])
def test_on_a_full_disk_the_old_file_stays_whole(tmp_path, monkeypatch, step):
    path = tmp_path / "a.html"
    path.write_text("old", encoding="utf-8")
    monkeypatch.setattr(step, fail)
    with pytest.raises(SalesnbError, match=r"a\.html: cannot be written \(No space left") as caught:
        write_whole(path, "new")
    monkeypatch.undo()
    assert caught.value.exit_code == 1
    assert "Free some space" in str(caught.value)
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_reader_never_sees_half_a_file(tmp_path, monkeypatch):
    path = tmp_path / "a.html"
    path.write_text("old", encoding="utf-8")
    seen = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.append(path.read_text(encoding="utf-8")))
    write_whole(path, "new")
    assert seen == ["old"]
    assert path.read_text(encoding="utf-8") == "new"


def test_a_missing_folder_is_an_error_in_words(tmp_path):
    with pytest.raises(SalesnbError, match=r"none.a\.html: cannot be written \(No such file"):
        write_whole(tmp_path / "none" / "a.html", "new")


@posix
def test_a_private_file_starts_empty_and_closed_to_others(tmp_path):
    path = tmp_path / "logs" / "a.log"
    path.parent.mkdir()
    path.write_text("of the last run", encoding="utf-8")
    path.chmod(0o666)
    start_private(path)
    assert path.read_bytes() == b""
    assert mode_of(path) == 0o600
    start_private(tmp_path / "new" / "a.log")
    assert mode_of(tmp_path / "new") == 0o700


def test_a_private_file_that_cannot_be_made_is_an_error_in_words(tmp_path):
    (tmp_path / "logs").write_text("in the way", encoding="utf-8")
    with pytest.raises(SalesnbError, match=r"a\.log: cannot be written"):
        start_private(tmp_path / "logs" / "a.log")
