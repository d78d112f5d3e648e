import asyncio
import json
import logging
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from salesnb.publish import kernel
from salesnb.publish.kernel import ReportKernelManager, end_kernels, kernel_options, logged

posix = pytest.mark.skipif(os.name != "posix", reason="processes and sockets are POSIX")


@posix
def test_sockets_are_files_of_the_private_folder(tmp_path):
    settings = kernel_options(tmp_path, tmp_path / "a.log")["config"]["ReportKernelManager"]
    assert settings["transport"] == "ipc"
    assert settings["ip"].startswith(str(tmp_path))


def test_where_a_socket_would_have_too_long_a_path_the_transport_is_tcp(tmp_path):
    folder = tmp_path / ("x" * 90)
    folder.mkdir()
    settings = kernel_options(folder, tmp_path / "a.log")["config"]["ReportKernelManager"]
    assert "transport" not in settings
    manager = kernel_options(folder, tmp_path / "a.log")["kernel_manager_class"]()
    assert manager.transport == "tcp"


def test_a_kernel_installed_elsewhere_is_not_used(tmp_path, monkeypatch):
    """Jupyter would prefer the kernel called python3 in a folder of the user."""
    elsewhere = tmp_path / "kernels" / "python3"
    elsewhere.mkdir(parents=True)
    spec = {"argv": ["/bin/false"], "display_name": "Other", "language": "python"}
    (elsewhere / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    manager = ReportKernelManager(kernel_name=kernel.KERNEL)
    assert manager.kernel_spec.argv[0] == sys.executable


def start(tmp_path):
    """Start a kernel as nbclient does."""
    (tmp_path / "a.log").touch()
    options = kernel_options(tmp_path, tmp_path / "a.log")
    manager = options["kernel_manager_class"](
        kernel_name=options["kernel_name"], config=options["config"]
    )
    with ThreadPoolExecutor(1) as pool:  # browser tests leave a loop running in this thread
        pool.submit(lambda: asyncio.run(manager.start_kernel())).result()
    return manager


@posix
def test_all_kernels_are_ended_with_what_they_started(tmp_path):
    manager = start(tmp_path)
    process = manager.provisioner.process
    assert process.poll() is None
    end_kernels()
    assert process.wait(timeout=5) == -9
    end_kernels()  # those that have ended are left alone
    asyncio.run(manager.cleanup_resources())


def test_only_what_this_thread_logs_goes_into_its_file(tmp_path):
    logger = logging.getLogger("papermill")

    def other():
        with logged(tmp_path / "b.log"):
            logger.warning("of b")

    with logged(tmp_path / "a.log"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        logger.error("of a: %s", "é")
    assert (tmp_path / "a.log").read_text(encoding="utf-8") == "papermill ERROR of a: é\n"
    assert (tmp_path / "b.log").read_text(encoding="utf-8") == "papermill WARNING of b\n"
    assert not [one for one in logger.handlers if isinstance(one, logging.FileHandler)]


def test_a_log_begins_anew(tmp_path):
    (tmp_path / "a.log").write_text("of the last run", encoding="utf-8")
    with logged(tmp_path / "a.log"):
        pass
    assert (tmp_path / "a.log").read_bytes() == b""
