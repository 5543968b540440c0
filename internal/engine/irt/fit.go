package irt

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Model names an item response model.
type Model string

const (
	Rasch   Model = "rasch" // slopes 1, the population's SD free; with more than two categories the partial credit model
	OnePL   Model = "1pl"   // one slope for all items, the population standard normal
	TwoPL   Model = "2pl"   // Birnbaum
	ThreePL Model = "3pl"   // with guessing
	GPCM    Model = "gpcm"  // generalised partial credit (Muraki 1992), categories 0, 1, 2, …
)

// Options governs a calibration. The zero value fits the 2PL.
type Options struct {
	Model Model // "" means 2pl
	// Group is each person's group, 0, 1, …; nil means one. Group 0 is the
	// reference: the population whose mean is 0 and SD 1. The others have a mean
	// and SD of their own.
	Group []int
	// DIF asks for a test of differential item functioning between two groups.
	DIF bool
	// Anchors holds items, by column, whose parameters are kept: the others are
	// then calibrated onto their scale, and group 0's mean and SD are free.
	Anchors map[int]Item
	// Guessing is the Beta prior (α, β) of the 3PL's lower asymptote; zero means
	// (5, 17), whose mean is 0.23. It is needed: the data say little about it.
	Guessing [2]float64
	// Shrink draws the items' discriminations towards their mean, by as much as
	// their spread beyond sampling error warrants (empirical Bayes: log a normal
	// over items, hyperparameters from a first fit by maximum likelihood).
	// Discriminations and difficulties then come closer to the truth on average,
	// most so in small samples. It takes at least 10 dichotomous items.
	Shrink  bool
	MaxIter int     // EM steps; 0 means 2000
	Tol     float64 // largest change of a parameter in an EM step; 0 means 1e-5
}

// Calibration is a fitted model.
type Calibration struct {
	Model         Model
	Items         []ItemFit // by column
	LogLikelihood float64   // marginal, natural logarithm, priors left out
	AIC, BIC      float64
	Parameters    int
	Iterations    int // EM steps
	Converged     bool
	Persons       int       // with at least one answer
	Answers       int       // used
	Groups        []Normal  // the population of each group on the items' scale, logits
	Reliability   float64   // marginal, of EAP estimates, in the sample: Var(EAP)/(Var(EAP)+mean posterior variance)
	Theta, SE     []float64 // EAP and posterior SD of each person as given; the prior's for people without answers
	Warnings      []error
}

// ItemFit is one calibrated item and how well the model describes it.
type ItemFit struct {
	Item                        // A = 0 when it could not be calibrated
	Steps             []float64 // GPCM: the abilities at which neighbouring categories are equally likely; B is their mean
	SEA, SEB, SEC     float64   // standard errors from the observed information; NaN when it is not positive definite
	SESteps           []float64
	N                 int     // answers
	Mean              float64 // mean score as a share of the top category: the classical difficulty
	Infit             float64 // information-weighted mean square; 1 expected, 0.7–1.3 usual
	Outfit            float64 // mean square; 1 expected
	ChiSq, DF, PValue float64 // see Calibration.FitTest; PValue 1 when there is too little to test
	FitTest           string  // "S-X2" (Orlando & Thissen 2000) or "leave-one-out"
	DIF               *DIF    // when asked for
	Fixed             bool    // an anchor
}

// Warnings and errors of calibrations.
var (
	ErrSmallSample = errors.New("irt: under 200 answers to an item; its parameters are uncertain")
	ErrNoSE        = errors.New("irt: the information matrix is not positive definite; standard errors are unknown")
	ErrNoShrink    = errors.New("irt: too few two-category items to learn their spread from; not shrunken")
	ErrApproxSE    = errors.New("irt: too many parameters for the full information matrix; standard errors are a little small")
)

// ItemWarning names items with something wrong.
type ItemWarning struct {
	What  string
	Items []int // columns
}

func (w *ItemWarning) Error() string { return fmt.Sprintf("irt: %s: items %v", w.What, w.Items) }

// What an ItemWarning can say.
const (
	Constant  = "all answers alike; not calibrated"
	Unused    = "no answers; not calibrated"
	Reversed  = "negative discrimination; the key may be wrong"
	Extreme   = "discrimination at the bound; the estimate is unreliable"
	Collapsed = "categories never chosen were joined with their neighbours"
)

// Response is one scored answer: 0 or 1, or a category under the GPCM.
type Response struct {
	Item  int32
	Score int8
}

