namespace IlgpuNetVlad.Engine;

/// <summary>
/// Something that only the user can put right: a missing file, a wrong number, a full disk. The message is one sentence that says what is
/// wrong, where, and what to do; it is printed without a stack trace.
/// </summary>
public class UserErrorException : Exception
{
    /// <param name="message">The sentence.</param>
    /// <param name="inner">What was caught, for whoever debugs.</param>
    public UserErrorException(string message, Exception? inner = null) : base(message, inner)
    {
    }
}
