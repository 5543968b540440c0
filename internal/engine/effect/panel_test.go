package effect

import (
	"errors"
	"math"
	"testing"
)

var nan = math.NaN()

// earnings is the NSW sample as a panel of 1974, 1975 and 1978 without the 1974
// of men 3, 10, 17, …; age counts in 1975 only, so that the effects of unit and
// period do not swallow it.
func earnings(t *testing.T) Data {
	w := nsw(t, "re74", "re75", "age")
	var d Data
	age := Covariate{Name: "age in 1975"}
	for p, year := range []int{74, 75, 78} {
		for i := range w.Outcome {
			man := i + 1
			if year == 74 && man%7 == 3 {
				continue
			}
			y, x, treated := w.Outcome[i], 0.0, 0.0
			if p < 2 {
				y = w.Covariates[p].Values[i]
			}
			if year == 75 {
				x = w.Covariates[2].Values[i]
			}
			if year == 78 {
				treated = w.Treatment[i]
			}
			d.Outcome = append(d.Outcome, y)
			d.Treatment = append(d.Treatment, treated)
			d.Unit = append(d.Unit, man)
			d.Time = append(d.Time, year)
			age.Values = append(age.Values, x)
		}
	}
	d.Covariates = []Covariate{age}
	return d
}

// R 4.2.2: lm(y ~ factor(unit) + factor(year) + x + D), sandwich vcovHC HC2,
// clubSandwich CR2 on the full set of dummies.
func TestFEOnEarnings(t *testing.T) {
	d := earnings(t)
	mod25 := codes(len(d.Unit), func(i int) int { return d.Unit[i] % 25 })
	for _, tt := range []struct {
		name    string
		o       Options
		cluster []int
		se, df  float64
		p       float64
	}{
		{"classical", Options{}, nil, 573.881657866, 822, 0.00530941945264},
		{"hc2", Options{SE: HC2}, nil, 671.43688719, 0, 0},
		{"cr2 by unit", Options{SE: CR2}, nil, 741.563628212, 392.570388773, 0.0311390994751},
		{"cr2 by 25 teams", Options{}, mod25, 788.470867712, 23.979035591, 0.0531162669598},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d.Cluster = tt.cluster
			for name, do := range map[string]func() (Estimate, error){
				"fe":  func() (Estimate, error) { return FE(d, tt.o) },
				"did": func() (Estimate, error) { return DID(d, DIDOptions{Options: tt.o}) },
			} {
				got, err := do()
				if err != nil {
					t.Fatal(err)
				}
				near(t, name, got.Estimate, 1604.05114605, 1e-5)
				near(t, name+" se", got.SE, tt.se, 1e-4)
				if tt.df != 0 {
					near(t, name+" df", got.DF, tt.df, 1e-5)
					near(t, name+" p", got.P, tt.p, 1e-8)
				}
				if got.NTreated != 185 {
					t.Errorf("%s: %d treated", name, got.NTreated)
				}
				if serial := warned(got.Warnings, SerialErrors); serial != (got.SEKind != CR2) {
					t.Errorf("%s: %v", name, got.Warnings)
				}
			}
		})
	}
}

// HC2's degrees of freedom with absorbed effects must be those of the same
// regression with a dummy for each unit.
func TestHC2AbsorbedEqualsDummies(t *testing.T) {
	r := rng(4)
	var y, x []float64
	var unit []int
	var dummies [][]float64
	for u := range 9 {
		for range 2 + u%4 {
			unit = append(unit, u)
			x = append(x, r.NormFloat64())
			y = append(y, x[len(x)-1]+float64(u)+r.NormFloat64())
		}
	}
	for u := range 9 {
		v := make([]float64, len(y))
		for i, c := range unit {
			if c == u {
				v[i] = 1
			}
		}
		dummies = append(dummies, v)
	}
	full, err := regress(y, append(dummies, x), nil)
	if err != nil {
		t.Fatal(err)
	}
	g := group(unit)
	within, err := regress(demean(y, g), [][]float64{demean(x, g)}, &g)
	if err != nil {
		t.Fatal(err)
	}
	se1, df1 := full.se(full.unit(9), HC2, nil)
	se2, df2 := within.se(within.unit(0), HC2, nil)
	near(t, "beta", within.beta[0], full.beta[9], 1e-10)
	near(t, "se", se2, se1, 1e-10)
	near(t, "df", df2, df1, 1e-8)
	se1, df1 = full.se(full.unit(9), CR2, &g)
	se2, df2 = within.se(within.unit(0), CR2, &g)
	near(t, "cr2 se", se2, se1, 1e-10)
	near(t, "cr2 df", df2, df1, 1e-8)
}

