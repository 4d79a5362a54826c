"""Headless Chromium, driven from the command line."""

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def _run(*arguments: str, profile: Path) -> subprocess.CompletedProcess[str]:
    assert CHROMIUM, "no chromium: `make browser` installs Debian's"
    return subprocess.run(
        [CHROMIUM, *_FLAGS, f"--user-data-dir={profile}", *arguments],
        capture_output=True, text=True, timeout=90,
    )  # fmt: skip


def dom(page: Path, profile: Path, width: int = 1280) -> str:
    """Return the page's document after its scripts ran."""
    done = _run(f"--window-size={width},900", "--dump-dom", page.as_uri(), profile=profile)
    return done.stdout


def console(page: Path, profile: Path) -> list[str]:
    """Return what the page wrote to the console, errors of the security policy included."""
    done = _run("--enable-logging=stderr", "--dump-dom", page.as_uri(), profile=profile)
    return re.findall(r"CONSOLE[^\n]*", done.stderr)


def measure(page: Path, profile: Path, width: int, height: int) -> tuple[int, int]:
    """Return (layout width, scroll width) of a page shown in a frame of the given size."""
    frame = profile.parent / f"frame-{width}.html"
    frame.write_text(
        f'<iframe id=f src="{page.as_uri()}" style="width:{width}px;height:{height}px;border:0">'
        "</iframe><pre id=o></pre><script>f.onload=()=>{const d=f.contentDocument.documentElement;"
        "o.textContent='SIZE '+d.clientWidth+' '+d.scrollWidth}</script>"
    )
    done = _run(
        "--allow-file-access-from-files", "--virtual-time-budget=3000", "--dump-dom",
        frame.as_uri(), profile=profile,
    )  # fmt: skip
    found = re.search(r"SIZE (\d+) (\d+)", done.stdout)
    assert found, done.stdout[-500:]
    return int(found[1]), int(found[2])


def drive(page: Path, profile: Path, script: str, width: int = 1280) -> Any:
    """Return what an async function body gives that has the page's `page` (its window) at hand.

    `press(key)` presses a key, `click(id)` a button, and `reload()` opens the page again.
    """
    frame = profile.parent / f"drive-{width}.html"
    frame.write_text(
        f'<iframe id=f src="{page.as_uri()}" style="width:{width}px;height:900px;border:0">'
        "</iframe><pre id=o></pre><script>let page;const wait=()=>new Promise(r=>f.onload=r);"
        "const press=(key,at)=>(at||page.document.body).dispatchEvent("
        "new page.KeyboardEvent('keydown',{key,bubbles:true,cancelable:true}));"
        "const click=id=>page.document.getElementById(id).click();"
        "const reload=async()=>{const done=wait();page.location.reload();await done;"
        "page=f.contentWindow};"
        "const say=v=>o.textContent='SAID '+btoa(unescape(encodeURIComponent("
        "JSON.stringify(v))))+' END';"
        f"wait().then(async()=>{{page=f.contentWindow;{script}}})"
        ".then(say,e=>say({error:String(e)}))</script>",
        encoding="utf-8",
    )
    done = _run(
        "--allow-file-access-from-files", "--virtual-time-budget=8000", "--dump-dom",
        frame.as_uri(), profile=profile,
    )  # fmt: skip
    found = re.search(r"SAID (\S+) END", done.stdout)
    assert found, done.stdout[-500:] + done.stderr[-500:]
    return json.loads(base64.b64decode(found[1]))


def assert_self_contained(page: Path) -> None:
    """Assert that a page allows nothing from outside, and no style or script but its own."""
    text = page.read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)
    assert policy
    assert policy[1].startswith("default-src 'none'")
    assert "unsafe" not in policy[1]
    assert not re.findall(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="', text)
    assert 'style="' not in text
