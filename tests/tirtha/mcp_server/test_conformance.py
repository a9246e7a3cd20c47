"""The protocol's own conformance tests, of those scenarios that ask for nothing but what every server has.

The others ask for tools, prompts and resources of their own, or for sessions of the protocol, which `/mcp` does without.
Package: @modelcontextprotocol/conformance (npm), which `make test-integrations` installs.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from memory.encoding.encoder import Encoder
from tests.support.server import environment, serving

NODE = Path(sys.prefix) / "node" / "node_modules" / ".bin"
CHECKS = {
    "server-initialize": 1,
    "ping": 1,
    "tools-list": 1,
    "resources-list": 1,
    "dns-rebinding-protection": 2,
}

pytestmark = pytest.mark.integration


def test_the_scenarios_of_every_server_pass(tmp_path: Path, encoder: Encoder) -> None:
    if not (NODE / "conformance").exists():
        pytest.skip("the conformance tests are not installed: make test-integrations does that")
    home = tmp_path / "home"
    with serving(home, encoder) as url:
        for scenario, checks in CHECKS.items():
            run = subprocess.run(
                [NODE / "node", NODE / "conformance", "server", "--url", f"{url}/mcp", "--scenario", scenario],
                env=environment(home),
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
                timeout=120,
            )
            assert run.returncode == 0, run.stdout
            assert f"Passed: {checks}/{checks}, 0 failed, 0 warnings" in run.stdout