// R: lm(y ~ g*post) on 1975 and 1978; and the drift from 1974 to 1975 with
// effects of unit and year, clubSandwich CR2 by unit.
func TestDIDOnEarnings(t *testing.T) {
	d := earnings(t)
	d.Covariates = nil
	var late Data
	for i, year := range d.Time {
		if year > 74 {
			late.Outcome = append(late.Outcome, d.Outcome[i])
			late.Treatment = append(late.Treatment, 0)
			late.Time = append(late.Time, year)
		}
	}
	treat := nsw(t).Treatment
	for i := range late.Treatment {
		late.Treatment[i] = treat[i%445]
	}
	got, err := DID(late, DIDOptions{})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "without units", got.Estimate, 1529.196083321, 1e-5)
	near(t, "se", got.SE, 701.716945644, 1e-5)
	near(t, "p", got.P, 2.95780571864e-02, 1e-9)
	if !warned(got.Warnings, TrendsUntested) {
		t.Errorf("one period before, yet %v", got.Warnings)
	}

	got, err = DID(d, DIDOptions{Options: Options{SE: CR2}})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "pre-trend", got.PreTrend.Slope, 98.511378818, 1e-5)
	near(t, "pre-trend se", got.PreTrend.SE, 429.256772492, 1e-4)
	near(t, "pre-trend p", got.PreTrend.P, 0.818624564204, 1e-7)
	if warned(got.Warnings, ParallelTrends) {
		t.Errorf("no drift, yet %v", got.Warnings)
	}
}

// panel simulates units over periods: an own level, an autocorrelated error,
// and drift per period among the treated. start gives each unit's first period
// under treatment, periods or later for never.
func panel(seed uint64, n, periods int, drift float64, start func(u int) int, effect func(since int) float64) Data {
	r := rng(seed)
	var d Data
	for u := range n {
		level, e := 2*r.NormFloat64(), r.NormFloat64()
		for p := range periods {
			e = 0.6*e + 0.8*r.NormFloat64()
			y, status := level+0.3*float64(p)+e, 0.0
			if start(u) < periods {
				y += drift * float64(p)
			}
			if p >= start(u) {
				y += effect(p - start(u))
				status = 1
			}
			d.Outcome = append(d.Outcome, y)
			d.Treatment = append(d.Treatment, status)
			d.Unit = append(d.Unit, u)
			d.Time = append(d.Time, p)
		}
	}
	return d
}

func TestDIDCovers(t *testing.T) {
	times := repeats(300)
	hits, drifts := 0, 0
	for s := range times {
		d := panel(uint64(100+s), 60, 6, 0, func(u int) int { return 4 + u%2*9 }, func(int) float64 { return 1 })
		got, err := DID(d, DIDOptions{Options: Options{SE: CR2}})
		if err != nil {
			t.Fatal(err)
		}
		if got.Low <= 1 && 1 <= got.High {
			hits++
		}
		if warned(got.Warnings, ParallelTrends) {
			drifts++
		}
	}
	covers(t, "difference in differences", hits, times)
	if rate := float64(drifts) / float64(times); rate < 0.01 || rate > 0.1 {
		t.Errorf("parallel trends doubted in %.3f of parallel panels, want 0.05", rate)
	}
	d := panel(9, 60, 6, 0.5, func(u int) int { return 4 + u%2*9 }, func(int) float64 { return 1 })
	if got, err := DID(d, DIDOptions{Options: Options{SE: CR2}}); err != nil || !warned(got.Warnings, ParallelTrends) {
		t.Errorf("drift not seen: %v, %v", got.Warnings, err)
	}
}

