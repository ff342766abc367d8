using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Matlab;
using IlgpuNetVlad.Tests.Data;

namespace IlgpuNetVlad.Tests.Matlab;

/// <summary>Files of MATLAB's level 5, by hand, from SciPy and from MATLAB itself.</summary>
[TestFixture]
public sealed class MatlabFiles
{
    private TemporaryFolder folder = null!;

    [SetUp]
    public void MakeFolder() => folder = new();

    [TearDown]
    public void RemoveFolder() => folder.Dispose();

    private MatlabFile Read(byte[] bytes, Func<string, bool>? wanted = null) => MatlabFile.Read(folder.Write("m.mat", bytes), wanted);

    [Test]
    public void EveryTypeOfNumber_IsRead_InBothOrdersOfBytes([Values] bool bigEndian, [Values] bool compressed)
    {
        var m = new MatlabBytes(bigEndian);
        byte[][] stored =
        [
            m.Element(1, m.Numbers<sbyte>(-2, 3)), m.Small(2, 254, 3), m.Small(3, m.Numbers<short>(-300, 3)), m.Element(4, m.Numbers<ushort>(60000, 3)), m.Element(5, m.Numbers(-70000, 3)),
            m.Element(6, m.Numbers<uint>(4_000_000_000, 3)), m.Element(7, m.Numbers<float>(0.1f, 3)), m.Element(9, m.Numbers<double>(0.1, 3)), m.Element(12, m.Numbers<long>(-5_000_000_000, 3)),
            m.Element(13, m.Numbers<ulong>(1UL << 60, 3)),
        ];
        double[] expected = [-2, 254, -300, 60000, -70000, 4_000_000_000, 0.1f, 0.1, -5e9, 1L << 60];
        var file = Read(m.File([.. stored.SelectMany((s, i) => new[] { m.Array(MatlabBytes.Double, [1, 2], $"d{i}", s), m.Array(MatlabBytes.Single, [1, 2], $"s{i}", s) }).Select(v => compressed ? m.Compressed(v) : v)]));
        for (int i = 0; i < stored.Length; i++)
        {
            Assert.That(file.Numbers(file.Find($"d{i}"), "").ToDoubles(), Is.EqualTo(new[] { expected[i], 3 }), $"type {i}");
            Assert.That(file.Numbers(file.Find($"s{i}"), "").ToSingles(), Is.EqualTo(new[] { (float)expected[i], 3 }), $"type {i}");
        }
    }

    [Test]
    public void Text_IsRead_InEveryEncoding([Values] bool bigEndian)
    {
        var m = new MatlabBytes(bigEndian);
        byte[] Chars(string name, int type, byte[] bytes, params int[] shape) => m.Array(MatlabBytes.Char, shape, name, m.Element(type, bytes));
        var file = Read(m.File(
            Chars("utf8", 16, [.. "größe"u8], 1, 5), Chars("wide", 4, m.Numbers<ushort>('g', 'r', 'ö'), 1, 3), Chars("utf16", 17, m.Numbers<ushort>('g', 'r', 'ö'), 1, 3),
            Chars("utf32", 18, m.Numbers<uint>('ö', 0x1F600), 1, 2), Chars("bytes", 1, [.. "abc"u8], 1, 3), Chars("none", 16, [], 0, 0), Chars("lines", 16, [.. "acbd"u8], 2, 2)));
        Assert.That(file.Variables.Select(v => file.Text(v.Value, v.Name)), Is.EqualTo(new[] { "größe", "grö", "grö", "ö\U0001F600", "abc", "", "abcd" }));
    }

    [Test]
    public void CellsAndStructures_HoldAnything([Values] bool bigEndian)
    {
        var m = new MatlabBytes(bigEndian);
        byte[] empty = m.Words(MatlabBytes.Matrix, 0);
        var file = Read(m.File(m.Structs("s", [1, 2], ["name", "parts"],
            m.Text("", "first"), m.Cells("", [2, 1], m.Doubles("", [1, 1], 7), empty),
            m.Text("", "second"), m.Cells("", [0, 0]))));
        var s = file.Struct(file.Find("s"), "s");
        Assert.That((s.Count, s.Fields), Is.EqualTo((2, new[] { "name", "parts" })));
        Assert.That(file.Text(s.Find("name"), "name"), Is.EqualTo("first"));
        var parts = file.Cells(s.At(1), "parts");
        Assert.That(file.Numbers(parts[0], "a part").ToDoubles(), Is.EqualTo(new[] { 7.0 }));
        Assert.That(file.Numbers(parts[1], "a part").Shape, Is.EqualTo(new[] { 0, 0 }));
        Assert.That((s.Find("weights"), s.At(2)), Is.EqualTo(((MatlabValue?)null, (MatlabValue?)null)));
    }

