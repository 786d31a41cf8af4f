"""Runs nix/tests/nowhere.py on this machine, in a folder that stands for a virtual machine: FOLDER PLAINTEXT..."""

import os
import pathlib
import subprocess
import sys

folder, *plaintexts = sys.argv[1:]
source = pathlib.Path("nix/tests/nowhere.py").read_text()
for place in ["/run/", "/var/", "/dev/", "/proc/"]:
    source = source.replace(place, f"{folder}{place}")
exec(source)


class Machine:
    def execute(self, command: str) -> tuple[int, str]:
        environment = {"PATH": f"{folder}/bin:{os.environ['PATH']}", "FOLDER": folder}
        shell = ["bash", "-c", f"set -euo pipefail; {command}"]
        done = subprocess.run(shell, capture_output=True, text=True, env=environment)
        return done.returncode, done.stdout

    def succeed(self, command: str) -> str:
        code, output = self.execute(command)
        assert code == 0, f"exit code {code}: {command}"
        return output


assert_nowhere(Machine(), [os.fsencode(plaintext) for plaintext in plaintexts], "known")  # noqa: F821
