using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace IlgpuNetVlad.Engine.Torch;

/// <summary>
/// Reads Python's pickles as far as dictionaries of weights need them: a pickle is a program for a machine with a stack, and Python's own runs whatever functions it names. This one knows
/// dictionaries, lists, tuples, numbers, text and PyTorch's tensors, runs nothing, and refuses any other name (docs.python.org, "pickletools").
/// </summary>
/// <param name="stream">Bytes from the pickle's first on.</param>
/// <param name="path">For messages.</param>
internal sealed class PickleReader(Stream stream, string path)
{
    // Each byte may make an object: that is a gigabyte at most. A network's pickle has some tens of kilobytes.
    private const int LongestPickle = 16 << 20;

    private readonly List<object?> stack = [];
    private readonly Dictionary<long, object?> memo = [];
    private readonly Stack<int> marks = [];
    private int read;

    /// <summary>Something that stands for a value which nobody here asks for.</summary>
    private static readonly object Inert = new();

    /// <summary>That the pickle named, by their keys.</summary>
    public Dictionary<string, TorchStorage> Storages { get; } = [];

    /// <summary>Reads one pickle, to its end and no further.</summary>
    /// <returns>Null, bool, long, <see cref="BigInteger"/>, double, string, bytes, tuples as arrays, lists, <see cref="PickleDictionary"/>, <see cref="TorchTensor"/>, or something opaque.</returns>
    /// <exception cref="UserErrorException">It is broken, or names what no weights need.</exception>
    public object? Read()
    {
        while (true)
        {
            int code = Byte();
            switch (code)
            {
                case 0x80: // protocol
                    if (Byte() is var protocol && protocol > 5)
                        throw Broken($"its pickle is of protocol {protocol}");
                    break;
                case 0x95: // frame: a hint of length
                    Bytes(8);
                    break;
                case '.':
                    return Pop();
                case '(':
                    marks.Push(stack.Count);
                    break;
                case '0':
                    Pop();
                    break;
                case '1':
                    PopToMark();
                    break;
                case '2':
                    Push(Top());
                    break;
                case 'N':
                    Push(null);
                    break;
                case 0x88:
                case 0x89:
                    Push(code == 0x88);
                    break;
                case 'J':
                    Push((long)BinaryPrimitives.ReadInt32LittleEndian(Bytes(4)));
                    break;
                case 'K':
                    Push((long)Byte());
                    break;
                case 'M':
                    Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Bytes(2)));
                    break;
                case 0x8A:
                    PushInteger(Bytes(Byte()));
                    break;
                case 0x8B:
                    PushInteger(Bytes(Length(4)));
                    break;
                case 'G':
                    Push(BinaryPrimitives.ReadDoubleBigEndian(Bytes(8)));
                    break;
                case 'X':
                    Push(Encoding.UTF8.GetString(Bytes(Length(4))));
                    break;
                case 0x8C:
                    Push(Encoding.UTF8.GetString(Bytes(Byte())));
                    break;
                case 0x8D:
                    Push(Encoding.UTF8.GetString(Bytes(Length(8))));
                    break;
                case 'T': // strings of Python 2
                    Push(Encoding.Latin1.GetString(Bytes(Length(4))));
                    break;
                case 'U':
                    Push(Encoding.Latin1.GetString(Bytes(Byte())));
                    break;
                case 'B':
                    Push(Bytes(Length(4)));
                    break;
                case 'C':
                    Push(Bytes(Byte()));
                    break;
                case '}':
                    Push(new PickleDictionary());
                    break;
                case ']':
                    Push(new List<object?>());
                    break;
                case ')':
                    Push(Array.Empty<object?>());
                    break;
                case 't':
                    Push(PopToMark());
                    break;
                case 0x85:
                case 0x86:
                case 0x87:
                    Push(Pop(code - 0x84));
                    break;
                case 'l':
                    Push(PopToMark().ToList());
                    break;
                case 'd':
                    var made = new PickleDictionary();
                    AddPairs(made, PopToMark());
                    Push(made);
                    break;
                case 'a':
                    object? one = Pop();
                    (Top() as List<object?> ?? throw Broken("its pickle appends to what is no list")).Add(one);
                    break;
                case 'e':
                    object?[] some = PopToMark();
                    (Top() as List<object?> ?? throw Broken("its pickle appends to what is no list")).AddRange(some);
                    break;
                case 's':
                    object?[] pair = Pop(2);
                    AddPairs(Dictionary(), pair);
                    break;
                case 'u':
                    object?[] pairs = PopToMark();
                    AddPairs(Dictionary(), pairs);
                    break;
                case 'q':
                    memo[Byte()] = Top();
                    break;
                case 'r':
                    memo[BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4))] = Top();
                    break;
                case 0x94:
                    memo[memo.Count] = Top();
                    break;
                case 'h':
                    Push(Remembered(Byte()));
                    break;
                case 'j':
                    Push(Remembered(BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4))));
                    break;
                case 'c':
                    Push(Global(Line(), Line()));
                    break;
                case 0x93:
                    object?[] names = Pop(2);
                    Push(names is [string module, string name] ? Global(module, name) : throw Broken("its pickle names a class by what is no text"));
                    break;
                case 'R':
                    object?[] call = Pop(2);
                    Push(call is [PickleGlobal function, object?[] arguments] ? Make(function, arguments) : throw Broken("its pickle calls what is no function"));
                    break;
                case 'b':
                    // State beside what was made, such as an ordered dictionary's _metadata: nothing of it is needed.
                    Pop();
                    Top();
                    break;
                case 'Q':
                    Push(Storage(Pop()));
                    break;
                default:
                    throw new UserErrorException(
                        $"{path} does something in its pickle that dictionaries of weights do not need (operation 0x{code:x2}), and is refused: load it in PyTorch and save the state_dict alone.");
            }
        }
    }

    private PickleGlobal Global(string module, string name)
    {
        var global = new PickleGlobal(module, name);
        return global.IsKnown
            ? global
            : throw new UserErrorException($"{path} asks for {global}, which dictionaries of weights do not need, and is refused; nothing of it was run: load it in PyTorch where you trust it and save the state_dict alone.");
    }

    private object Make(PickleGlobal function, object?[] arguments)
    {
        switch (function.ToString())
        {
            case PickleGlobal.OrderedDictionary:
                var made = new PickleDictionary();
                // Older Pythons hand its pairs over as lists.
                foreach (object? pair in arguments is [List<object?> pairs] ? pairs : [])
                    AddPairs(made, pair is List<object?> { Count: 2 } two ? [.. two] : pair as object?[] ?? []);
                return made;
            case PickleGlobal.RebuildTensor when arguments.Length >= 4:
            case PickleGlobal.RebuildTensorV2 when arguments.Length >= 4:
                return arguments[..4] is [TorchStorage storage, long offset, object?[] shape, object?[] strides]
                    ? Tensor(storage, offset, shape, strides) : throw Broken("a tensor in it is described by what is no tensor's");
            case PickleGlobal.RebuildParameter when arguments is [TorchTensor tensor, ..]:
                return tensor;
            default:
                return Inert;
        }
    }

    private TorchTensor Tensor(TorchStorage storage, long offset, object?[] shape, object?[] strides)
    {
        if (shape.Length != strides.Length || shape.Any(n => n is not (>= 0L and <= int.MaxValue)) || strides.Any(n => n is not (>= 0L and <= uint.MaxValue)) || offset < 0)
            throw Broken("a tensor in it has sizes or steps that none can have");
        long count = 1;
        BigInteger last = offset;
        for (int i = 0; i < shape.Length; i++)
        {
            count = Math.Min(count * (long)shape[i]!, long.MaxValue >> 32);
            last += (BigInteger)Math.Max(0, (long)shape[i]! - 1) * (long)strides[i]!;
        }
        // A view that repeats elements may claim any size; none of weights does.
        if (count > storage.Count || count > 0 && last >= storage.Count)
            throw Broken($"a tensor of [{string.Join(", ", shape)}] claims more than the {storage.Count} numbers of its storage");
        if (count > Array.MaxLength)
            throw Broken($"a tensor of [{string.Join(", ", shape)}] has more numbers than can be read at once");
        return new(storage, offset, [.. shape.Select(n => (int)(long)n!)], [.. strides.Select(n => (long)n!)]);
    }

    private TorchStorage Storage(object? id)
    {
        if (id is not object?[] { Length: >= 5 } parts || parts[..5] is not ["storage", PickleGlobal { Module: "torch" } kind, string key, string, long count] || count < 0)
            throw Broken("a storage in it is described by what is no storage's");
        if (parts.Length > 5 && parts[5] is not null)
            throw new UserErrorException($"{path} keeps tensors as views of views, as PyTorch did before 0.4: load it in a newer one and save it again.");
        var type = TorchStorage.TypeOf(kind.Name) ?? throw Broken($"a storage in it is a {kind}");
        if (count > long.MaxValue / 16)
            throw Broken($"a storage in it claims {count} numbers");
        var storage = new TorchStorage(key, type, count);
        if (!Storages.TryAdd(key, storage) && Storages[key] != storage)
            throw Broken($"it describes storage {key} in two ways");
        return storage;
    }

    private static void AddPairs(PickleDictionary dictionary, object?[] flat)
    {
        for (int i = 0; i + 1 < flat.Length; i += 2)
            dictionary.Add(flat[i], flat[i + 1]);
    }

    private PickleDictionary Dictionary() => Top() as PickleDictionary ?? throw Broken("its pickle puts pairs into what is no dictionary");

    private void PushInteger(byte[] littleEndian)
    {
        var number = new BigInteger(littleEndian);
        Push(number >= long.MinValue && number <= long.MaxValue ? (long)number : number);
    }

    private void Push(object? value) => stack.Add(value);

    private object? Top() => stack.Count > Floor ? stack[^1] : throw Broken("its pickle takes more than it put down");

    private object? Pop()
    {
        object? top = Top();
        stack.RemoveAt(stack.Count - 1);
        return top;
    }

    private object?[] Pop(int count)
    {
        var values = new object?[count];
        for (int i = count - 1; i >= 0; i--)
            values[i] = Pop();
        return values;
    }

    private object?[] PopToMark()
    {
        if (!marks.TryPop(out int mark))
            throw Broken("its pickle takes more than it put down");
        object?[] values = [.. stack.Skip(mark)];
        stack.RemoveRange(mark, stack.Count - mark);
        return values;
    }

    /// <summary>What lies below the last mark is out of reach.</summary>
    private int Floor => marks.TryPeek(out int mark) ? mark : 0;

    private object? Remembered(long key) => memo.TryGetValue(key, out object? value) ? value : throw Broken("its pickle remembers what it never had");

    private int Length(int bytes)
    {
        byte[] length = Bytes(bytes);
        ulong value = bytes == 4 ? BinaryPrimitives.ReadUInt32LittleEndian(length) : BinaryPrimitives.ReadUInt64LittleEndian(length);
        return value <= LongestPickle ? (int)value : throw Broken($"its pickle claims a text of {value} bytes");
    }

    private string Line()
    {
        var line = new List<byte>();
        for (int b = Byte(); b != '\n'; b = Byte())
            line.Add((byte)b);
        return Encoding.UTF8.GetString([.. line]).TrimEnd('\r');
    }

    private int Byte()
    {
        if (++read > LongestPickle)
            throw Broken($"its pickle is longer than {LongestPickle} bytes");
        return stream.ReadByte() is >= 0 and var b ? b : throw Broken("its pickle ends too early");
    }

    private byte[] Bytes(int count)
    {
        if ((read += count) > LongestPickle)
            throw Broken($"its pickle is longer than {LongestPickle} bytes");
        var bytes = new byte[count];
        return stream.ReadAtLeast(bytes, count, throwOnEndOfStream: false) == count ? bytes : throw Broken("its pickle ends too early");
    }

    private UserErrorException Broken(string how) => TorchFile.Broken(path, how);
}
