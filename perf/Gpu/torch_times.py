"""VGG-16 to conv5_3 by PyTorch with its best settings on this GPU: channels last, cuDNN autotuned, bf16 and tf32. Prints JSON."""
import json
import time

import torch
from torch import nn

CHANNELS = [64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512]


def trunk():
    layers, before = [], 3
    for i, width in enumerate(CHANNELS):
        if width == "M":
            layers.append(nn.MaxPool2d(2))
            continue
        layers.append(nn.Conv2d(before, width, 3, padding=1))
        if i + 1 < len(CHANNELS):
            layers.append(nn.ReLU(inplace=True))
        before = width
    return nn.Sequential(*layers).cuda().to(memory_format=torch.channels_last)


def median_seconds(work, wished=1.0):
    work()
    torch.cuda.synchronize()
    times, begin = [], time.perf_counter()
    while len(times) < 3 or (time.perf_counter() - begin < wished and len(times) < 50):
        start = time.perf_counter()
        work()
        torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2]


def main():
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    rows = []
    for precision in ("tf32", "bf16"):
        model = trunk()
        if precision == "bf16":
            model = model.to(torch.bfloat16)
        dtype = torch.bfloat16 if precision == "bf16" else torch.float32
        for images in (1, 8, 48):
            x = torch.randn(images, 3, 480, 640, device="cuda", dtype=dtype).to(memory_format=torch.channels_last)
            with torch.no_grad():
                seconds = median_seconds(lambda: model(x))
            rows.append({"what": f"extraction, {images} images", "how": precision, "images": images, "seconds": seconds, "imagesPerSecond": images / seconds})

        def step(first):
            for i, layer in enumerate(model):
                for p in layer.parameters():
                    p.requires_grad_(i >= first)
            y = model(x)
            y.backward(torch.ones_like(y))

        for name, first in (("conv5_1", 24), ("conv1_1", 0)):
            try:
                rows.append({"what": f"training step from {name}, 48 images", "how": precision, "images": 48, "seconds": median_seconds(lambda: step(first))})
            except torch.cuda.OutOfMemoryError as error:
                rows.append({"what": f"training step from {name}, 48 images", "how": precision, "problem": str(error)})
    print(json.dumps({"device": torch.cuda.get_device_name(), "torch": torch.__version__, "rows": rows}, indent=2))


main()
