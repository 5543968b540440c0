package effect

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
)

// Node is a point of a Tree: a question, or a leaf if Left is 0.
type Node struct {
	Column  int     `json:"column,omitempty"`
	Split   float64 `json:"split,omitempty"`   // left if value ≤ Split
	Missing bool    `json:"missing,omitempty"` // left if there is no value
	Left    int     `json:"left,omitempty"`    // index of the node; 0: this is a leaf
	Right   int     `json:"right,omitempty"`
	Value   float64 `json:"value"` // log odds that the people here add, on average
}

// Tree is one of a boosted model; node 0 is the root.
type Tree struct {
	Nodes []Node `json:"nodes"`
}

// leaf returns the index of the leaf where a row ends.
func (t *Tree) leaf(row func(column int) float64) int {
	at := 0
	for t.Nodes[at].Left != 0 {
		at = t.Nodes[at].next(row(t.Nodes[at].Column))
	}
	return at
}

func (n *Node) next(x float64) int {
	if x <= n.Split || n.Missing && math.IsNaN(x) {
		return n.Left
	}
	return n.Right
}

const (
	bins       = 255 // of values; one more is for those missing
	noValue    = 255
	rowsPerOne = 100_000 // rows a tree is grown on at most
)

// boosting is what trees are grown from: columns cut into bins once (Ke et al.
// 2017), and the settings.
type boosting struct {
	columns [][]float64
	edges   [][]float64 // edges[j][b] is the greatest value of bin b
	code    [][]uint8
	o       RiskOptions
}

func newBoosting(columns [][]float64, o RiskOptions, rng *rand.Rand) *boosting {
	g := &boosting{columns: columns, o: o}
	for _, c := range columns {
		var sample []float64
		step := max(1, len(c)/100_000)
		for i := rng.IntN(step); i < len(c); i += step {
			if !math.IsNaN(c[i]) {
				sample = append(sample, c[i])
			}
		}
		slices.Sort(sample)
		distinct := slices.Compact(slices.Clone(sample))
		var edges []float64
		if len(distinct) <= bins {
			edges = distinct
		} else {
			for b := 1; b <= bins; b++ {
				edges = append(edges, sample[len(sample)*b/bins-1])
			}
			edges = slices.Compact(edges)
		}
		if len(edges) > 0 {
			edges[len(edges)-1] = math.Inf(1)
		}
		code := make([]uint8, len(c))
		for i, x := range c {
			if math.IsNaN(x) {
				code[i] = noValue
				continue
			}
			b, _ := slices.BinarySearch(edges, x)
			code[i] = uint8(b)
		}
		g.edges, g.code = append(g.edges, edges), append(g.code, code)
	}
	return g
}

// sums of gradient and second derivative.
type sums struct{ g, h float64 }

type histogram [][bins + 1]sums // by column

// part is a leaf that may still be split.
type part struct {
	node  int
	rows  []int32
	depth int
	total sums
	hist  histogram
}

// grow makes a tree on rows (a sample of them) that lowers the log loss at score
// to second order (Friedman 2001; Chen & Guestrin 2016). g and h are room for
// its derivatives.
func (b *boosting) grow(rows []int32, y, score, g, h []float64, rng *rand.Rand) Tree {
	take := min(int(math.Ceil(float64(len(rows))*b.o.Sample)), rowsPerOne)
	use := rows
	if take < len(rows) {
		use = make([]int32, 0, take)
		for i, r := range rows { // each subset of that size alike (Knuth's S)
			if rng.IntN(len(rows)-i) < take-len(use) {
				use = append(use, r)
			}
		}
	} else {
		use = slices.Clone(rows)
	}
	for _, r := range use {
		p := sigmoid(score[r])
		g[r], h[r] = p-y[r], p*(1-p)
	}
	t := Tree{Nodes: []Node{{}}}
	root := part{rows: use, hist: b.histogram(use, g, h)}
	for _, r := range use {
		root.total.g += g[r]
		root.total.h += h[r]
	}
	todo := []part{root}
	for len(todo) > 0 {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		t.Nodes[p.node].Value = -b.o.Rate * p.total.g / (p.total.h + b.o.Ridge)
		if p.depth == b.o.Depth {
			continue
		}
		column, bin, missing, left, ok := b.split(p)
		if !ok {
			continue
		}
		edge := b.edges[column][bin]
		if math.IsInf(edge, 1) {
			edge = math.MaxFloat64 // values against none; JSON has no infinity
		}
		n := len(t.Nodes)
		t.Nodes[p.node].Column, t.Nodes[p.node].Split, t.Nodes[p.node].Missing = column, edge, missing
		t.Nodes[p.node].Left, t.Nodes[p.node].Right = n, n+1
		t.Nodes = append(t.Nodes, Node{}, Node{})
		code := b.code[column]
		mid := 0
		for i, r := range p.rows {
			if c := code[r]; c != noValue && int(c) <= bin || c == noValue && missing {
				p.rows[i], p.rows[mid] = p.rows[mid], r
				mid++
			}
		}
		l := part{node: n, rows: p.rows[:mid], depth: p.depth + 1, total: left}
		r := part{node: n + 1, rows: p.rows[mid:], depth: p.depth + 1, total: sums{p.total.g - left.g, p.total.h - left.h}}
		if l.depth < b.o.Depth {
			// The smaller side is counted, the larger is what it leaves.
			small, large := &l, &r
			if len(l.rows) > len(r.rows) {
				small, large = &r, &l
			}
			small.hist = b.histogram(small.rows, g, h)
			large.hist = p.hist
			for j := range large.hist {
				for k := range large.hist[j] {
					large.hist[j][k].g -= small.hist[j][k].g
					large.hist[j][k].h -= small.hist[j][k].h
				}
			}
		}
		todo = append(todo, l, r)
	}
	return t
}

