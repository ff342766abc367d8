"""ncnn as a peer of `perf peers --work trunk`: VGG-16 up to conv5_3, one image, in fp32.

    ncnn_trunk.py WEIGHTS.safetensors HEIGHT WIDTH THREADS       needs the packages ncnn and numpy
"""
import json
import os
import struct
import sys
import tempfile
import types

# ncnn's package imports these for its collection of models alone.
for name in ("tqdm", "requests", "portalocker", "cv2"):
    if name not in sys.modules:
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].tqdm = sys.modules[name].Lock = None

import ncnn
import numpy

from line_server import serve

path, height, width, threads = sys.argv[1], *map(int, sys.argv[2:5])
with open(path, "rb") as file:
    size, = struct.unpack("<Q", file.read(8))
    header = json.loads(file.read(size))
    numbers = file.read()


def tensor(name):
    begin, end = header[name]["data_offsets"]
    return numbers[begin:end]


# ncnn's text of layers (kind, name, inputs, outputs, their names, settings) and its file of weights, in which a tag of four zero bytes says fp32.
layers, weights, last, index = ["Input image 0 1 image"], b"", "image", 0
blocks = [[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]]
for number, block in enumerate(blocks):
    if number > 0:
        layers.append(f"Pooling pool{number} 1 1 {last} pool{number} 0=0 1=2 2=2")
        last, index = f"pool{number}", index + 1
    for i, channels in enumerate(block):
        name = f"conv{number + 1}_{i + 1}"
        kernel = tensor(f"features.{index}.weight")
        relu = 0 if name == "conv5_3" else 1
        layers.append(f"Convolution {name} 1 1 {last} {name} 0={channels} 1=3 3=1 4=1 5=1 6={len(kernel) // 4} 9={relu}")
        weights += bytes(4) + kernel + tensor(f"features.{index}.bias")
        # torchvision counts ReLU as a layer of its own.
        last, index = name, index + 2
network = ncnn.Net()
network.opt.num_threads = threads
network.opt.use_fp16_packed = network.opt.use_fp16_storage = network.opt.use_fp16_arithmetic = network.opt.use_bf16_storage = False
with tempfile.TemporaryDirectory() as folder:
    param, model = os.path.join(folder, "trunk.param"), os.path.join(folder, "trunk.bin")
    with open(param, "w") as file:
        file.write("7767517\n%d %d\n%s\n" % (len(layers), len(layers), "\n".join(layers)))
    with open(model, "wb") as file:
        file.write(weights)
    network.load_param(param)
    network.load_model(model)
image = None


def take(values):
    global image
    image = ncnn.Mat(values.reshape(3, height, width)).clone()


def run():
    extractor = network.create_extractor()
    extractor.input("image", image)
    return numpy.array(extractor.extract(last)[1])


serve(take, run, "float32")
