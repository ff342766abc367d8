using System.Globalization;
using System.Reflection;

namespace IlgpuNetVlad.Perf.Operations;

/// <summary>
/// Problems as lines of the files in perf/Operations/Shapes: a name, then the shape's settings by their names in the operation's record (<c>vgg16:conv1_2 B=1 H=480 W=640 …</c>); those
/// that are not named have their defaults. Lines that begin with # are remarks.
/// </summary>
internal static class ShapeFile
{
    /// <param name="name">Of the file, without .txt.</param>
    public static IEnumerable<Shape<TProblem>> Read<TProblem>(string name)
        where TProblem : struct
    {
        using var file = typeof(ShapeFile).Assembly.GetManifestResourceStream($"Shapes/{name}.txt") ?? throw new FileNotFoundException($"There is no file of shapes {name}.txt.");
        using var reader = new StreamReader(file);
        while (reader.ReadLine() is { } line)
            if (line.Length > 0 && line[0] != '#')
                yield return Parse<TProblem>(line);
    }

    private static Shape<TProblem> Parse<TProblem>(string line)
        where TProblem : struct
    {
        string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var settings = words[1..].Select(w => w.Split('=')).ToDictionary(w => w[0], w => w[1]);
        var parameters = typeof(TProblem).GetConstructors().MaxBy(c => c.GetParameters().Length)!.GetParameters();
        object?[] values = [.. parameters.Select(p => settings.Remove(p.Name!, out string? text) ? Convert.ChangeType(text, p.ParameterType, CultureInfo.InvariantCulture) : Default(p, line))];
        if (settings.Count > 0)
            throw new FormatException($"The shape \"{line}\" has {string.Join(", ", settings.Keys)}, which {typeof(TProblem).Name} does not know.");
        return new(words[0], (TProblem)Activator.CreateInstance(typeof(TProblem), values)!);
    }

    private static object? Default(ParameterInfo parameter, string line)
        => parameter.HasDefaultValue ? parameter.DefaultValue : throw new FormatException($"The shape \"{line}\" lacks {parameter.Name}.");
}
