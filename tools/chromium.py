"""Where this machine's Chromium is; `python -m tools.chromium` brings one where there is none."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str | None:
    """Return the browser's path: that in CHROMIUM, or one on PATH; None is Playwright's own."""
    named = os.environ.get("CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


def main() -> None:
    """Bring a Chromium: of Debian where we may install it, else the one that Playwright fetches."""
    if chromium():
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        sys.stdout.write("page-proof: apt-get install chromium\n")
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"]
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        packages = ["chromium", "fonts-dejavu-core"]
        subprocess.run([*install, *packages], check=True, env=quiet, stdout=subprocess.DEVNULL)
        return
    sys.stdout.write("page-proof: playwright install chromium (or set CHROMIUM to yours)\n")
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


if __name__ == "__main__":
    main()
