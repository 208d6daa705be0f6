"""Makes a virtual environment in .cache/python, or finds it made.

    python3 environment.py NAME REQUIREMENT…

Prints the path of its interpreter. A stamp, written last, says what is in it, so one that was cut off is made again;
a lock makes test runs at the same time wait for each other.
"""

import fcntl
import pathlib
import shutil
import subprocess
import sys
import venv

CACHE = pathlib.Path(__file__).resolve().parents[2] / ".cache" / "python"


def main(name: str, requirements: list[str]) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        print(environment(CACHE / name, requirements))


def environment(folder: pathlib.Path, requirements: list[str]) -> pathlib.Path:
    python = folder / "bin" / "python"
    stamp = folder / "stamp"
    wanted = "\n".join([sys.version, str(folder), *requirements])
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    subprocess.run([*pip, *requirements], check=True, stdout=sys.stderr)
    stamp.write_text(wanted)
    return python


main(sys.argv[1], sys.argv[2:])
