package effect

import (
	"errors"
	"math"
	"slices"
	"testing"
)

// chain uses columns of the NSW sample as numbers: treatment → schooling and
// age (parallel) → earnings in 1975 → earnings in 1978.
func chain(t testing.TB) PathModel {
	d := nsw(t, "educ", "age", "re75", "black")
	c := d.Covariates
	return PathModel{
		Treatment: d.Treatment, Outcome: d.Outcome, Covariates: c[3:4],
		Mediators: []Mediator{{"re75", c[2].Values, 2}, {"educ", c[0].Values, 1}, {"age", c[1].Values, 1}},
	}
}

// R 4.2.2: products of lm coefficients; intervals by boot 1.3 with 20,000 draws
// of its own, hence the slack.
func TestMediateOnNSW(t *testing.T) {
	got, err := Mediate(chain(t), MediateOptions{Draws: 4000, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "total", got.Total.Estimate, 1828.57232242, 1e-6)
	near(t, "direct", got.Direct.Estimate, 1648.64940614, 1e-6)
	near(t, "indirect", got.Indirect.Estimate, 179.92291629, 1e-6)
	want := []struct {
		through []string
		value   float64
	}{
		{[]string{"educ"}, 103.48587509634}, {[]string{"age"}, 38.06638082320}, {[]string{"re75"}, 34.26977474417},
		{[]string{"educ", "re75"}, 1.55293540027}, {[]string{"age", "re75"}, 2.54795022348},
	}
	if len(got.Paths) != len(want) {
		t.Fatalf("paths %+v", got.Paths)
	}
	for _, w := range want {
		i := slices.IndexFunc(got.Paths, func(p Path) bool { return slices.Equal(p.Through, w.through) })
		if i < 0 {
			t.Fatalf("no path through %v", w.through)
		}
		near(t, "path", got.Paths[i].Estimate, w.value, 1e-6)
	}
	for _, tt := range []struct {
		name string
		got  Part
		want [5]float64 // sd, percentile, BCa
	}{
		{"total", got.Total, [5]float64{669.997, 561.94, 3185.91, 639.90, 3289.54}},
		{"direct", got.Direct, [5]float64{649.219, 403.88, 2956.47, 468.78, 3071.26}},
		{"indirect", got.Indirect, [5]float64{124.684, -20.67, 464.46, 4.075, 526.59}},
	} {
		slack := 0.12 * tt.want[0] // four Monte Carlo errors of a 2.5 % quantile
		near(t, tt.name+" se", tt.got.SE, tt.want[0], 0.05*tt.want[0])
		near(t, tt.name+" percentile low", tt.got.Percentile[0], tt.want[1], slack)
		near(t, tt.name+" percentile high", tt.got.Percentile[1], tt.want[2], slack)
		near(t, tt.name+" BCa low", tt.got.BCa[0], tt.want[3], slack)
		near(t, tt.name+" BCa high", tt.got.BCa[1], tt.want[4], slack)
	}
	if !slices.Contains(got.Assumptions, MediatorUnconfound) || !slices.Contains(got.Assumptions, OrderOfCauses) {
		t.Errorf("assumptions %v", got.Assumptions)
	}
	again, err := Mediate(chain(t), MediateOptions{Draws: 4000, Seed: 1})
	if err != nil || again.Indirect != got.Indirect {
		t.Errorf("the same seed gave %+v, then %+v (%v)", got.Indirect, again.Indirect, err)
	}
}

// A chain of three stages in teams, as from training through skill and
// experience to loyalty: 0.5·0.6·0.7 along the chain, 0.2 direct.
func TestMediateCovers(t *testing.T) {
	times := repeats(100)
	var percentile, bca, totals int
	for s := range times {
		r := rng(uint64(4000 + s))
		skill, experience := Mediator{Name: "skill", Stage: 1}, Mediator{Name: "experience", Stage: 2}
		var m PathModel
		for team := range 40 {
			shared := [3]float64{0.4 * r.NormFloat64(), 0.4 * r.NormFloat64(), 0.4 * r.NormFloat64()}
			for range 6 {
				x := float64(team % 2)
				a := 0.5*x + shared[0] + r.NormFloat64()
				b := 0.6*a + shared[1] + r.NormFloat64()
				y := 0.7*b + 0.2*x + shared[2] + r.NormFloat64()
				m.Treatment = append(m.Treatment, x)
				skill.Values, experience.Values = append(skill.Values, a), append(experience.Values, b)
				m.Outcome = append(m.Outcome, y)
				m.Cluster = append(m.Cluster, team)
			}
		}
		m.Mediators = []Mediator{skill, experience}
		got, err := Mediate(m, MediateOptions{Draws: 400, Seed: uint64(s)})
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(got.Paths, func(p Path) bool { return len(p.Through) == 2 })
		const path, total = 0.5 * 0.6 * 0.7, 0.5*0.6*0.7 + 0.2
		p := got.Paths[i]
		if p.Percentile[0] <= path && path <= p.Percentile[1] {
			percentile++
		}
		if p.BCa[0] <= path && path <= p.BCa[1] {
			bca++
		}
		if got.Total.BCa[0] <= total && total <= got.Total.BCa[1] {
			totals++
		}
	}
	covers(t, "chain, percentile", percentile, times)
	covers(t, "chain, BCa", bca, times)
	covers(t, "total, BCa", totals, times)
}

func TestMediateRefuses(t *testing.T) {
	m := chain(t)
	none := m
	none.Mediators = nil
	same := m
	same.Mediators = []Mediator{{"treatment again", m.Treatment, 1}}
	short := m
	short.Mediators = []Mediator{{"short", m.Treatment[:9], 1}}
	for _, tt := range []struct {
		name string
		m    PathModel
		o    MediateOptions
		want error
	}{
		{"no mediator", none, MediateOptions{}, ErrColumn},
		{"mediator is the treatment", same, MediateOptions{}, ErrCollinear},
		{"short mediator", short, MediateOptions{}, ErrLength},
		{"ten draws", m, MediateOptions{Draws: 10}, ErrOption},
	} {
		if _, err := Mediate(tt.m, tt.o); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

// With many rows blocks of them are drawn; the errors must stay what they are.
func TestMediateBlocks(t *testing.T) {
	r := rng(8)
	const n = 40_000
	m := PathModel{Mediators: []Mediator{{Name: "m"}}}
	for i := range n {
		x := float64(i % 2)
		v := 0.5*x + r.NormFloat64()
		m.Treatment = append(m.Treatment, x)
		m.Mediators[0].Values = append(m.Mediators[0].Values, v)
		m.Outcome = append(m.Outcome, 0.4*v+r.NormFloat64())
	}
	got, err := Mediate(m, MediateOptions{Draws: 2000})
	if err != nil {
		t.Fatal(err)
	}
	// Sobel's: √(b²·se_a² + a²·se_b²), se_a = 2/√n, se_b = 1/√n.
	near(t, "indirect", got.Indirect.Estimate, 0.2, 0.02)
	near(t, "se", got.Indirect.SE, math.Sqrt(0.16*4+0.25)/math.Sqrt(n), 3e-4)
}

func BenchmarkMediateMillion(b *testing.B) {
	d := million(b, 4)
	m := PathModel{Treatment: d.Treatment, Outcome: d.Outcome, Covariates: d.Covariates[:1]}
	for i, c := range d.Covariates[1:] {
		m.Mediators = append(m.Mediators, Mediator{c.Name, c.Values, i / 2})
	}
	for b.Loop() {
		if _, err := Mediate(m, MediateOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