// An effect that grows by 1 a period, in three waves: the two-way regression is
// pulled towards 0 by using the early as controls, the staggered estimate not.
func TestStaggered(t *testing.T) {
	grow := func(since int) float64 { return float64(1 + since) }
	starts := []int{2, 4, 6, 99}
	times := repeats(150)
	hits := 0
	var mean, twoway float64
	for s := range times {
		d := panel(uint64(7000+s), 80, 8, 0, func(u int) int { return starts[u%4] }, grow)
		got, err := DID(d, DIDOptions{})
		if err != nil {
			t.Fatal(err)
		}
		fe, err := FE(d, Options{SE: CR2})
		if err != nil {
			t.Fatal(err)
		}
		if !warned(got.Warnings, Staggered) || !warned(fe.Warnings, Staggered) {
			t.Fatal("staggered starts not told")
		}
		// Starts 2, 4, 6 are seen for 6, 4, 2 periods: (21 + 10 + 3)/12.
		const truth = 34.0 / 12
		if got.Low <= truth && truth <= got.High {
			hits++
		}
		mean += got.Estimate / float64(times)
		twoway += fe.Estimate / float64(times)
		if s == 0 {
			if len(got.Events) != 6 || got.NTreated != 60 {
				t.Fatalf("%d events, %d treated", len(got.Events), got.NTreated)
			}
			for _, ev := range got.Events {
				near(t, "event", ev.Estimate, grow(ev.Since), 5*ev.SE)
			}
		}
	}
	near(t, "mean staggered estimate", mean, 34.0/12, 0.06)
	if twoway > 2.5 {
		t.Errorf("two-way estimate %.2f is not pulled down: the simulation shows nothing", twoway)
	}
	covers(t, "staggered", hits, times)
}

func TestDIDRefuses(t *testing.T) {
	stays := func(u int) int { return 1 + u%2*9 }
	one := func(int) float64 { return 1 }
	d := panel(1, 10, 3, 0, stays, one)
	off := d
	off.Treatment = append([]float64(nil), d.Treatment...)
	off.Treatment[2] = 0 // unit 0: 0, 1, 0
	grouped := d
	grouped.Treatment = codesTo(d.Unit, func(u int) float64 { return float64(1 - u%2) })
	notime := d
	notime.Time = nil
	for _, tt := range []struct {
		name string
		d    Data
		want error
	}{
		{"status comes and goes", off, ErrReversed},
		{"group over three periods without a start", grouped, ErrPeriods},
		{"no time", notime, ErrColumn},
	} {
		if _, err := DID(tt.d, DIDOptions{}); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	start := 1
	a, err1 := DID(d, DIDOptions{})
	b, err2 := DID(grouped, DIDOptions{Start: &start})
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	near(t, "group with a start against status", b.Estimate, a.Estimate, 1e-12)
}

func codesTo(c []int, f func(int) float64) []float64 {
	v := make([]float64, len(c))
	for i, x := range c {
		v[i] = f(x)
	}
	return v
}

// The weak are chosen by a noisy test and nothing is done to them: their rise
// is the warning's value.
func TestRegressionToTheMeanIsTold(t *testing.T) {
	r := rng(5)
	var d Data
	for u := range 2000 {
		able := r.NormFloat64()
		before, after := able+r.NormFloat64(), able+r.NormFloat64()
		chosen := 0.0
		if before < -0.5 {
			chosen = 1
		}
		d.Outcome = append(d.Outcome, before, after)
		d.Treatment = append(d.Treatment, 0, chosen)
		d.Unit = append(d.Unit, u, u)
		d.Time = append(d.Time, 0, 1)
	}
	got, err := DID(d, DIDOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var w Warning
	for _, e := range got.Warnings {
		if errors.Is(e, RegressionToMean) {
			w = e.(Warning)
		}
	}
	if got.Estimate < 0.8 {
		t.Fatalf("estimate %.2f: the simulation has no regression to the mean", got.Estimate)
	}
	near(t, "feigned effect", w.Value, got.Estimate, 0.2)
}

// 1,000,000 rows: 83,333 people over 12 months.
func BenchmarkFEMillion(b *testing.B) {
	d := panel(1, 83_333, 12, 0, func(u int) int { return 6 + u%2*9 }, func(int) float64 { return 1 })
	for b.Loop() {
		if _, err := FE(d, Options{SE: CR2}); err != nil {
			b.Fatal(err)
		}
	}
}
