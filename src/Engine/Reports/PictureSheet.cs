using IlgpuNetVlad.Engine.Data;
using SkiaSharp;

namespace IlgpuNetVlad.Engine.Reports;

/// <summary>
/// Rows of photographs with frames and captions, as one PNG. Frames tell right from wrong by colour, by dashes and by a sign, so that they can be
/// read without telling red from green.
/// </summary>
public static class PictureSheet
{
    private const int Margin = 24, Gap = 14, Divider = 34, Frame = 5, CaptionLine = 16, TitleLine = 26, TitleSize = 20;

    /// <summary>Draws and writes a sheet.</summary>
    /// <param name="title">Takes as many lines as it needs.</param>
    /// <param name="headings">One for each column, or empty; a heading reaches over the columns behind it that have an empty one.</param>
    /// <param name="rows">One picture for each column; null leaves room with a line through it, between groups.</param>
    /// <param name="cell">Width of a picture in pixels; its height is at most three quarters of it.</param>
    /// <exception cref="UserErrorException">The place cannot be written, or the sheet is too large.</exception>
    public static void Write(
        string path, string title, IReadOnlyList<string> headings, IReadOnlyList<IReadOnlyList<SheetPicture?>> rows, IImageDecoder decoder, int cell = 240)
    {
        var columns = rows.Select(row => row.Count).Append(headings.Count).Max();
        // A column is a divider if no row has a picture in it.
        var divider = Enumerable.Range(0, columns).Select(c => rows.Count > 0 && rows.All(row => c >= row.Count || row[c] is null)).ToArray();
        var left = new int[columns + 1];
        left[0] = Margin;
        for (var c = 0; c < columns; c++)
            left[c + 1] = left[c] + (divider[c] ? Divider : cell + Gap);
        var lines = rows.SelectMany(row => row).OfType<SheetPicture>().Where(p => p.Caption.Length > 0).Select(p => p.Caption.Count(c => c == '\n') + 1).DefaultIfEmpty(0).Max();
        var cellHeight = CellHeight(rows, decoder, cell);
        var rowHeight = cellHeight + Math.Min(2, lines) * CaptionLine + Gap + 6;
        var width = Math.Max(320, left[columns] - Gap + Margin);
        var titles = title.Length > 0 ? Picture.Break(title, TitleSize, bold: true, width - 2 * Margin) : [];
        var top = Margin + (titles.Count > 0 ? 8 + titles.Count * TitleLine : 0) + (headings.Count > 0 ? 26 : 0);
        using var picture = new Picture(width, top + rows.Count * rowHeight + Margin / 2);
        for (var i = 0; i < titles.Count; i++)
            picture.Text(titles[i], Margin, Margin + 16 + i * TitleLine, TitleSize, bold: true, width: width - 2 * Margin);
        for (var c = 0; c < headings.Count; c++)
        {
            if (headings[c].Length == 0)
                continue;
            var end = c + 1;
            while (end < headings.Count && headings[end].Length == 0 && !divider[end])
                end++;
            picture.Text(headings[c], left[c], top - 10, 15, width: left[end] - left[c] - Gap);
        }

        for (var r = 0; r < rows.Count; r++)
        {
            for (var c = 0; c < rows[r].Count; c++)
            {
                if (rows[r][c] is { } cellPicture)
                    Draw(picture, cellPicture, decoder, left[c], top + r * rowHeight, cell, cellHeight);
            }
        }

        for (var c = 0; c < columns; c++)
        {
            if (divider[c])
                picture.Lines(Palette.Line, 2, (left[c] + (Divider - Gap) / 2f, top, left[c] + (Divider - Gap) / 2f, picture.Height - Margin));
        }

        picture.Save(path);
    }

