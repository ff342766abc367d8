namespace IlgpuNetVlad.Kernels;

/// <summary>
/// An index in three digits, which goes on without a division: row and column of a tap and its channel, or image, row and column of a pixel.
/// </summary>
internal struct Odometer
{
    public int First, Second, Third;

    /// <param name="seconds">Values of the second digit.</param>
    /// <param name="thirds">Values of the third.</param>
    public static Odometer Of(int index, int seconds, int thirds) => new() { First = index / thirds / seconds, Second = index / thirds % seconds, Third = index % thirds };

    /// <summary>Adds another one.</summary>
    public void Add(Odometer by, int seconds, int thirds)
    {
        Third += by.Third;
        bool carry = Third >= thirds;
        Third -= carry ? thirds : 0;
        Second += by.Second + (carry ? 1 : 0);
        carry = Second >= seconds;
        Second -= carry ? seconds : 0;
        First += by.First + (carry ? 1 : 0);
    }

    /// <summary>Adds 1.</summary>
    public void Next(int seconds, int thirds) => Add(new() { Third = 1 }, seconds, thirds);
}
