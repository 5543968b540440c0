package irt

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// gpcmData is 600 people and 5 items of 2 to 4 categories, some answers missing.
func gpcmData() [][]int8 {
	rng := rand.New(rand.NewPCG(51, 52))
	items := []curve{
		{slope: 1.2, cum: []float64{0, 1, 0.5, -1}, guess: math.Inf(-1)},
		{slope: 0.7, cum: []float64{0, 0.2, -0.4}, guess: math.Inf(-1)},
		{slope: 1.6, cum: []float64{0, 0.5}, guess: math.Inf(-1)},
		{slope: 0.9, cum: []float64{0, -0.5, -0.6, -2}, guess: math.Inf(-1)},
		{slope: 1, cum: []float64{0, 1.2, 1}, guess: math.Inf(-1)},
	}
	rows := make([][]int8, 600)
	for i := range rows {
		theta := rng.NormFloat64()
		rows[i] = make([]int8, len(items))
		for k := range items {
			p := make([]float64, len(items[k].cum))
			items[k].probabilities(theta, p)
			u := rng.Float64()
			for u > p[rows[i][k]] && int(rows[i][k]) < len(p)-1 {
				u -= p[rows[i][k]]
				rows[i][k]++
			}
			if rng.Float64() < 0.1 {
				rows[i][k] = -1
			}
		}
	}
	return rows
}

// guessData is 1500 people and 8 items with guessing.
func guessData() [][]int8 {
	rng := rand.New(rand.NewPCG(53, 54))
	bank := lognormalBank(rng, 8, 1)
	for k := range bank {
		bank[k].C, bank[k].A = 0.2, 1.5*bank[k].A
	}
	return simulate(rng, normals(rng, 1500, 0, 1), bank, 0)
}

// The expected values maximise the marginal likelihood of these data by R's
// optim (BFGS, 161 nodes on ±8, standard errors from its Hessian).
func TestFitGPCM(t *testing.T) {
	c, err := Fit(gpcmData(), Options{Model: GPCM})
	if err != nil || !c.Converged {
		t.Fatal(err, c.Warnings)
	}
	near(t, "log likelihood", c.LogLikelihood, -2794.2595, 1e-3)
	for k, want := range []struct {
		a, se float64
		steps []float64
	}{
		{1.1573, .1803, []float64{-.8575, .3435, 1.4922}},
		{.7148, .1104, []float64{-.3531, .9937}},
		{1.0719, .1689, nil},
		{.9158, .1413, []float64{.5258, .0850, 1.6224}},
		{.8996, .1330, []float64{-1.1709, .2945}},
	} {
		f := c.Items[k]
		near(t, "a", f.A, want.a, 1e-3)
		near(t, "SE a", f.SEA, want.se, 1e-3)
		if len(f.Steps) != len(want.steps) {
			t.Fatalf("item %d has steps %v", k, f.Steps)
		}
		for v, s := range want.steps {
			near(t, "step", f.Steps[v], s, 2e-3)
		}
	}
	near(t, "b of the item with two categories", c.Items[2].B, -.3680, 1e-3)
	c, err = Fit(gpcmData(), Options{Model: Rasch})
	if err != nil || !c.Converged {
		t.Fatal(err, c.Warnings)
	}
	near(t, "partial credit log likelihood", c.LogLikelihood, -2796.9799, 1e-3)
	near(t, "partial credit SD", c.Groups[0].SD, .9319, 1e-3)

	gap := gpcmData()
	for _, row := range gap {
		if row[0] == 3 {
			row[0] = 5
		}
	}
	g, err := Fit(gap, Options{Model: GPCM})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "categories never chosen change nothing", g.LogLikelihood, -2794.2595, 1e-3)
	if w, ok := g.Warnings[0].(*ItemWarning); !ok || w.What != Collapsed {
		t.Errorf("warnings %v", g.Warnings)
	}
}

// As above, with the Beta(5, 17) prior on each lower asymptote.
func TestFit3PL(t *testing.T) {
	c, err := Fit(guessData(), Options{Model: ThreePL})
	if err != nil || !c.Converged {
		t.Fatal(err, c.Warnings)
	}
	t.Logf("%d EM steps", c.Iterations)
	near(t, "log likelihood", c.LogLikelihood, -6947.2579, 5e-3)
	for k, want := range []struct{ a, se, b, c float64 }{
		{.5672, .1298, .4885, .1929}, {1.2945, .2459, .0832, .1865}, {1.3079, .3375, .5432, .2059}, {.8086, .1644, .3709, .1887},
		{2.2209, .7501, .4091, .2141}, {1.6622, .3275, -.0819, .1938}, {.8616, .3102, -4.5728, .2006}, {1.4334, .6336, 1.9167, .1528},
	} {
		f := c.Items[k]
		near(t, "a", f.A, want.a, 5e-3)
		near(t, "SE a", f.SEA, want.se, 1e-2)
		near(t, "b", f.B, want.b, 1e-2)
		near(t, "c", f.C, want.c, 2e-3)
	}
}

