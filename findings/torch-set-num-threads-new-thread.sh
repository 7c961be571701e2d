#!/bin/sh
# PyTorch 2.10.0 on a CPU: set_num_threads called first in a new thread does not hold there. The number belongs to the calling thread, but the
# thread's first operation or question takes over what any thread set last, and so replaces what it had set itself. A thread that has asked
# get_num_threads once before keeps its own number. Pools of workers that each set 1 run with all threads once another thread sets its number.
# Seen: set 1 in a new thread, then 4 in the main one: the new thread has 4; the same after asking once: 1.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/pip" install -q torch==2.10.0 numpy==2.3.5
"$work/env/bin/python" - <<'PYTHON'
import threading

import torch


def in_a_new_thread(asks_first):
    told = []
    has_set, others_set = threading.Event(), threading.Event()

    def work():
        if asks_first:
            torch.get_num_threads()
        torch.set_num_threads(1)
        has_set.set()
        others_set.wait()
        told.append(torch.get_num_threads())

    thread = threading.Thread(target=work)
    thread.start()
    has_set.wait()
    torch.set_num_threads(4)
    others_set.set()
    thread.join()
    return told[0]


plain, asked = in_a_new_thread(False), in_a_new_thread(True)
print("torch", torch.__version__, "set 1 in a new thread, 4 in the main one:", plain, "in the new one; had it asked before:", asked)
assert (plain, asked) == (4, 1)
PYTHON