    /// <summary>What the tallest picture needs, up to three quarters of the width.</summary>
    private static int CellHeight(IReadOnlyList<IReadOnlyList<SheetPicture?>> rows, IImageDecoder decoder, int cell)
    {
        var needed = 0.4;
        foreach (var picture in rows.SelectMany(row => row).OfType<SheetPicture>())
        {
            try
            {
                var (height, width) = decoder.ReadSize(picture.Path);
                needed = Math.Max(needed, (double)height / width);
            }
            catch (ImageException)
            {
                // Its cell will say why.
            }
        }

        return (int)((cell - 2 * Frame) * Math.Min(0.75, needed)) + 2 * Frame;
    }

    private static void Draw(Picture sheet, SheetPicture picture, IImageDecoder decoder, float x, float y, int width, int height)
    {
        var colour = picture.Mark switch
        {
            PictureMark.Query => Palette.Query,
            PictureMark.Right => Palette.Right,
            PictureMark.Wrong => Palette.Wrong,
            _ => Palette.Line,
        };
        var frame = new SKRect(x, y, x + width, y + height);
        try
        {
            var (h, w) = decoder.ReadSize(picture.Path);
            var scale = Math.Min((height - 2.0 * Frame) / h, (width - 2.0 * Frame) / w);
            var image = decoder.Decode(picture.Path, ResizePolicy.Exact(Math.Max(1, (int)(h * scale)), Math.Max(1, (int)(w * scale))));
            frame = SKRect.Create(x, y + MathF.Floor((height - image.Height) / 2f) - Frame, image.Width + 2 * Frame, image.Height + 2 * Frame);
            sheet.Image(image, frame.Left + Frame, frame.Top + Frame);
        }
        catch (ImageException e)
        {
            Excuse(sheet, e.Reason, x + 12, y + height / 2f, width - 24);
        }

        using var paint = new SKPaint { Color = colour, IsStroke = true, StrokeWidth = picture.Mark == PictureMark.Plain ? 1 : Frame, IsAntialias = true };
        if (picture.Mark == PictureMark.Wrong)
            paint.PathEffect = SKPathEffect.CreateDash([14, 7], 0);
        var inner = frame;
        inner.Inflate(-Frame / 2f, -Frame / 2f);
        sheet.Canvas.DrawRect(inner, paint);
        paint.PathEffect?.Dispose();
        Sign(sheet, picture.Mark, colour, frame.Left + 17, frame.Top + 17);

        var line = y + height + CaptionLine;
        foreach (var text in picture.Caption.Split('\n').Take(2))
        {
            sheet.Text(text, x, line, 12, Palette.Ink, width: width);
            line += CaptionLine;
        }
    }

    /// <summary>A disc with a tick, a cross or a question mark.</summary>
    private static void Sign(Picture sheet, PictureMark mark, SKColor colour, float x, float y)
    {
        if (mark == PictureMark.Plain)
            return;
        sheet.Disc(x, y, 13, SKColors.White);
        sheet.Disc(x, y, 11.5f, colour);
        if (mark == PictureMark.Query)
            sheet.Text("?", x, y + 6, 17, SKColors.White, bold: true, align: SKTextAlign.Center);
        else if (mark == PictureMark.Right)
            sheet.Lines(SKColors.White, 3, (x - 6, y, x - 1.2f, y + 5), (x - 2.2f, y + 5, x + 6, y - 5));
        else
            sheet.Lines(SKColors.White, 3, (x - 5, y - 5, x + 5, y + 5), (x - 5, y + 5, x + 5, y - 5));
    }

    private static void Excuse(Picture sheet, string reason, float x, float y, float width)
    {
        var line = "";
        foreach (var word in reason.Split(' '))
        {
            if (line.Length + word.Length > width / 8)
            {
                sheet.Text(line, x, y, 13, Palette.Faint, width: width);
                (line, y) = ("", y + CaptionLine);
            }

            line += (line.Length > 0 ? " " : "") + word;
        }

        sheet.Text(line, x, y, 13, Palette.Faint, width: width);
    }
}
