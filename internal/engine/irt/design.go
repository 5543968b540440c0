package irt

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// AliasError says that columns of the covariates carry nothing of their own:
// among the people with answers they are sums of the columns before them. As
// a warning it means that the columns were dropped, which changes no fitted
// value; as an error, that an occasion has no answers to estimate them from,
// such as a group that never sat the second test.
type AliasError struct {
	Occasion string // "before", "after", or "" for both
	Columns  []string
}

func (e *AliasError) Error() string {
	if e.Occasion == "" {
		return "irt: aliased covariates were dropped: " + strings.Join(e.Columns, ", ")
	}
	return fmt.Sprintf("irt: no answers %s to estimate covariates from: %s", e.Occasion, strings.Join(e.Columns, ", "))
}

// Errors and warnings of latent regressions.
var (
	ErrNoAnswers    = errors.New("irt: no usable answers")
	ErrNoBank       = errors.New("irt: the reference bank has no usable item")
	ErrTooFew       = errors.New("irt: no more people than covariates")
	ErrNotConverged = errors.New("irt: the fit did not converge")
	ErrCoarse       = errors.New("irt: the quadrature is coarse for answers this informative")
	ErrNoPairs      = errors.New("irt: nobody answered on both occasions; before and after were taken as independent")
)

// design is the matrix of covariates of a latent regression, without aliased
// columns.
type design struct {
	x     [][]float64 // a row per person, the kept columns
	kept  []int       // which columns they are
	width int         // columns given
	names []string    // a name per column given
}

// newDesign checks the covariates. Rows without x stand for an intercept alone.
func newDesign(x [][]float64, seen []bool, names []string) (*design, []error, error) {
	d := &design{}
	for _, row := range x {
		d.width = max(d.width, len(row))
	}
	if d.width == 0 {
		d.width = 1
		x = slices.Repeat([][]float64{{1}}, len(x))
		names = []string{"intercept"}
	}
	for j := range d.width {
		if j < len(names) {
			d.names = append(d.names, names[j])
		} else {
			d.names = append(d.names, fmt.Sprintf("x%d", j))
		}
	}
	for i, row := range x {
		if len(row) != d.width {
			return nil, nil, fmt.Errorf("irt: person %d has %d covariates, others %d", i, len(row), d.width)
		}
		for j, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, nil, fmt.Errorf("irt: person %d: covariate %s is not a number", i, d.names[j])
			}
		}
	}
	all := make([]int, d.width)
	for j := range all {
		all[j] = j
	}
	var aliased []int
	d.kept, aliased = independent(x, all, seen)
	d.x = make([][]float64, len(x))
	for i, row := range x {
		d.x[i] = make([]float64, len(d.kept))
		for j, k := range d.kept {
			d.x[i][j] = row[k]
		}
	}
	var warnings []error
	if len(aliased) > 0 {
		warnings = append(warnings, &AliasError{Columns: d.called(aliased)})
	}
	return d, warnings, nil
}

// check reports the columns that the rows seen on an occasion cannot tell apart.
func (d *design) check(occasion string, seen []bool) error {
	all := make([]int, len(d.kept))
	for j := range all {
		all[j] = j
	}
	_, aliased := independent(d.x, all, seen)
	if len(aliased) == 0 {
		return nil
	}
	for i, j := range aliased {
		aliased[i] = d.kept[j]
	}
	return &AliasError{occasion, d.called(aliased)}
}

// without returns the design less some of its kept columns.
func (d *design) without(drop []bool) *design {
	out := &design{width: d.width, names: d.names, x: make([][]float64, len(d.x))}
	for a, column := range d.kept {
		if !drop[a] {
			out.kept = append(out.kept, column)
		}
	}
	for i, row := range d.x {
		for a, v := range row {
			if !drop[a] {
				out.x[i] = append(out.x[i], v)
			}
		}
	}
	return out
}

func (d *design) called(columns []int) []string {
	var names []string
	for _, j := range columns {
		names = append(names, d.names[j])
	}
	return names
}

// spread puts the coefficients of the kept columns in the places of the
// columns given; a dropped column gets 0.
func (d *design) spread(kept []float64) []float64 {
	full := make([]float64, d.width)
	for j, k := range d.kept {
		full[k] = kept[j]
	}
	return full
}

