package effect

import (
	"errors"
	"math"
	"testing"
)

// months are four years of a series that jumps and bends in month 30, and of
// one that shares its slope and part of its wave.
func months(t *testing.T) (y, comparison []float64) {
	sumY, sumC := 0.0, 0.0
	for m := range 48 {
		x := float64(m)
		v := 50 + 0.3*x + 2*math.Sin(x*1.3) + 1.5*math.Cos(x*0.45)
		if m >= 30 {
			v += 4 - 0.2*(x-30)
		}
		c := 40 + 0.3*x + 1.2*math.Sin(x*1.3) + math.Cos(x*2.2)
		y, comparison = append(y, math.Round(v*1e3)/1e3), append(comparison, math.Round(c*1e3)/1e3)
		sumY, sumC = sumY+y[m], sumC+comparison[m]
	}
	near(t, "sum", sumY, 2783.033, 1e-6)
	near(t, "sum of the comparison", sumC, 2258.811, 1e-6)
	return y, comparison
}

// R 4.2.2: lm and sandwich 3.0-2 NeweyWest(prewhite = FALSE, adjust = TRUE).
func TestInterruptedSeries(t *testing.T) {
	y, c := months(t)
	for _, tt := range []struct {
		name                             string
		comparison                       []float64
		o                                SeriesOptions
		before, level, se, slope, slope2 float64
		effect, effectSE                 float64
	}{
		{"alone", nil, SeriesOptions{At: 10}, 0.291930144605, 3.9526850978, 1.12907926458, -0.181262445947, 0.107478726806, 2.14006063833, 1.21772025098},
		{"lag 6", nil, SeriesOptions{Lag: 6, At: 10}, 0.291930144605, 3.9526850978, 0.909122273761, -0.181262445947, 0.0995910034817, 2.14006063833, 1.15300696611},
		{"compared", c, SeriesOptions{At: 10}, 0.00221112347052, 3.65587086106, 0.993740080507, -0.167652815937, 0.0898298108006, 1.97934270169, 1.09924995056},
		{"of months", nil, SeriesOptions{Season: 12}, 0.290986597803, 4.22068855976, 1.05272516805, -0.175941971511, 0.0987112170085, 4.22068855976, 1.05272516805},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := InterruptedSeries(y, tt.comparison, 30, tt.o)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "before", got.Before, tt.before, 1e-9)
			near(t, "level", got.Level.Estimate, tt.level, 1e-9)
			near(t, "level se", got.Level.SE, tt.se, 1e-9)
			near(t, "slope", got.Slope.Estimate, tt.slope, 1e-9)
			near(t, "slope se", got.Slope.SE, tt.slope2, 1e-9)
			near(t, "effect", got.Effect.Estimate, tt.effect, 1e-9)
			near(t, "effect se", got.Effect.SE, tt.effectSE, 1e-9)
			near(t, "line at the start", got.Fitted[30]-got.Without[30], tt.level, 1e-9)
			near(t, "line before", got.Fitted[29]-got.Without[29], 0, 1e-12)
		})
	}
	if _, err := InterruptedSeries(y, nil, 1, SeriesOptions{}); !errors.Is(err, ErrPeriods) {
		t.Errorf("one period before: %v", err)
	}
	if _, err := InterruptedSeries(y, c[:9], 30, SeriesOptions{}); !errors.Is(err, ErrLength) {
		t.Errorf("short comparison: %v", err)
	}
	got, err := InterruptedSeries(y[:34], nil, 30, SeriesOptions{})
	if err != nil || !warned(got.Level.Warnings, FewPeriods) {
		t.Errorf("four periods after: %v, %v", got.Level.Warnings, err)
	}
}

// R: power.t.test(n = 20, delta = 1), (power = .90, delta = 1), (n = 15, power =
// .8), (n = 500, delta = .2) with strict = TRUE, tol = 1e-12; the first two are
// the examples of its help page (0.8689528 and 22.02110 without the far tail).
func TestPower(t *testing.T) {
	p, err := Design{Treated: 20, Control: 20}.Power(1)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "power", p, 0.868953027725, 1e-9)
	if p, err = (Design{Treated: 500, Control: 500}).Power(0.2); err != nil {
		t.Fatal(err)
	}
	near(t, "power of many", p, 0.884788506301, 1e-9)
	n, err := Design{Treated: 1, Control: 1.5}.Needed(1, 0.9)
	if !errors.Is(err, ErrTooFew) {
		t.Errorf("a design without degrees of freedom: %v, %v", n, err)
	}
	if n, err = (Design{Treated: 10, Control: 10}).Needed(1, 0.9); err != nil {
		t.Fatal(err)
	}
	near(t, "needed", n, 22.0210884264, 1e-7)
	d, err := Design{Treated: 15, Control: 15}.Detectable(0.8)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "detectable", d, 1.05979958391, 1e-9)
	// Clusters: 20 a side of 30 people at ICC 0.05 are worth 600/(1 + 29·0.05)
	// people a side (Donner & Klar 2000), with 38 degrees of freedom.
	se, df, err := Design{Treated: 20, Control: 20, Size: 30, ICC: 0.05}.SE()
	if err != nil {
		t.Fatal(err)
	}
	near(t, "se", se, math.Sqrt(2*2.45/600), 1e-12)
	near(t, "df", df, 38, 0)
	if _, err := (Design{Treated: 9, Control: 9, ICC: 2}).Power(1); !errors.Is(err, ErrOption) {
		t.Errorf("ICC 2: %v", err)
	}
}

