"""`zhibo` as a shell sees it."""

import os
import subprocess
import sys


def test_a_reader_who_leaves_is_no_fault() -> None:
    unread, told = os.pipe()
    os.close(unread)
    done = subprocess.run(
        [sys.executable, "-m", "zhibo", "bench"],
        stdout=told,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    os.close(told)
    assert (done.returncode, done.stderr) == (141, b"")
