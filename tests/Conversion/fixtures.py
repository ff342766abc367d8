"""Writes the small files beside it: one network, as MatConvNet and as PyTorch lay theirs out. Needs NumPy and SciPy, and no PyTorch.

Its numbers are multiples of 1/32, which every format here holds exactly; ForeignFiles.cs has the same.
"""
import collections, io, pickle, struct, sys, types, zipfile
import numpy as np
import scipy.io

Oc1, Oc2, K, D, Pca = 4, 6, 3, 6, 5


def numbers(seed, *shape):
    i = np.arange(np.prod(shape))
    return (((i * 37 + seed * 11) % 61 - 30) / 32).reshape(shape)


w1, b1, w2, b2 = numbers(1, Oc1, 3, 3, 3), numbers(2, Oc1), numbers(3, Oc2, Oc1, 3, 3), numbers(4, Oc2)
assign, centres, pca, pca_bias, bias = numbers(5, K, D), numbers(6, K, D), numbers(7, Pca, K * D), numbers(8, Pca), numbers(9, K)

# MATLAB: H×W×IN×OUT, centres negated, PCA over clusters next to each other.


def cell(*values):
    c = np.empty((1, len(values)), dtype=object)
    for i, v in enumerate(values):
        c[0, i] = v
    return c


def single(x):
    return np.asarray(x, dtype='float32')


def conv(name, w, b, pad):
    return {'type': 'conv', 'name': name, 'weights': cell(single(w.transpose(2, 3, 1, 0)), single(b[None])), 'stride': [1, 1], 'pad': [pad] * 4}


def l2(name):
    return {'type': 'normalize', 'name': name, 'param': [2.0 * D, 1e-12, 1, 0.5], 'precious': 0}


def clusters(w):
    return single(w.T.reshape(1, 1, D, K))


def mat(path, vlad, *behind):
    layers = cell(
        conv('conv1', w1, b1, 1),
        {'type': 'pool', 'name': 'pool1', 'method': 'max', 'pool': [2, 2], 'stride': [2, 2], 'pad': [0, 0, 0, 0]},
        {'type': 'relu', 'name': 'relu1', 'leak': 0},
        conv('conv2', w2, b2, 1),
        l2('preL2'),
        {'type': 'custom', 'name': 'vlad:core', 'K': K, 'D': D, 'vladDim': K * D, 'weights': cell(*vlad), 'momentum': [], 'precious': False},
        l2('vlad:intranorm'),
        {'type': 'custom', 'name': 'postL2', 'precious': False},
        *behind)
    mean = single(np.broadcast_to([123.68, 116.779, 103.939], (2, 2, 3)))
    scipy.io.savemat(path, {'net': {'layers': layers, 'meta': {'normalization': {'averageImage': mean, 'imageSize': [224, 224, 3]}, 'netID': 'vd16'}}}, do_compression=True)


white = pca.reshape(Pca, K, D).transpose(0, 2, 1).reshape(Pca, K * D).T.reshape(1, 1, K * D, Pca)
mat('small-struct.mat', [clusters(assign), clusters(-centres)],
    {'type': 'conv', 'name': 'WPCA', 'weights': cell(single(white), single(pca_bias[:, None])), 'stride': 1, 'pad': 0, 'opts': cell(), 'precious': False},
    {'type': 'custom', 'name': 'finalL2', 'precious': False})
mat('small-v2-struct.mat', [clusters(assign), single(bias[None]), clusters(-centres)])

# PyTorch: its classes by name alone.

torch, utils = types.ModuleType('torch'), types.ModuleType('torch._utils')
sys.modules['torch'], sys.modules['torch._utils'] = torch, utils
for kind in ('FloatStorage', 'DoubleStorage', 'HalfStorage', 'BFloat16Storage'):
    setattr(torch, kind, type(kind, (), {'__module__': 'torch'}))


def _rebuild_tensor_v2():
    pass


_rebuild_tensor_v2.__module__ = 'torch._utils'
utils._rebuild_tensor_v2 = _rebuild_tensor_v2


