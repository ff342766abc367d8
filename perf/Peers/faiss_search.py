"""FAISS as a peer of `perf peers --work search`: exact search by squared L2 distance.

    faiss_search.py DATABASE DIMENSIONS DEPTH THREADS

Speaks the lines that perf/README.md lists; `input` gives raw fp32 queries, `output` stores the rows found as 64-bit integers [queries, depth].
"""
import sys
import time

import faiss
import numpy

path, dimensions, depth, threads = sys.argv[1], *map(int, sys.argv[2:5])
faiss.omp_set_num_threads(threads)
index = faiss.IndexFlatL2(dimensions)
index.add(numpy.fromfile(path, numpy.float32).reshape(-1, dimensions))
queries = None


def search():
    begin = time.perf_counter()
    rows = index.search(queries, depth)[1]
    return rows, time.perf_counter() - begin


print("ready 0", flush=True)
for line in sys.stdin:
    word, _, argument = line.strip().partition(" ")
    if word == "input":
        queries = numpy.fromfile(argument, numpy.float32).reshape(-1, dimensions)
        search()
        print("ok", flush=True)
    else:
        rows, seconds = search()
        if word == "output":
            rows.astype(numpy.int64).tofile(argument)
        print(seconds, flush=True)
