package effect

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// Method says what a risk is foretold with.
type Method string

const (
	Logistic Method = "logistic" // straight lines in the log odds, with products of columns
	Trees    Method = "trees"    // gradient-boosted trees
)

// RiskData is what a risk is learned from: a row per person, or per person and
// week, with what was known then.
type RiskData struct {
	Columns []Covariate // NaN: not known
	Outcome []float64   // 1: dropped out, or failed
	Person  []int       // code; nil: each row. A person's rows are kept on one side of a fold
}

// RiskOptions are those of FitRisk. The zero value is usable.
type RiskOptions struct {
	Method Method // "": Trees
	Seed   uint64

	Plain bool    // logistic without products of columns
	Ridge float64 // penalty: of logistic on standardised slopes, 0 chosen by folds; of trees on leaves, 0 is 1

	Rounds    int     // trees at most; 0 is 300. Their number is chosen by folds
	Depth     int     // of a tree; 0 is 4
	Rate      float64 // of learning, in (0,1]; 0 is 0.08
	Sample    float64 // share of rows a tree is grown on, in (0,1]; 0 is 0.7
	MinWeight float64 // least second derivative in a leaf, about a quarter of its people; 0 is 2
}

// Risk foretells a yes or no. It can be kept as JSON.
type Risk struct {
	Method   Method      `json:"method"`
	Columns  []string    `json:"columns"`
	Typical  []float64   `json:"typical"` // mean of each column among those known
	Base     float64     `json:"base"`    // log odds before anything is known
	Linear   *Linear     `json:"linear,omitempty"`
	Trees    []Tree      `json:"trees,omitempty"`
	Adjusted Calibration `json:"calibration"`
	// Held is how the calibrated model did on rows it had not seen: over folds
	// of people, or a fifth of them where there are many.
	Held     Evaluation `json:"held"`
	Warnings []error    `json:"-"`
}

// Linear is a logistic model: each column standardised (0 where unknown), a
// mark for those unknown, and products.
type Linear struct {
	Mean      []float64 `json:"mean"`
	Scale     []float64 `json:"scale"`
	Unknown   []int     `json:"unknown,omitempty"` // columns that have a mark
	Products  bool      `json:"products"`
	Intercept float64   `json:"intercept"`
	Slopes    []float64 `json:"slopes"`
	Ridge     float64   `json:"ridge"`
}

// manyRows is from where one fold is held out in place of five.
const manyRows = 50_000

// linearRows is how many rows a logistic model is fitted on at most: its
// hundred coefficients are known to the third digit by then.
const linearRows = 200_000

// FitRisk learns a risk and calibrates it on rows that the model had not seen:
// isotonic with 1,000 yes or more, else by Platt's line (Niculescu-Mizil &
// Caruana 2005). Probabilities are for people like those it was learned from.
func FitRisk(d RiskData, o RiskOptions) (*Risk, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	n := len(d.Outcome)
	yes := 0.0
	for i, y := range d.Outcome {
		if y != 0 && y != 1 {
			return nil, fmt.Errorf("%w: outcome of row %d", ErrBinary, i)
		}
		yes += y
	}
	switch {
	case len(d.Columns) == 0:
		return nil, fmt.Errorf("%w: columns", ErrColumn)
	case n < 50:
		return nil, fmt.Errorf("%w: %d rows", ErrTooFew, n)
	case yes < 10 || float64(n)-yes < 10:
		return nil, fmt.Errorf("%w: %v yes of %d", ErrArm, yes, n)
	case d.Person != nil && len(d.Person) != n:
		return nil, fmt.Errorf("%w: person", ErrLength)
	}
	r := &Risk{Method: o.Method}
	for _, c := range d.Columns {
		if len(c.Values) != n {
			return nil, fmt.Errorf("%w: %s", ErrLength, c.Name)
		}
		var m moments
		for i, x := range c.Values {
			if math.IsInf(x, 0) {
				return nil, fmt.Errorf("%w: %s in row %d", ErrNumber, c.Name, i)
			}
			if !math.IsNaN(x) {
				m.add(x)
			}
		}
		r.Columns, r.Typical = append(r.Columns, c.Name), append(r.Typical, m.mean)
	}
	rate := yes / float64(n)
	r.Base = math.Log(rate / (1 - rate))
	rng := rand.New(rand.NewPCG(o.Seed, 0x1e55))
	if o.Method == Logistic && n > linearRows {
		d = d.some(linearRows, rng)
	}
	fold, folds := d.folds(rng)

	// Log odds of rows by a model that had not seen them; NaN where there are none.
	var held []float64
	var err error
	switch o.Method {
	case Trees:
		held = r.fitTrees(d, o, fold, folds, rng)
	default:
		held, err = r.fitLinear(d, o, fold, folds)
	}
	if err != nil {
		return nil, err
	}
	var odds, y []float64
	var rows []int
	for i, x := range held {
		if !math.IsNaN(x) {
			odds, y, rows = append(odds, x), append(y, d.Outcome[i]), append(rows, i)
		}
	}
	few := 0.0
	for _, v := range y {
		few += v
	}
	calibrate := platt
	if min(few, float64(len(y))-few) >= 1000 {
		calibrate = isotonic
	}
	r.Adjusted = calibrate(odds, y)
	// Calibration is crossed too, or the score would be that of rows it has seen.
	p := make([]float64, len(odds))
	for side := range 2 {
		var a, b []float64
		for k := range odds {
			if d.side(rows[k]) != side {
				a, b = append(a, odds[k]), append(b, y[k])
			}
		}
		c := r.Adjusted
		if len(a) > 20 {
			c = calibrate(a, b)
		}
		for k := range odds {
			if d.side(rows[k]) == side {
				p[k] = c.probability(odds[k])
			}
		}
	}
	if r.Held, err = Evaluate(p, y, nil); err != nil {
		return nil, err
	}
	if few := min(yes, float64(n)-yes); few < 10*float64(len(d.Columns)) {
		r.Warnings = append(r.Warnings, Warning{SmallGroups, "", few, 10 * float64(len(d.Columns))})
	}
	return r, nil
}

