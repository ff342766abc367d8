"""FAISS as a peer of `perf peers --work search`: exact search by squared L2 distance.

    faiss_search.py DATABASE DIMENSIONS DEPTH THREADS            needs the packages faiss and numpy

`input` gives raw fp32 queries, `output` stores the rows found as 64-bit integers [queries, depth].
"""
import sys

import faiss
import numpy

from line_server import serve

path, dimensions, depth, threads = sys.argv[1], *map(int, sys.argv[2:5])
faiss.omp_set_num_threads(threads)
index = faiss.IndexFlatL2(dimensions)
index.add(numpy.fromfile(path, numpy.float32).reshape(-1, dimensions))
queries = None


def take(numbers):
    global queries
    queries = numbers.reshape(-1, dimensions)


def run():
    return index.search(queries, depth)[1]


serve(take, run, "int64")
