package effect

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// Expected values: R 4.2.2 on testdata/nsw.csv: lm; sandwich 3.0-2 vcovHC HC2;
// clubSandwich 0.5.8 vcovCR type CR2 with Satterthwaite degrees of freedom
// (singleton clusters for HC2's); estimatr 1.0.0 lm_lin. Difference, ANCOVA and
// CUPED are also the published or commonly quoted figures of this sample.
func TestCompareOnNSW(t *testing.T) {
	mod25 := codes(445, func(i int) int { return i % 25 })
	by60 := codes(445, func(i int) int { return i / 60 }) // 8 unequal clusters
	three := []string{"re75", "age", "educ"}
	for _, tt := range []struct {
		name       string
		do         func(Data, Options) (Estimate, error)
		covariates []string
		o          Options
		cluster    []int
		estimate   float64
		se         float64
		df         float64
		p          float64
	}{
		{"difference", Difference, nil, Options{}, nil, 1794.342382, 632.8533924, 443, 4.787530021e-03},
		{"difference hc2", Difference, nil, Options{SE: HC2}, nil, 1794.342382, 670.9965445, 396.419334784, 0.00780186480918},
		{"difference cr2 25", Difference, nil, Options{SE: CR2}, mod25, 1794.342382, 794.048572039, 23.9783098709, 0.0332009945599},
		{"difference cr2 8", Difference, nil, Options{}, by60, 1794.342382, 447.45825367, 4.8180891694, 0.0110190950259},
		{"ancova", Ancova, []string{"re75"}, Options{}, nil, 1750.150902, 632.0914220, 442, 5.862503648e-03},
		{"ancova hc2", Ancova, three, Options{SE: HC2}, nil, 1621.371635823, 649.2106872898, 381.743968958, 0.012929242091},
		{"ancova cr2 25", Ancova, three, Options{}, mod25, 1621.37163582, 737.504928333, 23.9472291589, 0.0378222368353},
		{"ancova cr2 8", Ancova, three, Options{}, by60, 1621.37163582, 276.301092025, 4.65003026163, 0.00259670715126},
		{"cuped", Cuped, []string{"re75"}, Options{}, nil, 1747.133990, 630.8426085, 443, 5.849621569e-03},
		{"lin", Lin, three, Options{}, nil, 1597.604657, 630.8666138, 437, 1.167766769e-02},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := nsw(t, tt.covariates...)
			d.Cluster = tt.cluster
			got, err := tt.do(d, tt.o)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "estimate", got.Estimate, tt.estimate, 1e-5)
			near(t, "se", got.SE, tt.se, 1e-5)
			near(t, "df", got.DF, tt.df, 1e-5)
			near(t, "p", got.P, tt.p, 1e-9)
			if got.N != 445 || got.NTreated != 185 {
				t.Errorf("N = %d, %d treated", got.N, got.NTreated)
			}
		})
	}
	// lm_lin's HC2 standard error; its degrees of freedom are n − k, not ours.
	got, err := Lin(nsw(t, three...), Options{SE: HC2})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "lin hc2 se", got.SE, 644.9320968, 1e-5)
}