// side splits people in two by a mix of their code.
func (d RiskData) side(row int) int {
	code := row
	if d.Person != nil {
		code = d.Person[row]
	}
	x := uint64(code) * 0x9e3779b97f4a7c15
	return int((x ^ x>>29) >> 33 & 1)
}

func (o *RiskOptions) fill() error {
	set := func(v *float64, to float64) {
		if *v == 0 {
			*v = to
		}
	}
	if o.Method == "" {
		o.Method = Trees
	}
	if o.Method == Trees {
		set(&o.Ridge, 1)
	}
	if o.Rounds == 0 {
		o.Rounds = 300
	}
	if o.Depth == 0 {
		o.Depth = 4
	}
	set(&o.Rate, 0.08)
	set(&o.Sample, 0.7)
	set(&o.MinWeight, 2)
	if o.Method != Trees && o.Method != Logistic || o.Ridge < 0 || o.Rounds < 1 || o.Depth < 1 || o.Depth > 12 ||
		o.Rate < 0 || o.Rate > 1 || o.Sample < 0 || o.Sample > 1 || o.MinWeight < 0 {
		return fmt.Errorf("%w: %+v", ErrOption, *o)
	}
	return nil
}

// folds gives each row one of five folds, a person's rows the same; of many
// rows only fold 0 is held out.
func (d RiskData) folds(rng *rand.Rand) (fold []int, held int) {
	person := d.Person
	if person == nil {
		person = codes0(len(d.Outcome))
	}
	g := group(person)
	lot := rng.Perm(g.n())
	fold = make([]int, len(person))
	for i, u := range g.of {
		fold[i] = lot[u] % 5
	}
	if len(person) > manyRows {
		return fold, 1
	}
	return fold, 5
}

// some returns about so many rows, drawn by person.
func (d RiskData) some(rows int, rng *rand.Rand) RiskData {
	person := d.Person
	if person == nil {
		person = codes0(len(d.Outcome))
	}
	g := group(person)
	var keep []int
	for _, u := range rng.Perm(g.n()) {
		if len(keep) >= rows {
			break
		}
		keep = append(keep, g.rows(u)...)
	}
	slices.Sort(keep)
	part := RiskData{Outcome: pick(d.Outcome, keep), Person: pickInt(person, keep)}
	for _, c := range d.Columns {
		part.Columns = append(part.Columns, Covariate{c.Name, pick(c.Values, keep)})
	}
	return part
}

