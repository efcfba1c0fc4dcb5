#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""big_process.py MIB THREADS: a Python process with numpy and scipy, MIB of array data and idle threads, that
ends in free(7). Its core is the large one of the benchmarks."""
import ctypes
import sys
import threading

import numpy
import scipy.interpolate
import scipy.linalg
import scipy.optimize
import scipy.signal
import scipy.sparse.linalg
import scipy.stats

mib, threads = int(sys.argv[1]), int(sys.argv[2])
rng = numpy.random.default_rng(7)
# Half noise, half smooth: compresses about two to one, as real data do.
data = [numpy.where(numpy.arange(8 << 17) % 2, rng.random(8 << 17), 1.0) for _ in range(mib // 8)]
scipy.linalg.lu(rng.random((200, 200)))
for _ in range(threads):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
keep = [{str(i): [i] * 10} for i in range(100000)]
ctypes.CDLL(None).free(ctypes.c_void_p(7))
