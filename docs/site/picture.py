"""``python -m docs.site.picture DIR``: take the picture of the console in README from a demo that runs in DIR.

The page is that of finding F2 of ``coseal demo``: real traffic fines (examples/traffic-fines), real nodes, every part
verified by the console. ``make picture`` runs the demo, takes the picture with a headless Chromium, and ends it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

OUT: Final = Path(__file__).resolve().parents[1] / "figures" / "console.png"
MAX_BYTES: Final = 200_000
_PAGE: Final = "supervision/findings/F2"
_SIZE: Final = "1200,1180"
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")


def main() -> int:
    """Take the picture."""
    folder = Path(sys.argv[1])
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        print(f"this needs one of {', '.join(_BROWSERS)}", file=sys.stderr)
        return 2
    port = (folder / "console" / "port").read_text("utf-8").strip()
    with tempfile.TemporaryDirectory() as profile:
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}"]
        options += [f"--window-size={_SIZE}", f"--screenshot={OUT}", f"http://127.0.0.1:{port}/{_PAGE}"]
        subprocess.run([browser, *options], check=True, timeout=120, stderr=subprocess.DEVNULL)
    size = OUT.stat().st_size
    print(f"{OUT}: {size} bytes")
    return 0 if size <= MAX_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