func (b *boosting) histogram(rows []int32, g, h []float64) histogram {
	hist := make(histogram, len(b.code))
	count := func(from, to int) {
		for j := from; j < to; j++ {
			at, code := &hist[j], b.code[j]
			for _, r := range rows {
				s := &at[code[r]]
				s.g += g[r]
				s.h += h[r]
			}
		}
	}
	if len(rows) < 5000 {
		count(0, len(b.code))
		return hist
	}
	var two sync.WaitGroup // columns are apart, so the sums do not depend on who is first
	half := len(b.code) / 2
	two.Go(func() { count(0, half) })
	count(half, len(b.code))
	two.Wait()
	return hist
}

// split finds the question that lowers the loss most.
func (b *boosting) split(p part) (column, bin int, missing bool, left sums, ok bool) {
	worth := func(s sums) float64 { return s.g * s.g / (s.h + b.o.Ridge) }
	best := worth(p.total) + 1e-9*math.Abs(p.total.g) + 1e-12
	for j := range p.hist {
		none := p.hist[j][noValue]
		var s sums
		for k := range b.edges[j] {
			s.g += p.hist[j][k].g
			s.h += p.hist[j][k].h
			if k == len(b.edges[j])-1 && none.h < b.o.MinWeight {
				break
			}
			for _, with := range []bool{false, true} {
				l := s
				if with {
					l.g, l.h = l.g+none.g, l.h+none.h
				}
				r := sums{p.total.g - l.g, p.total.h - l.h}
				if l.h < b.o.MinWeight || r.h < b.o.MinWeight {
					continue
				}
				if w := worth(l) + worth(r); w > best {
					best, column, bin, missing, left, ok = w, j, k, with, l, true
				}
				if none.h == 0 {
					break
				}
			}
		}
	}
	return
}

// boost grows trees on rows and returns them with, if test is not empty, the
// mean log loss on test after each. score holds each row's log odds, and is
// left as after the last tree.
func (b *boosting) boost(y []float64, rows, test []int32, trees int, base float64, rng *rand.Rand) (grown []Tree, loss, score []float64) {
	n := len(y)
	score = make([]float64, n)
	g, h := make([]float64, n), make([]float64, n)
	for i := range score {
		score[i] = base
	}
	patience, least, at := 30, math.Inf(1), 0
	for k := range trees {
		t := b.grow(rows, y, score, g, h, rng)
		grown = append(grown, t)
		b.add(&t, score)
		if len(test) > 0 {
			sum := 0.0
			for _, r := range test {
				// log(1 + e^x) − y·x, without overflow
				x := score[r]
				sum += max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) - y[r]*x
			}
			loss = append(loss, sum/float64(len(test)))
			if loss[k] < least {
				least, at = loss[k], k
			} else if k-at >= patience {
				break
			}
		}
	}
	return grown, loss, score
}

// add adds a tree to every row's score.
func (b *boosting) add(t *Tree, score []float64) {
	run := func(from, to int) {
		for i := from; i < to; i++ {
			at := 0
			for t.Nodes[at].Left != 0 {
				at = t.Nodes[at].next(b.columns[t.Nodes[at].Column][i])
			}
			score[i] += t.Nodes[at].Value
		}
	}
	var two sync.WaitGroup
	half := len(score) / 2
	two.Go(func() { run(0, half) })
	run(half, len(score))
	two.Wait()
}