func (r *Risk) fitTrees(d RiskData, o RiskOptions, fold []int, folds int, rng *rand.Rand) []float64 {
	b := newBoosting(columns(d.Columns), o, rng)
	n := len(d.Outcome)
	var all []int32
	for i := range n {
		all = append(all, int32(i))
	}
	grown := make([][]Tree, folds)
	losses := make([][]float64, folds)
	longest := o.Rounds
	for f := range folds {
		var train, test []int32
		for i := range n {
			if fold[i] == f {
				test = append(test, int32(i))
			} else {
				train = append(train, int32(i))
			}
		}
		grown[f], losses[f], _ = b.boost(d.Outcome, train, test, o.Rounds, r.Base, rng)
		longest = min(longest, len(losses[f]))
	}
	best, least := 0, math.Inf(1)
	for k := range longest {
		sum := 0.0
		for _, l := range losses {
			sum += l[k]
		}
		if sum < least {
			best, least = k, sum
		}
	}
	held := make([]float64, n)
	for i := range held {
		held[i] = math.NaN()
		if fold[i] < folds {
			held[i] = r.Base
			row := func(j int) float64 { return d.Columns[j].Values[i] }
			for k := range grown[fold[i]][:best+1] {
				t := &grown[fold[i]][k]
				held[i] += t.Nodes[t.leaf(row)].Value
			}
		}
	}
	r.Trees, _, _ = b.boost(d.Outcome, all, nil, best+1, r.Base, rng)
	return held
}

func (r *Risk) fitLinear(d RiskData, o RiskOptions, fold []int, folds int) ([]float64, error) {
	n := len(d.Outcome)
	l := &Linear{Products: !o.Plain, Ridge: o.Ridge}
	for j, c := range d.Columns {
		var m moments
		known := 0
		for _, x := range c.Values {
			if !math.IsNaN(x) {
				m.add(x)
				known++
			}
		}
		l.Mean, l.Scale = append(l.Mean, m.mean), append(l.Scale, math.Sqrt(m.variance()))
		if known < n {
			l.Unknown = append(l.Unknown, j)
		}
	}
	x := make([][]float64, l.width(len(d.Columns)))
	for k := range x {
		x[k] = make([]float64, n)
	}
	row, z := make([]float64, len(d.Columns)), make([]float64, len(x))
	for i := range n {
		for j, c := range d.Columns {
			row[j] = c.Values[i]
		}
		l.expand(row, z)
		for k := range x {
			x[k][i] = z[k]
		}
	}
	fitOn := func(keep func(i int) bool, ridge float64) (*logistic, error) {
		var rows []int
		for i := range n {
			if keep(i) {
				rows = append(rows, i)
			}
		}
		part := make([][]float64, len(x))
		for k := range x {
			part[k] = pick(x[k], rows)
		}
		return logit(part, pick(d.Outcome, rows), ridge)
	}
	if l.Ridge == 0 {
		// Chosen on 20,000 rows at most: more rows need it less, and the search
		// costs five fits for each value.
		step := max(1, n/20_000)
		least := math.Inf(1)
		for _, ridge := range []float64{0.3, 3, 30, 300} {
			loss := 0.0
			for f := range 5 {
				m, err := fitOn(func(i int) bool { return fold[i] != f && i%step == 0 }, ridge)
				if err != nil {
					loss = math.Inf(1)
					break
				}
				for i := 0; i < n; i += step {
					if fold[i] == f {
						p := min(max(sigmoid(m.odds(x, i, z)), 1e-12), 1-1e-12)
						if d.Outcome[i] == 0 {
							p = 1 - p
						}
						loss -= math.Log(p)
					}
				}
			}
			if loss < least {
				least, l.Ridge = loss, ridge
			}
		}
		if math.IsInf(least, 1) {
			l.Ridge = 30
		}
	}
	held := make([]float64, n)
	for i := range held {
		held[i] = math.NaN()
	}
	for f := range folds {
		m, err := fitOn(func(i int) bool { return fold[i] != f }, l.Ridge)
		if err != nil {
			return nil, err
		}
		for i := range n {
			if fold[i] == f {
				held[i] = m.odds(x, i, z)
			}
		}
	}
	m, err := logit(x, d.Outcome, l.Ridge)
	if err != nil {
		return nil, err
	}
	l.Intercept = m.beta[0]
	for k := range x {
		slope := 0.0
		if m.scale[k+1] > 0 {
			slope = m.beta[k+1] / m.scale[k+1]
		}
		l.Slopes = append(l.Slopes, slope)
		l.Intercept -= slope * m.mean[k+1]
	}
	r.Linear = l
	return held, nil
}