    /// <summary>What is not read neither hides what lies beside it nor passes for something else.</summary>
    [Test]
    public void WhatIsNotRead_IsNamedToWhoeverAsksForIt()
    {
        var m = new MatlabBytes();
        byte[] opaque = m.Element(MatlabBytes.Matrix, [.. m.Flags(MatlabBytes.Opaque), .. m.Name("net"), .. m.Name("MCOS"), .. m.Name("layerVLAD"), .. m.Doubles("", [2, 1], 1, 2)]);
        var file = Read(m.File(
            opaque,
            m.Array(MatlabBytes.Object, [1, 1], "old", m.Name("layerOld"), m.Small(5, m.Words(32)), m.Element(1, [])),
            m.Array(MatlabBytes.Sparse, [3, 3], "sparse", m.Element(5, m.Numbers(0)), m.Element(5, m.Numbers(0, 1, 1, 1)), m.Element(9, m.Numbers(2.0))),
            m.Element(MatlabBytes.Matrix, [.. m.Flags(MatlabBytes.Double, 0x800), .. m.Shape(1, 1), .. m.Name("z"), .. m.Element(9, m.Numbers(1.0)), .. m.Element(9, m.Numbers(2.0))]),
            m.Doubles("after", [1, 1], 5)));
        Assert.That(file.Numbers(file.Find("after"), "after").ToDoubles(), Is.EqualTo(new[] { 5.0 }));
        foreach (var (name, says) in new[] { ("net", "an object of class layerVLAD, which only MATLAB with that class"), ("old", "class layerOld"), ("sparse", "a sparse matrix, which is not read here"), ("z", "complex numbers") })
            Assert.That(Assert.Throws<UserErrorException>(() => file.Numbers(file.Find(name), $"the variable {name}"))!.Message,
                Does.StartWith($"the variable {name} in {folder["m.mat"]} is").And.Contain(says).And.EndsWith("."));
        Assert.That(Assert.Throws<UserErrorException>(() => file.Text(file.Find("after"), "its name"))!.Message, Does.Contain("its name").And.Contain("a number where text must be"));
        Assert.That(Assert.Throws<UserErrorException>(() => file.Cells(file.Find("none"), "its layers"))!.Message, Does.Contain("lacks its layers"));
    }

    [Test]
    public void OnlyWantedVariables_AreRead([Values] bool compressed)
    {
        var m = new MatlabBytes();
        byte[][] variables = [m.Doubles("one", [1, 1], 1), m.Doubles("two", [1, 1], 2), m.Doubles("three", [1, 1], 3)];
        var file = Read(m.File([.. variables.Select(v => compressed ? m.Compressed(v) : v)]), name => name != "two");
        Assert.That(file.Variables.Select(v => v.Name), Is.EqualTo(new[] { "one", "three" }));
    }

    /// <summary>Written by SciPy 1.10, savemat with compression.</summary>
    [Test]
    public void AFileOfAnotherWriter_IsRead()
    {
        var file = MatlabFile.Read(Path.Combine(SharedFolder.Repository, "tests", "Matlab", "scipy.mat"));
        foreach (string type in (string[])["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"])
        {
            var numbers = file.Numbers(file.Find($"a_{type}"), type);
            Assert.That((numbers.Shape, numbers.ToDoubles()), Is.EqualTo((new[] { 2, 3 }, new double[] { 1, 4, 2, 5, 3, 100 })), type);
        }
        Assert.That(file.Numbers(file.Find("truth"), "truth").ToSingles(), Is.EqualTo(new[] { 1f, 0 }));
        Assert.That(file.Text(file.Find("text"), "text"), Is.EqualTo("größe of 3"));
        Assert.That(file.Text(file.Find("lines"), "lines"), Is.EqualTo("abcd"));
        var cells = file.Cells(file.Find("cells"), "cells");
        Assert.That(cells.Select(c => c.Kind), Is.EqualTo(new[] { "a number", "numbers of 0×0", "text of 1×1", "a cell array of 1×2" }), "column by column");
        var record = file.Struct(file.Find("record"), "record");
        Assert.That(file.Text(record.Find("name"), "name"), Is.EqualTo("conv1_1"));
        Assert.That(file.Numbers(file.Struct(record.Find("inner"), "inner").Find("deep"), "deep").ToSingles(), Is.EqualTo(new[] { 0.1f }));
        float[] cube = file.Numbers(file.Find("cube"), "cube").ToSingles();
        Assert.That(cube[1 + 2 * (2 + 3 * 3)], Is.EqualTo(1 * 12 + 2 * 4 + 3), "the first index is the fastest");
    }

    /// <summary>Written by MATLAB itself: the benchmark's authors' own.</summary>
    [TestCase("pitts30k_test.mat", 10000, 6816)]
    [TestCase("pitts250k_test.mat", 83952, 8280)]
    public void AFileOfMatlab_IsRead(string name, int database, int queries)
    {
        var file = MatlabFile.Read(SharedFolder.Require("data", "splits", name));
        var s = file.Struct(file.Find("dbStruct"), "dbStruct");
        Assert.That(file.Text(s.Find("whichSet"), "whichSet"), Is.EqualTo("test"));
        var names = file.Cells(s.Find("dbImageFns"), "dbImageFns");
        Assert.That((names.Count, file.Cells(s.Find("qImageFns"), "qImageFns").Count), Is.EqualTo((database, queries)));
        Assert.That(file.Text(names[1], "a name"), Does.EndWith("_pitch1_yaw2.jpg"));
        Assert.That(file.Numbers(s.Find("utmDb"), "utmDb").Shape, Is.EqualTo(new[] { 2, database }));
        Assert.That(file.Numbers(s.Find("posDistThr"), "posDistThr").ToDoubles(), Is.EqualTo(new[] { 25.0 }));
    }
}