func TestDifferenceReports(t *testing.T) {
	got, err := Difference(nsw(t, "age", "educ", "nodegree", "hisp", "re74", "re75"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	// 1794.34 over the pooled SD, times 1 − 3/(4·443 − 1); R.
	near(t, "Hedges g", got.HedgesG, 0.272253436, 1e-8)
	// The classical interval: 1794.34 ± t(443)·632.85, R confint(lm).
	near(t, "low", got.Low, 550.5745, 1e-3)
	near(t, "high", got.High, 3038.1103, 1e-3)
	// nodegree: means 0.708 against 0.835 (Dehejia & Wahba 1999, table 1).
	nodegree := got.Balance[2]
	near(t, "nodegree treated", nodegree.Treated, 0.708, 5e-4)
	near(t, "nodegree control", nodegree.Control, 0.835, 5e-4)
	near(t, "nodegree SMD", nodegree.SMD, -0.3040, 5e-4) // R, (0.70811−0.83462)/√((s₁²+s₀²)/2)
	if !warned(got.Warnings, Imbalance) {
		t.Errorf("no warning of the imbalance in nodegree: %v", got.Warnings)
	}
	if got.Overlap == nil || got.Overlap.Outside > 0.05 {
		t.Errorf("overlap of a randomised sample: %+v", got.Overlap)
	}
}

func TestCompareRefuses(t *testing.T) {
	y := []float64{1, 2, 3, 4, 5, 6}
	arm := []float64{0, 0, 0, 1, 1, 1}
	for _, tt := range []struct {
		name string
		d    Data
		o    Options
		want error
	}{
		{"nothing", Data{}, Options{}, ErrTooFew},
		{"no treatment", Data{Outcome: y}, Options{}, ErrColumn},
		{"short column", Data{Outcome: y, Treatment: arm[:5]}, Options{}, ErrLength},
		{"dose", Data{Outcome: y, Treatment: []float64{0, 1, 2, 0, 1, 2}}, Options{}, ErrBinary},
		{"one arm", Data{Outcome: y, Treatment: []float64{1, 1, 1, 1, 1, 1}}, Options{}, ErrArm},
		{"not a number", Data{Outcome: []float64{1, 2, nan, 4, 5, 6}, Treatment: arm}, Options{}, ErrNumber},
		{"cr2 without cluster", Data{Outcome: y, Treatment: arm}, Options{SE: CR2}, ErrColumn},
		{"unknown se", Data{Outcome: y, Treatment: arm}, Options{SE: "hc9"}, ErrOption},
		{"confidence", Data{Outcome: y, Treatment: arm}, Options{Confidence: 95}, ErrOption},
		{"covariate is the treatment", Data{Outcome: y, Treatment: arm, Covariates: []Covariate{{"x", arm}}}, Options{}, ErrCollinear},
		{"one cluster in an arm", Data{Outcome: y, Treatment: arm, Cluster: []int{1, 2, 3, 4, 4, 4}}, Options{}, ErrTooFew},
		{"one row in an arm, hc2", Data{Outcome: y, Treatment: []float64{0, 0, 0, 0, 0, 1}}, Options{SE: HC2}, ErrTooFew},
		{"more columns than rows", Data{Outcome: y[2:4], Treatment: arm[2:4]}, Options{}, ErrTooFew},
	} {
		t.Run(tt.name, func(t *testing.T) {
			do := Difference
			if tt.d.Covariates != nil {
				do = Ancova
			}
			if _, err := do(tt.d, tt.o); !errors.Is(err, tt.want) {
				t.Errorf("error = %v, want %v", err, tt.want)
			}
		})
	}
}

// An estimate with every part it can have becomes JSON: no NaN, no infinity,
// warnings by name.
func TestEstimateAsJSON(t *testing.T) {
	d := nsw(t, "re75", "nodegree")
	got, err := Difference(d, Options{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"estimate":1794.34`, `"se":632.85`, `"low":`, `"high":`, `"p":0.0047`, `"hedges_g":`, `"balance":[{"covariate":"re75"`, `"overlap":{`, `"warnings":[{"kind":"imbalance","what":"nodegree"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %s", text, want)
		}
	}
}

func TestCompareWarns(t *testing.T) {
	r := rng(1)
	const n = 200
	d := Data{Outcome: make([]float64, n), Treatment: make([]float64, n)}
	base, twice, far := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		d.Treatment[i] = float64(i % 2)
		base[i] = r.NormFloat64() - 1.5*d.Treatment[i] // the weak were chosen
		twice[i] = 2 * base[i]
		far[i] = r.NormFloat64() + 9*d.Treatment[i]
		d.Outcome[i] = base[i] + r.NormFloat64()
	}
	d.Covariates = []Covariate{{"before", base}, {"again", twice}}
	got, err := Ancova(d, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []Kind{Imbalance, RegressionToMean, Collinear} {
		if !warned(got.Warnings, k) {
			t.Errorf("%v not in %v", k, got.Warnings)
		}
	}
	if warned(got.Warnings, SmallGroups) || warned(got.Warnings, FewClusters) {
		t.Errorf("warned without cause: %v", got.Warnings)
	}
	d.Covariates = []Covariate{{"far", far}}
	d.Cluster = codes(n, func(i int) int { return i / 50 })
	if got, err = Ancova(d, Options{SE: HC2}); err != nil {
		t.Fatal(err)
	}
	for _, k := range []Kind{PoorOverlap, ClustersIgnored} {
		if !warned(got.Warnings, k) {
			t.Errorf("%v not in %v", k, got.Warnings)
		}
	}
	if got, err = Difference(d, Options{}); err != nil || !warned(got.Warnings, FewClusters) {
		t.Errorf("four clusters: %v, %v", got.Warnings, err)
	}
}

// Few clusters drawn whole, with a shared effect: CR2 with Satterthwaite's
// degrees of freedom keeps its word where the classical error does not.
func TestFewClustersCover(t *testing.T) {
	r := rng(2)
	times, teams := repeats(600), 12
	hits, naive := 0, 0
	for range times {
		var d Data
		for c := range teams {
			shared := 0.5 * r.NormFloat64()
			for range 5 + r.IntN(20) {
				arm := float64(c % 2)
				d.Outcome = append(d.Outcome, 1+0.7*arm+shared+r.NormFloat64())
				d.Treatment = append(d.Treatment, arm)
				d.Cluster = append(d.Cluster, c)
			}
		}
		got, err := Difference(d, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got.Low <= 0.7 && 0.7 <= got.High {
			hits++
		}
		plain, err := Difference(d, Options{SE: Classical})
		if err != nil {
			t.Fatal(err)
		}
		if plain.Low <= 0.7 && 0.7 <= plain.High {
			naive++
		}
	}
	covers(t, "12 teams, CR2", hits, times)
	if rate := float64(naive) / float64(times); rate > 0.85 {
		t.Errorf("the classical interval covers %.3f: the simulation has no clusters to speak of", rate)
	}
}

func BenchmarkAncovaMillion(b *testing.B) {
	d := million(b, 5)
	for b.Loop() {
		if _, err := Ancova(d, Options{SE: HC2}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDifferenceCR2Million(b *testing.B) {
	d := million(b, 0)
	d.Cluster = codes(len(d.Outcome), func(i int) int { return i / 20 })
	for b.Loop() {
		if _, err := Difference(d, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// million simulates 1,000,000 people with an effect of 0.5.
func million(b *testing.B, covariates int) Data {
	const n = 1_000_000
	r := rng(3)
	d := Data{Outcome: make([]float64, n), Treatment: make([]float64, n)}
	for j := range covariates {
		d.Covariates = append(d.Covariates, Covariate{string(rune('a' + j)), make([]float64, n)})
	}
	for i := range n {
		lean := 0.0
		for _, c := range d.Covariates {
			c.Values[i] = r.NormFloat64()
			lean += 0.3 * c.Values[i]
		}
		if r.Float64() < sigmoid(lean) {
			d.Treatment[i] = 1
		}
		d.Outcome[i] = lean + 0.5*d.Treatment[i] + r.NormFloat64()
	}
	return d
}
