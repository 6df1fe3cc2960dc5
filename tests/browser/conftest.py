"""JupyterLab in Debian's Chromium, for the tests of `make browser`: not part of `make test`."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SECONDS = 900  # for JupyterLab to start, and for what follows a click; a busy machine is slow
# JupyterLab tells the console of these by itself, and no lecture can do anything about them.
# (Of the debugger, that a notebook was closed before the kernel had answered it.)
HARMLESS = re.compile(
    r"favicon|404 \(Not Found\)|ResizeObserver|service worker|net::ERR_INTERNET|"
    r"debugger state: Canceled future"
)


@pytest.fixture(scope="session")
def course(tmp_path_factory):
    """A copy of the course in which notebooks can be saved."""
    root = tmp_path_factory.mktemp("browser") / "course"
    tree = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, tree.split("\0")):
        if (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
    return root


@pytest.fixture(scope="session")
def lab(course, tmp_path_factory):
    """The address of JupyterLab, started by the course's own command."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("lab") / "log.txt"
    environment = os.environ | {
        "JUPYTER_TOKEN": "test",
        "JUPYTER_CONFIG_DIR": str(log.parent / "config"),
        "PYTHONPATH": str(course),
        "JUPYTERLAB_SETTINGS_DIR": str(log.parent / "settings"),
        "COURSE_PREDICTIONS": str(log.parent / "predictions.json"),
    }
    command = [sys.executable, "-m", "course", "lab", "--port", str(port), "--no-browser"]
    (log.parent / "config").mkdir()
    (log.parent / "config" / "jupyter_lab_config.py").write_text(
        # window.jupyterapp is how a test asks what stands in a notebook; a container may run as root
        "c.LabApp.expose_app_in_browser = True\nc.ServerApp.allow_root = True\n"
    )
    settings = log.parent / "settings" / "@jupyterlab"
    for name, content in (
        ("notebook-extension/tracker", {"windowingMode": "none"}),  # all cells are drawn
        ("apputils-extension/notification", {"fetchNews": "false", "checkForUpdates": False}),
    ):
        (settings / name).parent.mkdir(parents=True, exist_ok=True)
        (settings / f"{name}.jupyterlab-settings").write_text(json.dumps(content))
    with log.open("w") as stream:
        server = subprocess.Popen(
            command, cwd=course, env=environment, stdout=stream, stderr=subprocess.STDOUT
        )
        address = f"http://127.0.0.1:{port}"
        end = time.monotonic() + SECONDS
        while True:
            try:
                urllib.request.urlopen(f"{address}/api?token=test").close()
                break
            except OSError:
                assert server.poll() is None and time.monotonic() < end, log.read_text()
                time.sleep(0.5)
        yield address
        server.terminate()
        server.wait(30)


@pytest.fixture(scope="session")
def browser():
    expect.set_options(timeout=1000 * SECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser, lab):
    """A page on which an error is the end of the test. Kernels that it leaves are shut down."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.set_default_timeout(1000 * SECONDS)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda m: errors.append(m.text) if m.type == "error" else None)
    yield page
    page.close()
    with urllib.request.urlopen(f"{lab}/api/kernels?token=test") as answer:
        for kernel in json.load(answer):
            address = f"{lab}/api/kernels/{kernel['id']}?token=test"
            urllib.request.urlopen(urllib.request.Request(address, method="DELETE")).close()
    assert [error for error in errors if not HARMLESS.search(error)] == []


class Notebook:
    """A notebook open in JupyterLab."""

    def __init__(self, page: Page, lab: str, path: str):
        self.page = page
        page.goto(f"{lab}/lab/tree/{path}?reset&token=test")
        self.panel = page.locator(".jp-NotebookPanel:visible")
        self.panel.locator(".jp-Cell").first.wait_for()
        # Cells are put in bit by bit, many or few of them by the time we look; the last one to come
        # is the last to move the others.
        page.wait_for_function(
            "() => { const panel = jupyterapp.shell.currentWidget, c = panel?.content?.widgets;"
            " return panel?.context?.isReady && c.length && c.length === panel.content.model.cells.length"
            " && c.every(cell => cell.isAttached && !cell.isPlaceholder?.()) }"
        )

    def cells(self) -> int:
        return self.page.evaluate("jupyterapp.shell.currentWidget.content.widgets.length")

    def run_all(self) -> None:
        """Run every cell, for as long as it takes, and stop at an error."""
        assert self.page.evaluate(
            """async () => {
                const { sessionContext } = jupyterapp.shell.currentWidget;
                await sessionContext.ready;
                await sessionContext.session.kernel.info;
                window.unanswered = new Set();
                sessionContext.session.kernel.anyMessage.connect((_, { msg, direction }) => {
                    if (direction === "send" && msg.header.msg_type === "comm_msg")
                        unanswered.add(msg.header.msg_id);
                    else if (msg.content.execution_state === "idle")
                        unanswered.delete(msg.parent_header.msg_id);
                });
                return jupyterapp.commands.execute("notebook:run-all-cells");
            }"""
        )

    def settle(self) -> None:
        """Wait until the kernel has answered all that the controls have sent.

        What they send is answered in a thread of its own, so a question of ours would overtake it.
        A control that waits for an answer sends the next message when it comes: look again then.
        """
        for _ in range(2):
            self.page.wait_for_function("() => unanswered.size === 0")

    def save(self) -> None:
        self.page.evaluate("jupyterapp.commands.execute('docmanager:save')")
        self.page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")

    def stop(self) -> None:
        self.page.evaluate("jupyterapp.serviceManager.sessions.shutdownAll()")

    def show(self, number: int):
        """A cell, from 0, scrolled to."""
        cell = self.panel.locator(".jp-Cell").nth(number)
        cell.scroll_into_view_if_needed()
        return cell


@pytest.fixture
def open_notebook(page, lab):
    return lambda path: Notebook(page, lab, path)
