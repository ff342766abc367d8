using IlgpuNetVlad.Ptx;

namespace IlgpuNetVlad.Tests.Ptx;

/// <summary>Products of whole warps and the loads of their fragments, against plain sums; element positions as the PTX ISA has them, written out here once more.</summary>
[TestFixture]
public sealed class PtxTensorCores
{
    private const string Head = """
            .reg .b32 %r<20>; .reg .b64 %rd<10>; .reg .f32 %f<10>; .shared .align 16 .b8 s[1024];
            ld.param.b64 %rd1, [p]; mov.b32 %r0, %tid.x; mov.b64 %rd4, s;
            mul.wide.u32 %rd2, %r0, 16; add.u64 %rd3, %rd1, %rd2; add.u64 %rd5, %rd4, %rd2;
        """;

    [Test]
    public void Bf16_IsTheProductOfItsFragments()
    {
        // Thread 4g + q: A 16×16 in four registers, B 16×8 in two, C 16×8 in four; each thread's ten words stand one behind the other.
        var random = new Random(3);
        float[,] a = Matrix(random, 16, 16), b = Matrix(random, 16, 8), c = Matrix(random, 16, 8);
        int[] words = new int[32 * 12];
        for (int lane = 0; lane < 32; lane++)
        {
            int g = lane / 4, q = lane % 4;
            words[lane * 12] = Pack(a[g, 2 * q], a[g, 2 * q + 1]);
            words[lane * 12 + 1] = Pack(a[g + 8, 2 * q], a[g + 8, 2 * q + 1]);
            words[lane * 12 + 2] = Pack(a[g, 2 * q + 8], a[g, 2 * q + 9]);
            words[lane * 12 + 3] = Pack(a[g + 8, 2 * q + 8], a[g + 8, 2 * q + 9]);
            words[lane * 12 + 4] = Pack(b[2 * q, g], b[2 * q + 1, g]);
            words[lane * 12 + 5] = Pack(b[2 * q + 8, g], b[2 * q + 9, g]);
            PutC(words, lane, c);
        }
        AssertProduct(Multiply("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", words), a, b, c);
    }

    [Test]
    public void Tf32_IsTheProductOfItsFragments()
    {
        var random = new Random(4);
        float[,] a = Matrix(random, 16, 8), b = Matrix(random, 8, 8), c = Matrix(random, 16, 8);
        int[] words = new int[32 * 12];
        for (int lane = 0; lane < 32; lane++)
        {
            int g = lane / 4, q = lane % 4;
            float[] fragment = [a[g, q], a[g + 8, q], a[g, q + 4], a[g + 8, q + 4], b[q, g], b[q + 4, g]];
            for (int i = 0; i < 6; i++)
                // The hardware does not look at the last 13 bits.
                words[lane * 12 + i] = BitConverter.SingleToInt32Bits(fragment[i]) | 0x1FFF;
            PutC(words, lane, c);
        }
        AssertProduct(Multiply("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", words), a, b, c);
    }

    [TestCase("")]
    [TestCase(".trans")]
    public void LoadMatrix_GivesEachLaneItsPairOfNumbers(string across)
    {
        // Number 256·m + 16·r + c stands in row r and column c of matrix m.
        int[] words = new int[128];
        for (int i = 0; i < 128; i++)
            words[i] = Number(2 * i) | Number(2 * i + 1) << 16;
        int[] result = PtxProgram.Run(Head + $$"""
                ld.global.v4.b32 {%r1, %r2, %r3, %r4}, [%rd3];
                st.shared.v4.b32 [%rd5], {%r1, %r2, %r3, %r4};
                bar.sync 0;
                ldmatrix.sync.aligned.m8n8.x4{{across}}.shared.b16 {%r1, %r2, %r3, %r4}, [%rd5];
                st.global.v4.b32 [%rd3], {%r1, %r2, %r3, %r4};
            """, words);
        for (int lane = 0; lane < 32; lane++)
            for (int m = 0; m < 4; m++)
            {
                int line = lane / 4, pair = lane % 4 * 2;
                int first = across == "" ? 256 * m + 16 * line + pair : 256 * m + 16 * pair + line, step = across == "" ? 1 : 16;
                Assert.That(result[4 * lane + m], Is.EqualTo(first | (first + step) << 16), $"lane {lane}, matrix {m}");
            }

        static int Number(int i) => 256 * (i / 64) + 16 * (i / 8 % 8) + i % 8;
    }

    /// <summary>Small multiples of 2⁻⁴: exact in bf16 and tf32, and so are all sums in fp32.</summary>
    private static float[,] Matrix(Random random, int rows, int columns)
    {
        var values = new float[rows, columns];
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < columns; c++)
                values[r, c] = random.Next(-32, 33) / 16f;
        return values;
    }

    private static int Pack(float low, float high) => (int)((uint)BitConverter.SingleToInt32Bits(low) >> 16 | (uint)BitConverter.SingleToInt32Bits(high) & 0xFFFF0000);

    private static (int Row, int Column) PlaceC(int lane, int i) => (lane / 4 + i / 2 * 8, lane % 4 * 2 + i % 2);

    private static void PutC(int[] words, int lane, float[,] c)
    {
        for (int i = 0; i < 4; i++)
            words[lane * 12 + 6 + i] = BitConverter.SingleToInt32Bits(c[PlaceC(lane, i).Row, PlaceC(lane, i).Column]);
    }

    private static int[] Multiply(string instruction, int[] words) => PtxProgram.Run(Head + $$"""
            mul.wide.u32 %rd2, %r0, 48;
            add.u64 %rd3, %rd1, %rd2;
            ld.global.v4.b32 {%r1, %r2, %r3, %r4}, [%rd3];
            ld.global.v2.b32 {%r5, %r6}, [%rd3+16];
            ld.global.v2.f32 {%f1, %f2}, [%rd3+24];
            ld.global.v2.f32 {%f3, %f4}, [%rd3+32];
            {{instruction}} {%f1, %f2, %f3, %f4}, {%r1, %r2, %r3, %r4}, {%r5, %r6}, {%f1, %f2, %f3, %f4};
            st.global.v4.f32 [%rd3], {%f1, %f2, %f3, %f4};
        """, words);

    private static void AssertProduct(int[] result, float[,] a, float[,] b, float[,] c)
    {
        for (int lane = 0; lane < 32; lane++)
            for (int i = 0; i < 4; i++)
            {
                var (row, column) = PlaceC(lane, i);
                float expected = c[row, column];
                for (int k = 0; k < a.GetLength(1); k++)
                    expected += a[row, k] * b[k, column];
                Assert.That(BitConverter.Int32BitsToSingle(result[lane * 12 + i]), Is.EqualTo(expected), $"({row}, {column})");
            }
    }
}