// What the design promises is what draws of teams show.
func TestPowerHolds(t *testing.T) {
	design := Design{Treated: 10, Control: 10, Size: 8, ICC: 0.1}
	effect, err := design.Detectable(0.8)
	if err != nil {
		t.Fatal(err)
	}
	times := repeats(1000)
	found := 0
	for s := range times {
		r := rng(uint64(s))
		var d Draw
		for team := range 20 {
			shared := math.Sqrt(0.1) * r.NormFloat64()
			for range 8 {
				y := shared + math.Sqrt(0.9)*r.NormFloat64()
				if team%2 == 0 {
					y += effect
				}
				d.Outcome = append(d.Outcome, y)
				d.Treated = append(d.Treated, team%2 == 0)
				d.Cluster = append(d.Cluster, team)
			}
		}
		got, err := Blocked(d, DrawOptions{Redraws: -1})
		if err != nil {
			t.Fatal(err)
		}
		if got.P < 0.05 {
			found++
		}
	}
	near(t, "share of draws that tell the effect", float64(found)/float64(times), 0.8, 0.045)
}

func TestReturn(t *testing.T) {
	b := Business{
		Assumptions: []Assumed{
			{Name: "people", Low: 100, Likely: 100, High: 100},
			{Name: "gain per person", Likely: 900, SE: 200},
			{Name: "share that lasts", Low: 0.3, Likely: 0.5, High: 0.9},
			{Name: "fee", Low: 20_000, Likely: 20_000, High: 20_000},
			{Name: "hours", Low: 6, Likely: 6, High: 6},
			{Name: "wage", Low: 20, Likely: 25, High: 40},
		},
		Benefits: []Line{{"sales", []Factor{"people", "gain per person", "share that lasts"}}},
		Costs:    []Line{{"fee", []Factor{"fee"}}, {"working time", []Factor{"people", "hours", "wage"}}},
	}
	got, err := Return(b, ReturnOptions{Draws: 100_000, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	// By hand: PERT means 0.53333 and 26.6667, factors independent.
	near(t, "mean benefit", got.Benefit.Mean, 100*900*(0.3+4*0.5+0.9)/6, 150)
	near(t, "mean cost", got.Cost.Mean, 20_000+600*(20+100+40)/6.0, 15)
	near(t, "net", got.Net.Mean, got.Benefit.Mean-got.Cost.Mean, 1e-6)
	if got.Gain < 0.7 || got.Gain > 0.9 {
		t.Errorf("gain %.3f", got.Gain)
	}
	if len(got.Drivers) != 3 || got.Drivers[0].Assumption != "gain per person" || got.Drivers[2].Spearman > 0 {
		t.Errorf("drivers %+v", got.Drivers)
	}
	if got.ROI.Low >= got.ROI.Median || got.ROI.Median >= got.ROI.High {
		t.Errorf("roi %+v", got.ROI)
	}
	certain := b
	certain.Assumptions = nil
	for _, a := range b.Assumptions {
		certain.Assumptions = append(certain.Assumptions, Assumed{Name: a.Name, Low: a.Likely, Likely: a.Likely, High: a.Likely})
	}
	got, err = Return(certain, ReturnOptions{})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "roi without doubt", got.ROI.Median, (45_000.0-35_000)/35_000, 1e-12)
	near(t, "ratio without doubt", got.Ratio.Low, 45.0/35, 1e-12)

	b.Costs = []Line{{"fee", []Factor{"tax"}}}
	if _, err := Return(b, ReturnOptions{}); !errors.Is(err, ErrColumn) {
		t.Errorf("a factor not assumed: %v", err)
	}
	b.Costs = []Line{{"free", []Factor{"zero"}}}
	b.Assumptions = append(b.Assumptions, Assumed{Name: "zero"})
	if _, err := Return(b, ReturnOptions{}); !errors.Is(err, ErrCost) {
		t.Errorf("a cost of nothing: %v", err)
	}
}

// R: 10 + 50·qbeta(c(.05, .5, .95), 1.8, 4.2); cor(method = "spearman").
func TestAssumedAndSpearman(t *testing.T) {
	r := rng(11)
	a := Assumed{Name: "pert", Low: 10, Likely: 20, High: 60}
	var v []float64
	for range 200_000 {
		v = append(v, a.draw(r))
	}
	s := spread(v, 0.05)
	near(t, "5 %", s.Low, 12.9488693806, 0.06)
	near(t, "median", s.Median, 23.8336129696, 0.08)
	near(t, "95 %", s.High, 41.0638362008, 0.15)
	cut := Assumed{Name: "cut", Low: 0, Likely: 0, High: 9, SE: 1} // half a normal: mean √(2/π)
	v = v[:0]
	for range 100_000 {
		v = append(v, cut.draw(r))
	}
	near(t, "half a normal", spread(v, 0.05).Mean, math.Sqrt(2/math.Pi), 0.01)
	near(t, "spearman", Spearman([]float64{1, 2, 2, 3, 5, 8, 13}, []float64{2, 1, 4, 4, 3, 9, 7}), 0.754545454545, 1e-12)
	near(t, "of a constant", Spearman([]float64{1, 2, 3}, []float64{4, 4, 4}), 0, 0)
}