// Two groups of different ability; two items are harder for group 1, one is
// easier.
func TestFitDIF(t *testing.T) {
	const n = 1200
	bank := make([]Item, 15)
	for k := range bank {
		bank[k] = Item{A: 0.8 + 0.1*float64(k%6), B: -1.4 + 0.2*float64(k)}
	}
	other := slices.Clone(bank)
	other[3].B += 0.7
	other[8].B -= 0.6
	other[11].B += 0.7
	rng := rand.New(rand.NewPCG(55, 56))
	rows := append(simulate(rng, normals(rng, n, 0, 1), bank, 0.1), simulate(rng, normals(rng, n, -0.5, 1.2), other, 0.1)...)
	group := make([]int, 2*n)
	for i := n; i < 2*n; i++ {
		group[i] = 1
	}
	c, err := Fit(rows, Options{Group: group, DIF: true})
	if err != nil || !c.Converged {
		t.Fatal(err, c.Warnings)
	}
	false1 := 0
	for k, f := range c.Items {
		moved := other[k].B - bank[k].B
		switch {
		case moved != 0 && (f.DIF.Class == "A" || f.DIF.Difference*moved > 0):
			t.Errorf("item %d, harder by %.1f for group 1: %+v", k, moved, f.DIF)
		case moved == 0 && f.DIF.PValue < 0.05:
			false1++
		case moved == 0 && f.DIF.Class != "A":
			t.Errorf("item %d has no DIF: %+v", k, f.DIF)
		}
	}
	if false1 > 3 {
		t.Errorf("%d of 12 items without DIF below 5 %%", false1)
	}
	near(t, "mean of group 1", c.Groups[1].Mean, -0.5, 0.12)
	near(t, "SD of group 1", c.Groups[1].SD, 1.2, 0.12)
}

// Items calibrated in a later, abler population by way of anchors land on the
// first scale, whose mean and SD the anchors carry over.
func TestFitAnchored(t *testing.T) {
	rng := rand.New(rand.NewPCG(57, 58))
	bank := lognormalBank(rng, 30, 1)
	anchors := map[int]Item{}
	for k := range 12 {
		anchors[k] = bank[k]
	}
	c, err := Fit(simulate(rng, normals(rng, 2000, 0.8, 1.3), bank, 0.3), Options{Anchors: anchors})
	if err != nil || !c.Converged {
		t.Fatal(err, c.Warnings)
	}
	near(t, "mean", c.Groups[0].Mean, 0.8, 0.1)
	near(t, "SD", c.Groups[0].SD, 1.3, 0.12)
	var a, b, low float64
	for k, f := range c.Items {
		if k < 12 {
			if !f.Fixed || f.Item != bank[k] && math.Abs(f.B-bank[k].B) > 1e-12 || f.SEA != 0 {
				t.Errorf("anchor %d moved: %+v", k, f)
			}
			continue
		}
		a += (f.A - bank[k].A) / f.SEA / 18
		b += (f.B - bank[k].B) / f.SEB / 18
		if f.PValue < 0.01 {
			low++
		}
	}
	near(t, "mean error of a in SEs", a, 0, 0.7)
	near(t, "mean error of b in SEs", b, 0, 0.7)
	if low > 2 {
		t.Errorf("%v of 18 items misfit at 1 %%", low)
	}
}

// Items that do not follow the model must be found, with and without holes in
// the data, and the others left alone.
func TestItemFit(t *testing.T) {
	for _, missing := range []float64{0, 0.3} {
		rng := rand.New(rand.NewPCG(59, 60))
		var alarms, items, infit float64
		found := 0
		const runs = 6
		for range runs {
			bank := lognormalBank(rng, 25, 1)
			thetas := normals(rng, 1200, 0, 1)
			rows := simulate(rng, thetas, bank, missing)
			for i, theta := range thetas { // item 7 is right for the middling, wrong for the rest
				if rows[i][7] >= 0 {
					rows[i][7] = 0
					if math.Abs(theta) < 0.7 && rng.Float64() < 0.8 {
						rows[i][7] = 1
					}
				}
			}
			c, err := Fit(rows, Options{})
			if err != nil {
				t.Fatal(err)
			}
			for k, f := range c.Items {
				if k == 7 {
					if f.PValue < 0.001 {
						found++
					}
					continue
				}
				items++
				infit += f.Infit
				if f.PValue < 0.05 {
					alarms++
				}
			}
		}
		t.Logf("missing %.1f: false alarms %.3f, mean infit %.3f, found %d of %d", missing, alarms/items, infit/items, found, runs)
		near(t, "false alarms", alarms/items, 0.05, 0.04)
		near(t, "infit", infit/items, 1, 0.01)
		if found < runs-1 {
			t.Errorf("missing %.1f: the item that does not fit was found %d times of %d", missing, found, runs)
		}
	}
}
