"""Git in a test's repository, and a patch of its one file."""

import subprocess
from pathlib import Path

PATCH = """diff --git a/src/half.py b/src/half.py
--- a/src/half.py
+++ b/src/half.py
@@ -1,2 +1,2 @@
 def half(x):
-    return x // 2
+    return x / 2
"""


def git(folder: Path, *words: str) -> str:
    """Run git in a folder, and return what it says."""
    command = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@t", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path, name: str, content: bytes) -> str:
    """Commit one file, and return the commit."""
    (folder / name).write_bytes(content)
    git(folder, "add", name)
    git(folder, "commit", "-qm", name)
    return git(folder, "rev-parse", "HEAD")
