"""LAPACK as a peer of `perf peers --work pca`: a PCA by the Gram matrix, as one would write it with NumPy and SciPy.

    lapack_pca.py DIMENSIONS COMPONENTS THREADS DRIVER PRECISION            needs the packages numpy and scipy

DRIVER is evr or evd, PRECISION (fp32, fp64) that of the eigenvalue problem. `input` gives raw fp32 descriptors, `output` stores the components, each of length 1, as raw fp32
[components, dimensions], and behind them the eigenvalues of the covariance [components].
"""
import os
import sys

dimensions, components = map(int, sys.argv[1:3])
os.environ["OPENBLAS_NUM_THREADS"] = sys.argv[3]
driver, precision = sys.argv[4:6]

import numpy
from scipy import linalg
from scipy.linalg import blas

from line_server import serve

descriptors = None


def take(numbers):
    global descriptors
    descriptors = numbers.reshape(-1, dimensions)


def run():
    n = len(descriptors)
    centred = descriptors - descriptors.mean(axis=0, dtype=numpy.float64).astype(numpy.float32)
    # The transpose of a row-major matrix is what Fortran takes without a copy; one triangle is computed.
    gram = blas.ssyrk(1 / (n - 1), centred.T, trans=1, lower=1)
    if precision == "fp64":
        gram = gram.astype(numpy.float64)
    subset = {"subset_by_index": (n - components, n - 1)} if driver == "evr" else {}
    values, vectors = linalg.eigh(gram, lower=True, driver=driver, overwrite_a=True, check_finite=False, **subset)
    values, vectors = values[:-components - 1:-1], vectors[:, :-components - 1:-1]
    axes = vectors.T.astype(numpy.float32) @ centred
    axes /= numpy.linalg.norm(axes, axis=1, keepdims=True)
    return numpy.concatenate([axes.ravel(), values])


serve(take, run, "float32")