// Fit calibrates items by marginal maximum likelihood with the EM algorithm
// (Bock & Aitkin 1981), accelerated by SQUAREM (Varadhan & Roland 2008). There
// is a row of responses per person and a column per item: 0 wrong, 1 right, or
// categories from 0 under the GPCM, and −1 for an item not shown.
func Fit(responses [][]int8, opt Options) (*Calibration, error) {
	people := make([][]Response, len(responses))
	items := 0
	for i, row := range responses {
		if i > 0 && len(row) != items {
			return nil, fmt.Errorf("irt: row %d has %d columns, the first has %d", i, len(row), items)
		}
		items = len(row)
		n := 0
		for _, v := range row {
			if v >= 0 {
				n++
			}
		}
		people[i] = make([]Response, 0, n)
		for k, v := range row {
			if v >= 0 {
				people[i] = append(people[i], Response{int32(k), v})
			}
		}
	}
	return FitSparse(people, items, opt)
}

// FitSparse is Fit for banks of which each person saw a small part. Each
// person's responses name an item at most once.
func FitSparse(people [][]Response, items int, opt Options) (*Calibration, error) {
	if opt.Model == "" {
		opt.Model = TwoPL
	}
	if !slices.Contains([]Model{Rasch, OnePL, TwoPL, ThreePL, GPCM}, opt.Model) {
		return nil, fmt.Errorf("irt: no model %q", opt.Model)
	}
	if opt.MaxIter <= 0 {
		opt.MaxIter = 2000
	}
	if !(opt.Tol > 0) {
		opt.Tol = 1e-5
	}
	if !(opt.Guessing[0] >= 1 && opt.Guessing[1] >= 1) {
		opt.Guessing = [2]float64{5, 17}
	}
	t, err := newTable(people, items, opt)
	if err != nil {
		return nil, err
	}
	e := newEM(t, opt, nil)
	e.run()
	if opt.Shrink {
		if e.learnSpread(t); e.spread != nil {
			e.run()
		}
	}
	c := e.report(t, people)
	if opt.DIF {
		if err := c.testDIF(t, opt, e); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// table is the responses, collapsed into patterns.
type table struct {
	items    int
	cats     []int    // categories of each item, 0 when it cannot be calibrated
	recode   [][]int8 // score → category, −1 for never seen
	count    [][]int  // answers by item and score
	patterns []pattern
	of       []int // pattern of each person, −1 without answers
	groups   int
	answers  int
	persons  int
	warnings []error
}

// pattern is one way of answering and how many people of a group answered so.
type pattern struct {
	responses []Response // recoded to categories
	weight    float64
	group     int
}

func newTable(people [][]Response, items int, opt Options) (*table, error) {
	t := &table{items: items, cats: make([]int, items), recode: make([][]int8, items), count: make([][]int, items), of: make([]int, len(people)), groups: 1}
	if opt.Group != nil && len(opt.Group) != len(people) {
		return nil, fmt.Errorf("irt: %d groups for %d people", len(opt.Group), len(people))
	}
	for _, g := range opt.Group {
		if g < 0 || g > 1000 {
			return nil, fmt.Errorf("irt: group %d is not a small number from 0", g)
		}
		t.groups = max(t.groups, g+1)
	}
	shown := make([]int, items) // 1 + the last person to answer it
	for i, row := range people {
		for _, r := range row {
			if r.Item < 0 || int(r.Item) >= items {
				return nil, fmt.Errorf("irt: person %d answered item %d of %d", i, r.Item, items)
			}
			if r.Score < 0 || opt.Model != GPCM && opt.Model != Rasch && r.Score > 1 {
				return nil, fmt.Errorf("irt: person %d, item %d: a score of %d under the %s", i, r.Item, r.Score, opt.Model)
			}
			if shown[r.Item] == i+1 {
				return nil, fmt.Errorf("irt: person %d answered item %d twice", i, r.Item)
			}
			shown[r.Item] = i + 1
			for len(t.count[r.Item]) <= int(r.Score) {
				t.count[r.Item] = append(t.count[r.Item], 0)
			}
			t.count[r.Item][r.Score]++
		}
	}
	var unused, constant, collapsed []int
	for k, counts := range t.count {
		t.recode[k] = make([]int8, len(counts))
		seen := 0
		for v, n := range counts {
			t.recode[k][v] = -1
			if n > 0 {
				t.recode[k][v] = int8(seen)
				seen++
			}
		}
		_, anchored := opt.Anchors[k]
		switch {
		case anchored:
			if !opt.Anchors[k].Valid() {
				return nil, fmt.Errorf("irt: anchor %d has no usable parameters", k)
			}
			if len(counts) > 2 {
				return nil, fmt.Errorf("irt: anchor %d has more than two categories", k)
			}
			t.cats[k], t.recode[k] = 2, []int8{0, 1}
		case len(counts) == 0:
			unused = append(unused, k)
		case seen == 1:
			constant = append(constant, k)
		default:
			t.cats[k] = seen
			if seen < len(counts) {
				collapsed = append(collapsed, k)
			}
		}
	}
	for _, w := range []*ItemWarning{{Unused, unused}, {Constant, constant}, {Collapsed, collapsed}} {
		if len(w.Items) > 0 {
			t.warnings = append(t.warnings, w)
		}
	}
	number := map[string]int{}
	var key []byte
	for i, row := range people {
		g := 0
		if opt.Group != nil {
			g = opt.Group[i]
		}
		kept := make([]Response, 0, len(row))
		for _, r := range row {
			if t.cats[r.Item] > 0 {
				kept = append(kept, Response{r.Item, t.recode[r.Item][r.Score]})
			}
		}
		t.of[i] = -1
		if len(kept) == 0 {
			continue
		}
		slices.SortFunc(kept, func(a, b Response) int { return int(a.Item) - int(b.Item) })
		key = append(key[:0], byte(g), byte(g>>8))
		for _, r := range kept {
			key = append(key, byte(r.Item), byte(r.Item>>8), byte(r.Item>>16), byte(r.Score))
		}
		at, ok := number[string(key)]
		if !ok {
			at = len(t.patterns)
			number[string(key)] = at
			t.patterns = append(t.patterns, pattern{responses: kept, group: g})
		}
		t.patterns[at].weight++
		t.of[i] = at
		t.answers += len(kept)
		t.persons++
	}
	if t.persons == 0 {
		return nil, ErrNoAnswers
	}
	return t, nil
}

// report turns a finished EM into what the caller sees.
func (e *em) report(t *table, people [][]Response) *Calibration {
	c := &Calibration{
		Model: e.opt.Model, Items: make([]ItemFit, t.items), LogLikelihood: e.ll,
		Iterations: e.steps, Converged: e.converged, Persons: t.persons, Answers: t.answers,
		Groups: slices.Clone(e.pop), Warnings: t.warnings,
	}
	if e.opt.Shrink && e.spread == nil {
		c.Warnings = append(c.Warnings, ErrNoShrink)
	}
	if !e.converged {
		c.Warnings = append(c.Warnings, ErrNotConverged)
	}
	ix := e.index()
	c.Parameters = ix.n
	c.AIC = -2*e.ll + 2*float64(ix.n)
	c.BIC = -2*e.ll + math.Log(float64(t.persons))*float64(ix.n)
	cov, warning := e.covariance(ix)
	if warning != nil {
		c.Warnings = append(c.Warnings, warning)
	}
	var reversed, extreme []int
	small := false
	for k := range c.Items {
		f := &c.Items[k]
		total := 0
		for v, n := range t.count[k] {
			f.N += n
			total += v * n
		}
		if top := len(t.count[k]) - 1; top > 0 {
			f.Mean = float64(total) / float64(f.N*top)
		} else if f.N > 0 {
			f.Mean = 0
		}
		if t.cats[k] == 0 {
			if f.N > 0 && total > 0 {
				f.Mean = 1
			}
			continue
		}
		_, f.Fixed = e.opt.Anchors[k]
		e.item[k].describe(f, cov[k])
		small = small || f.N < 200 && !f.Fixed
		if f.A < 0 {
			reversed = append(reversed, k)
		}
		if math.Abs(f.A) >= maxSlope {
			extreme = append(extreme, k)
		}
	}
	if small {
		c.Warnings = append(c.Warnings, ErrSmallSample)
	}
	for _, w := range []*ItemWarning{{Reversed, reversed}, {Extreme, extreme}} {
		if len(w.Items) > 0 {
			c.Warnings = append(c.Warnings, w)
		}
	}

	mean, sd := e.people()
	c.Theta, c.SE = make([]float64, len(people)), make([]float64, len(people))
	var sum, square, inner float64
	for i, at := range t.of {
		if at < 0 {
			g := 0
			if e.opt.Group != nil {
				g = e.opt.Group[i]
			}
			c.Theta[i], c.SE[i] = e.pop[g].Mean, e.pop[g].SD
			continue
		}
		c.Theta[i], c.SE[i] = mean[at], sd[at]
		sum, square, inner = sum+mean[at], square+mean[at]*mean[at], inner+sd[at]*sd[at]
	}
	n := float64(t.persons)
	if outer := square/n - sum/n*sum/n; outer > 0 {
		c.Reliability = outer / (outer + inner/n)
	}
	e.fitItems(c, t)
	return c
}