// odds is the log odds of row i of x; z is scratch, one longer than x or more.
func (m *logistic) odds(x [][]float64, i int, z []float64) float64 {
	sum := m.beta[0]
	for k, c := range x {
		if m.scale[k+1] > 0 {
			sum += m.beta[k+1] * (c[i] - m.mean[k+1]) / m.scale[k+1]
		}
	}
	return sum
}

// width is how many numbers a row of so many columns is expanded to.
func (l *Linear) width(columns int) int {
	w := columns + len(l.Unknown)
	if l.Products {
		w += columns * (columns + 1) / 2
	}
	return w
}

// expand writes a row's standardised columns, marks and products to z.
func (l *Linear) expand(row, z []float64) {
	n := len(row)
	for j, x := range row {
		z[j] = 0
		if !math.IsNaN(x) && l.Scale[j] > 0 {
			z[j] = (x - l.Mean[j]) / l.Scale[j]
		}
	}
	at := n
	for _, j := range l.Unknown {
		z[at] = 0
		if math.IsNaN(row[j]) {
			z[at] = 1
		}
		at++
	}
	if l.Products {
		for a := range n {
			for b := a; b < n; b++ {
				z[at] = z[a] * z[b]
				at++
			}
		}
	}
}

// Probability is the calibrated chance in [0,1] of a yes, for a row of values
// in the order of Columns (NaN: not known).
func (r *Risk) Probability(row []float64) (float64, error) {
	if len(row) != len(r.Columns) {
		return 0, fmt.Errorf("%w: %d values for %d columns", ErrLength, len(row), len(r.Columns))
	}
	return r.Adjusted.probability(r.odds(row)), nil
}

func (r *Risk) odds(row []float64) float64 {
	if r.Linear != nil {
		z := make([]float64, len(r.Linear.Slopes))
		r.Linear.expand(row, z)
		return r.Linear.Intercept + floats.Dot(z, r.Linear.Slopes)
	}
	sum := r.Base
	for k := range r.Trees {
		t := &r.Trees[k]
		sum += t.Nodes[t.leaf(func(j int) float64 { return row[j] })].Value
	}
	return sum
}

// Reason is what a column adds to a person's risk.
type Reason struct {
	Column string  `json:"column"`
	Known  bool    `json:"known"`
	Value  float64 `json:"value"` // 0 where not known
	// LogOdds is what this value adds against the average, before calibration;
	// over 0 it raises the risk. Products count half for each of their columns.
	LogOdds float64 `json:"log_odds"`
}

// Reasons says which columns raise a person's risk, most first, and which
// lower it, last. For trees it follows the person's way and books each step to
// the column asked (Saabas 2014). It explains the figure, not the cause.
func (r *Risk) Reasons(row []float64) ([]Reason, error) {
	if len(row) != len(r.Columns) {
		return nil, fmt.Errorf("%w: %d values for %d columns", ErrLength, len(row), len(r.Columns))
	}
	add := make([]float64, len(row))
	if l := r.Linear; l != nil {
		z := make([]float64, len(l.Slopes))
		l.expand(row, z)
		for j := range row {
			add[j] = l.Slopes[j] * z[j]
		}
		at := len(row)
		for _, j := range l.Unknown {
			add[j] += l.Slopes[at] * z[at]
			at++
		}
		if l.Products {
			for a := range row {
				for b := a; b < len(row); b++ {
					half := l.Slopes[at] * z[at] / 2
					add[a] += half
					add[b] += half
					at++
				}
			}
		}
	}
	for k := range r.Trees {
		t := &r.Trees[k]
		for at := 0; t.Nodes[at].Left != 0; {
			n := &t.Nodes[at]
			next := n.next(row[n.Column])
			add[n.Column] += t.Nodes[next].Value - n.Value
			at = next
		}
	}
	reasons := make([]Reason, 0, len(row))
	for j, v := range add {
		reason := Reason{Column: r.Columns[j], Known: !math.IsNaN(row[j]), LogOdds: v}
		if reason.Known {
			reason.Value = row[j]
		}
		reasons = append(reasons, reason)
	}
	slices.SortStableFunc(reasons, func(a, b Reason) int { return cmp.Compare(b.LogOdds, a.LogOdds) })
	return reasons, nil
}
