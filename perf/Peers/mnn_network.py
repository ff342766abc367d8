"""MNN as a peer of `perf peers`: a network as ONNX, from pixels to descriptors, in fp32 ("precision high").

    mnn_network.py FILE.onnx BATCH HEIGHT WIDTH THREADS          needs the packages MNN and numpy
"""
import os
import subprocess
import sys
import tempfile

# What MNN prints about the processor is not among the lines that perf peers reads.
answers = os.dup(1)
os.dup2(2, 1)
sys.stdout = os.fdopen(answers, "w")

import MNN.expr
import MNN.nn

from line_server import serve

onnx, batch, height, width, threads = sys.argv[1], *map(int, sys.argv[2:6])
with tempfile.TemporaryDirectory() as folder:
    model = os.path.join(folder, "network.mnn")
    convert = "import sys; from MNN.tools import mnnconvert; sys.argv[0] = 'mnnconvert'; mnnconvert.main()"
    subprocess.run([sys.executable, "-c", convert, "-f", "ONNX", "--modelFile", onnx, "--MNNModel", model, "--bizCode", "peer"], check=True, stdout=sys.stderr)
    runtime = MNN.nn.create_runtime_manager(({"backend": 0, "precision": "high", "memory": "high", "power": "high", "numThread": threads},))
    network = MNN.nn.load_module_from_file(model, ["image"], ["descriptor"], runtime_manager=runtime)
images = None


def take(numbers):
    global images
    images = MNN.expr.placeholder([batch, 3, height, width], MNN.expr.NCHW)
    images.write(numbers.reshape(batch, 3, height, width))
    # MNN's own order, which it would otherwise make of the image in every run.
    images = MNN.expr.convert(images, MNN.expr.NC4HW4)


def run():
    return MNN.expr.convert(network.forward([images])[0], MNN.expr.NCHW).read()


serve(take, run, "float32")
