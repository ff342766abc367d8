"""VGG-16 to conv5_3 by PyTorch with its best settings on this GPU: channels last, cuDNN autotuned, bf16 and tf32.

Writes `ready VERSION`, then answers each line `WORK PRECISION IMAGES HEIGHT WIDTH` with `seconds S`, the median of one run's time by CUDA events, or with `problem TEXT`.
WORK is `extraction`, `conv5_1` or `conv1_1`: a forward pass, or forward and backward down to that layer.
"""
import sys

import torch
from torch import nn

CHANNELS = [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512]
FIRST_TRAINED = {"conv5_1": 24, "conv1_1": 0}
WISHED_SECONDS, MOST_RUNS = 0.5, 50


def trunk(dtype):
    layers, before = [], 3
    for i, width in enumerate(CHANNELS):
        if width == "M":
            layers.append(nn.MaxPool2d(2))
            continue
        layers.append(nn.Conv2d(before, width, 3, padding=1))
        if i + 1 < len(CHANNELS):
            layers.append(nn.ReLU(inplace=True))
        before = width
    return nn.Sequential(*layers).cuda().to(dtype=dtype, memory_format=torch.channels_last)


def once(work):
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    begin.record()
    work()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) / 1000


def median_seconds(work):
    # The first runs choose cuDNN's algorithms.
    once(work)
    first = once(work)
    times = sorted(once(work) for _ in range(max(3, min(MOST_RUNS, int(WISHED_SECONDS / first)))))
    return times[len(times) // 2]


def measure(kind, precision, images, height, width):
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
    model = trunk(dtype)
    x = torch.randn(images, 3, height, width, device="cuda", dtype=dtype).to(memory_format=torch.channels_last)
    if kind == "extraction":
        with torch.no_grad():
            return median_seconds(lambda: model(x))
    for i, layer in enumerate(model):
        for p in layer.parameters():
            p.requires_grad_(i >= FIRST_TRAINED[kind])

    def step():
        y = model(x)
        y.backward(torch.ones_like(y))

    return median_seconds(step)


def main():
    torch.backends.cudnn.benchmark = True
    torch.zeros(1, device="cuda")
    print("ready", torch.__version__, flush=True)
    for line in sys.stdin:
        kind, precision, *sizes = line.split()
        try:
            print("seconds", measure(kind, precision, *map(int, sizes)), flush=True)
        except RuntimeError as error:
            print("problem", " ".join(str(error).split())[:200], flush=True)
        # What it keeps would be missing to whoever is measured next.
        torch.cuda.empty_cache()


main()
