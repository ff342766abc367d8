using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Kernels;

namespace IlgpuNetVlad.App.Emitted;

/// <summary>An operation's problem with numbers that somebody names, such as <c>B=8,H=60,W=80</c>; the others are an example's.</summary>
internal static class GivenShape
{
    private const BindingFlags Names = BindingFlags.Instance | BindingFlags.Public | BindingFlags.IgnoreCase;

    /// <exception cref="UserErrorException">The text is no such list, names what the problem does not have, or what comes of it is no problem of the operation.</exception>
    public static object Of(Operation operation, object example, string text)
    {
        object problem = RuntimeHelpers.GetObjectValue(example);
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            string[] sides = part.Split('=', StringSplitOptions.TrimEntries);
            if (sides.Length != 2 || !int.TryParse(sides[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number))
                throw new UserErrorException($"'{part}' is no NAME=NUMBER; --shape takes such, with commas between them.");
            if (!Set(problem, sides[0], number))
                throw new UserErrorException($"{operation.Name} has no '{sides[0]}'; it has {string.Join(", ", NamesOf(problem.GetType()))}.");
        }
        if (operation.WrongOf(problem) is { } wrong)
            throw new UserErrorException($"{operation.Name} {problem}: {wrong}.");
        return problem;
    }

    /// <summary>Sets a number of a boxed problem, or of a problem within it.</summary>
    private static bool Set(object problem, string name, int number)
    {
        if (problem.GetType().GetProperty(name, Names) is { CanWrite: true } own && own.PropertyType == typeof(int))
        {
            own.SetValue(problem, number);
            return true;
        }
        foreach (var within in Parts(problem.GetType()))
        {
            object part = RuntimeHelpers.GetObjectValue(within.GetValue(problem)!);
            if (!Set(part, name, number))
                continue;
            within.SetValue(problem, part);
            return true;
        }
        return false;
    }

    private static IEnumerable<string> NamesOf(Type type)
        => type.GetProperties(Names).Where(p => p.CanWrite && p.PropertyType == typeof(int)).Select(p => p.Name).Concat(Parts(type).SelectMany(p => NamesOf(p.PropertyType)));

    private static IEnumerable<PropertyInfo> Parts(Type type)
        => type.GetProperties(Names).Where(p => p.CanWrite && p.PropertyType is { IsValueType: true, IsPrimitive: false } part && part.Assembly == typeof(Operation).Assembly);
}
