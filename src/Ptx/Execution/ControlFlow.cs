namespace IlgpuNetVlad.Ptx;

/// <summary>Where the two ways of a branch meet again: at the immediate post-dominator, the first instruction that every path to the end passes.</summary>
internal static class ControlFlow
{
    /// <param name="next">The instructions that may follow each one; none where the kernel ends.</param>
    /// <returns>Of each instruction the one where its successors meet; the number of instructions for the end of the kernel.</returns>
    public static int[] Joins(IReadOnlyList<int[]> next)
    {
        int end = next.Count;
        // Distance of each instruction from the end in an order in which successors come first, for Cooper, Harvey and Kennedy's algorithm on the reversed graph.
        var before = new List<int>[end + 1];
        for (int i = 0; i <= end; i++)
            before[i] = [];
        for (int i = 0; i < end; i++)
            foreach (int successor in next[i].Length == 0 ? [end] : next[i])
                before[successor].Add(i);
        var order = PostOrder(before, end);
        var rank = new int[end + 1];
        Array.Fill(rank, -1);
        for (int i = 0; i < order.Count; i++)
            rank[order[i]] = i;
        var joins = new int[end + 1];
        Array.Fill(joins, -1);
        joins[end] = end;
        for (bool changed = true; changed;)
        {
            changed = false;
            for (int i = order.Count - 2; i >= 0; i--)
            {
                int at = order[i], join = -1;
                foreach (int successor in next[at].Length == 0 ? [end] : next[at])
                    if (joins[successor] >= 0)
                        join = join < 0 ? successor : Meet(join, successor, joins, rank);
                if (joins[at] != join)
                {
                    joins[at] = join;
                    changed = true;
                }
            }
        }
        // A loop without an end has no join; its threads meet at the end that never comes.
        return [.. joins.Take(end).Select(j => j < 0 ? end : j)];
    }

    private static int Meet(int a, int b, int[] joins, int[] rank)
    {
        while (a != b)
        {
            while (rank[a] < rank[b])
                a = joins[a];
            while (rank[b] < rank[a])
                b = joins[b];
        }
        return a;
    }

    private static List<int> PostOrder(List<int>[] edges, int start)
    {
        var order = new List<int>();
        var seen = new bool[edges.Length];
        var stack = new Stack<(int Node, int Edge)>([(start, 0)]);
        seen[start] = true;
        while (stack.TryPop(out var top))
        {
            if (top.Edge == edges[top.Node].Count)
            {
                order.Add(top.Node);
                continue;
            }
            stack.Push((top.Node, top.Edge + 1));
            int child = edges[top.Node][top.Edge];
            if (seen[child])
                continue;
            seen[child] = true;
            stack.Push((child, 0));
        }
        return order;
    }
}
