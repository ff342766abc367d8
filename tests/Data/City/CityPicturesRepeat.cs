using IlgpuNetVlad.Engine.Data.City;

namespace IlgpuNetVlad.Tests.Data.City;

public sealed class CityPicturesRepeat
{
    private static readonly CityOptions Options = new();

    [Test]
    public void WhateverTheOrderAndThread()
    {
        var shots = CityPlan.Shots(Options, new CityRenderer(Options)).Where((_, i) => i % 151 == 0).ToList();
        var one = new CityRenderer(Options);
        var forth = shots.Select(s => one.Render(s.View)).ToList();
        var back = new byte[shots.Count][];
        var two = new CityRenderer(Options);
        Parallel.For(0, shots.Count, i => back[shots.Count - 1 - i] = two.Render(shots[shots.Count - 1 - i].View));
        for (var i = 0; i < shots.Count; i++)
            Assert.That(back[i], Is.EqualTo(forth[i]));
    }

    [Test]
    public void PicturesAreNeitherEmptyNorAlike()
    {
        var renderer = new CityRenderer(Options);
        var pictures = CityPlan.Shots(Options, renderer).Where((_, i) => i % 97 == 0).Select(s => renderer.Render(s.View)).ToList();
        foreach (var picture in pictures)
        {
            Assert.That(picture, Has.Length.EqualTo(Options.Width * Options.Height * 3));
            Assert.That(picture.Distinct().Count(), Is.GreaterThan(60));
        }
        for (var i = 1; i < pictures.Count; i++)
            Assert.That(pictures[i].Zip(pictures[i - 1], (a, b) => Math.Abs(a - b)).Average(), Is.GreaterThan(4));
    }

    [Test]
    public void HeadingsTurnAllAround()
    {
        for (var d = 0; d < 360; d++)
        {
            var v = Plain.Heading(d);
            Assert.That(v.X, Is.EqualTo(Math.Sin(d * Math.PI / 180)).Within(1e-7));
            Assert.That(v.Y, Is.EqualTo(Math.Cos(d * Math.PI / 180)).Within(1e-7));
            Assert.That(Plain.DegreesOf(v), Is.EqualTo(d));
        }
    }
}