class Storage:
    def __init__(self, kind, values):
        values = np.ascontiguousarray(values).ravel()
        self.kind, self.count = kind, values.size
        self.bytes = {
            'FloatStorage': lambda: values.astype('<f4'), 'DoubleStorage': lambda: values.astype('<f8'), 'HalfStorage': lambda: values.astype('<f2'),
            'BFloat16Storage': lambda: (values.astype('<f4').view('<u4') >> 16).astype('<u2'),
        }[kind]().tobytes()


class Tensor:
    def __init__(self, storage, offset, shape, strides):
        self.parts = (storage, offset, tuple(shape), tuple(strides), False, collections.OrderedDict())

    def __reduce_ex__(self, protocol):
        return _rebuild_tensor_v2, self.parts


def steps(shape):
    return [int(np.prod(shape[i + 1:])) for i in range(len(shape))]


def tensor(values, kind='FloatStorage'):
    return Tensor(Storage(kind, values), 0, values.shape, steps(values.shape))


class Pickler(pickle.Pickler):
    def __init__(self, stream, old):
        super().__init__(stream, protocol=2)
        self.storages, self.old = [], old

    def persistent_id(self, thing):
        if not isinstance(thing, Storage):
            return None
        if thing not in self.storages:
            self.storages.append(thing)
        return ('storage', getattr(torch, thing.kind), str(self.storages.index(thing)), 'cpu', thing.count) + ((None,) if self.old else ())


class States(collections.OrderedDict):
    """Keeps _metadata beside its pairs, as PyTorch's do."""
    def __reduce__(self):
        return collections.OrderedDict, (), {'_metadata': collections.OrderedDict([('', {'version': 1})])}, None, iter(self.items())


def new(path, root):
    stream = io.BytesIO()
    pickler = Pickler(stream, False)
    pickler.dump(root)
    with zipfile.ZipFile(path, 'w') as zip:
        zip.writestr('small/data.pkl', stream.getvalue())
        for i, storage in enumerate(pickler.storages):
            zip.writestr(f'small/data/{i}', storage.bytes)
        zip.writestr('small/version', '3\n')


def old(path, root):
    with open(path, 'wb') as file:
        for head in (0x1950a86a20f9469cfc6c, 1001, {'protocol_version': 1001, 'little_endian': True, 'type_sizes': {'short': 2, 'int': 4, 'long': 4}}):
            pickle.dump(head, file, protocol=2)
        pickler = Pickler(file, True)
        pickler.dump(root)
        pickle.dump([str(i) for i in range(len(pickler.storages))], file, protocol=2)
        for storage in pickler.storages:
            file.write(struct.pack('<q', storage.count) + storage.bytes)


biases = Storage('FloatStorage', np.concatenate([[7], b1, b2]))
new('small-patch.pth.tar', {'num_pcs': str(Pca), 'state_dict': States([
    ('encoder.0.weight', tensor(w1)), ('encoder.0.bias', Tensor(biases, 1, b1.shape, [1])),
    # Its numbers lie in another order, as after a permutation.
    ('encoder.3.weight', Tensor(Storage('FloatStorage', w2.transpose(2, 3, 1, 0)), 0, w2.shape, [1, Oc2, 3 * Oc1 * Oc2, Oc1 * Oc2])),
    ('encoder.3.bias', Tensor(biases, 1 + Oc1, b2.shape, [1])),
    ('pool.centroids', tensor(centres, 'BFloat16Storage')), ('pool.conv.weight', tensor(assign.reshape(K, D, 1, 1), 'HalfStorage')),
    ('WPCA.0.weight', tensor(pca.reshape(Pca, K * D, 1, 1), 'DoubleStorage')), ('WPCA.0.bias', tensor(pca_bias, 'DoubleStorage'))])})
old('small-old.pth.tar', {
    'epoch': 3, 'recalls': {1: np.float64(0.8), 5: np.float64(0.9)}, 'best_score': np.float64(0.9), 'optimizer': {'state': {}, 'param_groups': [{'lr': 1e-3, 'params': [1, 2]}]}, 'parallel': True,
    'state_dict': States([
        ('encoder.module.0.weight', tensor(w1)), ('encoder.module.0.bias', tensor(b1)), ('encoder.module.3.weight', tensor(w2)), ('encoder.module.3.bias', tensor(b2)),
        ('pool.module.centroids', tensor(centres)), ('pool.module.conv.weight', tensor(assign.reshape(K, D, 1, 1)))])})
