using System.CommandLine;
using IlgpuNetVlad.Engine;
using IlgpuNetVlad.Engine.Data;

namespace IlgpuNetVlad.App.Shell;

/// <summary>What options admit, so that wrong ones end with code 2 before anything is done.</summary>
internal static class OptionRules
{
    /// <param name="admitted">Ends the sentence "--clusters 0 must be …".</param>
    public static void MustBe<T>(this Option<T?> option, Func<T, bool> holds, string admitted)
        where T : struct
        => option.Validators.Add(result =>
        {
            // Words that are no number at all are told by the parser.
            if (!result.Errors.Any() && result.Tokens.Count == 1 && TryRead<T>(result.Tokens[0].Value) is { } value && !holds(value))
                result.AddError($"{option.Name} {result.Tokens[0].Value} must be {admitted}.");
        });

    /// <summary>One of the sizes that <see cref="ResizePolicy.Parse"/> reads.</summary>
    public static void MustBeSize(this Option<string?> option) => option.Validators.Add(result =>
    {
        try
        {
            if (result.Tokens.Count == 1)
                ResizePolicy.Parse(result.Tokens[0].Value);
        }
        catch (UserErrorException e)
        {
            result.AddError(e.Message);
        }
    });

    private static T? TryRead<T>(string text)
        where T : struct
        => typeof(T) == typeof(int) && int.TryParse(text, out int number) ? (T)(object)number
            : typeof(T) == typeof(double) && double.TryParse(text, out double number64) ? (T)(object)number64
            : typeof(T) == typeof(float) && float.TryParse(text, out float real) ? (T)(object)real : null;
}
