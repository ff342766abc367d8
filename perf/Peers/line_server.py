"""The lines that perf/README.md lists, for peers in Python."""
import sys
import time

import numpy


def serve(take, run, answer_type):
    """take(numbers) begins anew with raw fp32; run() computes once and returns an array, which is stored as answer_type."""
    print("ready 0", flush=True)
    for line in sys.stdin:
        word, _, path = line.strip().partition(" ")
        if word == "input":
            take(numpy.fromfile(path, numpy.float32))
            run()
            print("ok", flush=True)
            continue
        begin = time.perf_counter()
        found = run()
        seconds = time.perf_counter() - begin
        if word == "output":
            numpy.ascontiguousarray(found, answer_type).tofile(path)
        print(seconds, flush=True)