func (d *design) predict(i int, coef []float64) float64 {
	sum := 0.0
	for j, v := range d.x[i] {
		sum += v * coef[j]
	}
	return sum
}

// independent splits the columns into those that are independent of the ones
// before them, among the rows seen, and the rest (modified Gram–Schmidt).
func independent(x [][]float64, columns []int, seen []bool) (kept, aliased []int) {
	var basis [][]float64
	for _, j := range columns {
		v := make([]float64, 0, len(x))
		for i, row := range x {
			if seen[i] {
				v = append(v, row[j])
			}
		}
		before := math.Sqrt(dot(v, v))
		for range 2 { // twice is enough for orthogonality to rounding
			for _, b := range basis {
				f := dot(b, v)
				for i := range v {
					v[i] -= f * b[i]
				}
			}
		}
		after := math.Sqrt(dot(v, v))
		if after <= 1e-7*before || after == 0 {
			aliased = append(aliased, j)
			continue
		}
		for i := range v {
			v[i] /= after
		}
		basis, kept = append(basis, v), append(kept, j)
	}
	return kept, aliased
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

// sheets holds people's answers with the items numbered, so that each item's
// probabilities are tabulated once.
type sheets struct {
	items  []Item
	people [][]int32 // item<<1, plus 1 when correct
	bad    int       // answers left out for want of usable parameters
}

func newSheets(people [][]Answer) *sheets {
	s := &sheets{people: make([][]int32, len(people))}
	number := map[Item]int32{}
	for i, answers := range people {
		row := make([]int32, 0, len(answers))
		for _, a := range answers {
			if !a.Item.Valid() {
				s.bad++
				continue
			}
			k, ok := number[a.Item]
			if !ok {
				k = int32(len(s.items))
				number[a.Item] = k
				s.items = append(s.items, a.Item)
			}
			code := k << 1
			if a.Correct {
				code |= 1
			}
			row = append(row, code)
		}
		s.people[i] = row
	}
	return s
}

// seen says of each person whether there are answers.
func (s *sheets) seen() []bool {
	seen := make([]bool, len(s.people))
	for i, row := range s.people {
		seen[i] = len(row) > 0
	}
	return seen
}

// information returns the most Fisher information (1/logit²) that any person's
// answers carry at any node.
func (s *sheets) information(nodes []float64) float64 {
	q := len(nodes)
	table := make([]float64, len(s.items)*q)
	for k, it := range s.items {
		for j, theta := range nodes {
			table[k*q+j] = it.Information(theta)
		}
	}
	most := 0.0
	sum := make([]float64, q)
	for _, row := range s.people {
		clear(sum)
		for _, code := range row {
			for j, v := range table[int(code>>1)*q:][:q] {
				sum[j] += v
			}
		}
		for _, v := range sum {
			most = math.Max(most, v)
		}
	}
	return most
}

// likelihoods returns each person's likelihood at the nodes, each row scaled to
// a maximum of 1, and the logarithm of what it was scaled by.
func (s *sheets) likelihoods(nodes []float64) (rows, top []float64) {
	q := len(nodes)
	table := make([]float64, 2*len(s.items)*q)
	for k, it := range s.items {
		for j, theta := range nodes {
			table[2*k*q+j] = Answer{it, false}.logP(theta)
			table[(2*k+1)*q+j] = Answer{it, true}.logP(theta)
		}
	}
	rows, top = make([]float64, len(s.people)*q), make([]float64, len(s.people))
	inChunks(len(s.people), func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			row := rows[i*q:][:q]
			for _, code := range s.people[i] {
				for j, v := range table[int(code)*q:][:q] {
					row[j] += v
				}
			}
			top[i] = slices.Max(row)
			for j, v := range row {
				row[j] = math.Exp(v - top[i])
			}
		}
	})
	return rows, top
}

// chunk is how many people are worked on together.
const chunk = 32

func chunks(n int) int { return (n + chunk - 1) / chunk }

// inChunks calls f for every chunk of n people, on all processors. Chunks are
// cut alike on every machine, so that sums taken chunk by chunk are too.
func inChunks(n int, f func(c, lo, hi int)) {
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), chunks(n)) {
		group.Go(func() {
			for {
				c := int(next.Add(1)) - 1
				if c >= chunks(n) {
					return
				}
				f(c, c*chunk, min((c+1)*chunk, n))
			}
		})
	}
	group.Wait()
}
