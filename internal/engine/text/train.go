package text

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"slices"

	blasgo "gonum.org/v1/gonum/blas/gonum"
)

// rows are texts as the numbers of their n-grams.
type rows struct {
	start []int32 // of each text in at; one more than texts
	at    []int32
	x     []float32 // weight of each, the squares of a text's summing to 1
	label []int32
}

func (d *rows) n() int { return len(d.label) }

func (d *rows) row(i int) ([]int32, []float32) {
	a, b := d.start[i], d.start[i+1]
	return d.at[a:b], d.x[a:b]
}

// Train trains a classifier of texts by their labels. It is fitted twice: on
// all but a held-out part, drawn label by label, to find the temperature that
// makes its probabilities right there, the kind of gain between two labels, and
// the figures of its card; then on all of them. The same texts, labels and recipe give the same classifier.
func Train(texts, labels []string, r Recipe) (*Linear, error) {
	names, number, err := classes(texts, labels)
	if err != nil {
		return nil, err
	}
	r = r.chosen(len(names))
	if r.Drop < 0 || r.Drop >= 1 || r.HeldOut <= 0 || r.HeldOut > 0.5 || r.L2 < 0 || r.Rate <= 0 || r.Epochs < 1 ||
		r.Gain == NB && len(names) != 2 || r.Grams.Words < 1 || r.Grams.MaxChars > 0 && r.Grams.MinChars < 1 {
		return nil, ErrRecipe
	}
	train, held := hold(number, len(names), r.HeldOut, r.Seed)
	var first *Linear
	var card Card
	for _, gain := range r.Gain.orEither(len(names)) {
		try := r
		try.Gain = gain
		m := fit(pick(texts, train), pick(number, train), names, try)
		if c := m.tune(pick(texts, held), pick(number, held)); first == nil || c.Accuracy > card.Accuracy {
			first, card = m, c
		}
	}
	r = first.Recipe
	m := fit(texts, number, names, r)
	m.scope = first.scope
	card.Grams, card.Dropped = m.Card.Grams, m.Card.Dropped
	m.Card = card
	m.Card.Texts, m.Card.DataHash = len(texts), hash(texts, labels)
	if rarest(number, len(names)) < 10 {
		m.Warnings = append(m.Warnings, ErrFewTexts)
	}
	return m, nil
}

// chosen fills in what was left open, by what did best on held-out parts of
// BANKING77, CLINC150, ChnSentiCorp and SST-2.
func (r Recipe) chosen(classes int) Recipe {
	two := classes == 2
	if r.Grams == (Grams{}) {
		r.Grams = Grams{Words: 2, MinChars: 2, MaxChars: 4}
		if two {
			r.Grams = Grams{Words: 4, MinChars: 3, MaxChars: 5}
		}
	}
	r.Grams.Simplify = r.Grams.Simplify || r.Simplify
	set := func(p *float64, many, few float64) {
		if *p == 0 {
			if *p = many; two {
				*p = few
			}
		}
	}
	set(&r.L2, 1e-5, 3e-6)
	set(&r.Rate, 2, 0.2)
	set(&r.Drop, 0.5, 0.5)
	set(&r.HeldOut, 0.1, 0.1)
	if r.MinDF == 0 {
		if r.MinDF = 1; two {
			r.MinDF = 2
		}
	}
	if r.Epochs == 0 {
		if r.Epochs = 15; two {
			r.Epochs = 10
		}
	}
	if r.MaxSize == 0 {
		r.MaxSize = 8_000_000
	}
	return r
}

// orEither is what to try where nothing was asked for: between two labels
// neither kind is always better, and the held-out part decides.
func (g Gain) orEither(classes int) []Gain {
	switch {
	case g != "":
		return []Gain{g}
	case classes == 2:
		return []Gain{NB, IDF}
	}
	return []Gain{IDF}
}

func pick[T any](of []T, at []int) []T {
	out := make([]T, len(at))
	for i, k := range at {
		out[i] = of[k]
	}
	return out
}

// classes numbers the labels.
func classes(texts, labels []string) (names []string, number []int32, err error) {
	if len(texts) != len(labels) {
		return nil, nil, ErrNoTexts
	}
	names = slices.Compact(slices.Sorted(slices.Values(labels)))
	number = make([]int32, len(labels))
	for i, l := range labels {
		at, _ := slices.BinarySearch(names, l)
		number[i] = int32(at)
	}
	if len(names) < 2 || rarest(number, len(names)) < 2 {
		return nil, nil, ErrNoTexts
	}
	return names, number, nil
}

func rarest(number []int32, classes int) int {
	n := make([]int, classes)
	for _, c := range number {
		n[c]++
	}
	return slices.Min(n)
}

// hold draws the same share of every label, at least one text and never all.
func hold(number []int32, classes int, share float64, seed uint64) (train, held []int) {
	rng := rand.New(rand.NewPCG(seed, 1))
	of := make([][]int, classes)
	for i, c := range number {
		of[c] = append(of[c], i)
	}
	for _, at := range of {
		rng.Shuffle(len(at), func(i, j int) { at[i], at[j] = at[j], at[i] })
		k := max(1, int(math.Round(share*float64(len(at)))))
		held, train = append(held, at[:k]...), append(train, at[k:]...)
	}
	slices.Sort(train)
	slices.Sort(held)
	return train, held
}

// hash is the SHA-256 of texts and labels, each ended by a zero byte.
func hash(texts, labels []string) string {
	h := sha256.New()
	for i := range texts {
		h.Write([]byte(texts[i] + "\x00" + labels[i] + "\x00"))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// fit learns the weights.
func fit(texts []string, number []int32, names []string, r Recipe) *Linear {
	words, df := grams(texts, r.Grams, r.MinDF)
	d := vectors(texts, number, r.Grams, &words)
	gain := gains(d, df, len(names), r.Gain)
	d.weigh(gain)
	w, bias := descend(d, len(words.hash), len(names), r)
	return pack(words, gain, df, w, bias, names, r)
}

// grams returns the n-grams that enough texts hold, and how many do.
func grams(texts []string, g Grams, min int) (vocabulary, []int32) {
	type count struct{ texts, last int32 }
	counts := map[uint32]count{}
	var order []uint32 // as they first appear, so that a map's order reaches nothing
	var c cutter
	for i, s := range texts {
		for _, g := range c.cut(s, g) {
			k, ok := counts[g.hash]
			if !ok {
				order = append(order, g.hash)
			}
			if k.last != int32(i+1) {
				counts[g.hash] = count{k.texts + 1, int32(i + 1)}
			}
		}
	}
	var hashes []uint32
	var df []int32
	for _, h := range order {
		if n := counts[h].texts; int(n) >= min {
			hashes, df = append(hashes, h), append(df, n)
		}
	}
	return newVocabulary(hashes), df
}

func vectors(texts []string, number []int32, g Grams, words *vocabulary) *rows {
	d := &rows{label: number, start: make([]int32, 1, len(texts)+1)}
	seen := make([]int32, len(words.hash))
	var c cutter
	for i, s := range texts {
		for _, g := range c.cut(s, g) {
			if f := words.find(g.hash); f >= 0 && seen[f] != int32(i+1) {
				seen[f] = int32(i + 1)
				d.at = append(d.at, f)
			}
		}
		d.start = append(d.start, int32(len(d.at)))
	}
	return d
}

// gains weighs n-grams by how much their presence can tell.
func gains(d *rows, df []int32, classes int, kind Gain) []float32 {
	out := make([]float32, len(df))
	if kind == NB {
		in := make([][2]float64, len(df))
		var texts [2]float64
		for i, c := range d.label {
			texts[c]++
			for _, f := range d.at[d.start[i]:d.start[i+1]] {
				in[f][c]++
			}
		}
		for f, n := range in {
			out[f] = float32(math.Abs(math.Log((n[0] + 1) / (texts[0] + 2) / ((n[1] + 1) / (texts[1] + 2)))))
		}
		return out
	}
	for f, n := range df {
		out[f] = float32(1 + math.Log(float64(d.n()+1)/float64(n+1)))
	}
	return out
}

func (d *rows) weigh(gain []float32) {
	d.x = make([]float32, len(d.at))
	for i := range d.n() {
		at, x := d.row(i)
		squares := float32(0)
		for j, f := range at {
			x[j] = gain[f]
			squares += x[j] * x[j]
		}
		if squares == 0 {
			continue
		}
		norm := float32(math.Sqrt(float64(squares)))
		for j := range x {
			x[j] /= norm
		}
	}
}

// descend minimises the cross entropy by stochastic gradient descent, a text at
// a time, with AdaGrad's steps (Duchi et al. 2011) shared by an n-gram's
// classes, n-grams dropped at random, and the L2 penalty paid by the n-grams of
// the text, as much more as they are rarer. The weight of n-gram f for class c
// is w[f·classes+c].
func descend(d *rows, grams, classes int, r Recipe) (w, bias []float32) {
	var blas blasgo.Implementation
	rng := rand.New(rand.NewPCG(r.Seed, 2))
	w, bias = make([]float32, grams*classes), make([]float32, classes)
	squares, biasSquares := make([]float32, grams), float32(1) // of gradients so far
	decay := make([]float32, grams)
	for _, f := range d.at {
		decay[f]++
	}
	for f := range decay {
		squares[f] = 0.01
		decay[f] = float32(r.L2) * float32(d.n()) / decay[f]
	}
	rate := float32(r.Rate)
	drop, keep := uint32(r.Drop*math.MaxUint32), float32(1/(1-r.Drop))
	order := rng.Perm(d.n())
	z := make([]float32, classes)
	var at []int32
	var x []float32
	for range r.Epochs {
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, i := range order {
			all, weights := d.row(i)
			at, x = at[:0], x[:0]
			for j, f := range all {
				if rng.Uint32() >= drop {
					at, x = append(at, f), append(x, weights[j]*keep)
				}
			}
			copy(z, bias)
			for j, f := range at {
				blas.Saxpy(classes, x[j], w[int(f)*classes:], 1, z, 1)
			}
			softmax(z)
			z[d.label[i]]--
			g := float32(0)
			for _, e := range z {
				g += e * e
			}
			if g < 1e-6 {
				continue
			}
			biasSquares += g
			blas.Saxpy(classes, -rate/float32(math.Sqrt(float64(biasSquares))), z, 1, bias, 1)
			for j, f := range at {
				squares[f] += x[j] * x[j] * g
				step := rate / float32(math.Sqrt(float64(squares[f])))
				of := w[int(f)*classes : int(f+1)*classes]
				blas.Sscal(classes, max(0, 1-step*decay[f]), of, 1)
				blas.Saxpy(classes, -step*x[j], z, 1, of, 1)
			}
		}
	}
	return w, bias
}

func softmax(z []float32) {
	top, sum := slices.Max(z), float32(0)
	for c := range z {
		z[c] = float32(math.Exp(float64(z[c] - top)))
		sum += z[c]
	}
	for c := range z {
		z[c] /= sum
	}
}

// pack rounds the weights to 8 bits, and keeps of the n-grams as many as the
// size allows: those that can change scores most, by their greatest weight and
// how often they appear.
func pack(words vocabulary, gain []float32, df []int32, w, bias []float32, names []string, r Recipe) *Linear {
	classes := len(names)
	m := &Linear{Recipe: r, Labels: names, bias: bias, lanes: (classes + 7) / 8}
	m.Card.Temperature = 1
	top := make([]float32, len(gain)) // greatest weight of each n-gram
	for f := range gain {
		for c := range classes {
			i := f*classes + c
			w[i] *= gain[f]
			top[f] = max(top[f], w[i], -w[i])
		}
	}
	keep := make([]int32, len(gain))
	for f := range keep {
		keep[f] = int32(f)
	}
	if most := r.MaxSize / (classes + 8); len(keep) > most {
		worth := func(f int32) float64 { return float64(top[f]) * math.Sqrt(float64(df[f])) }
		slices.SortStableFunc(keep, func(a, b int32) int {
			switch x, y := worth(a), worth(b); {
			case x > y:
				return -1
			case x < y:
				return 1
			}
			return 0
		})
		keep = keep[:most]
		slices.Sort(keep)
	}
	m.Card.Grams, m.Card.Dropped = len(keep), len(gain)-len(keep)
	// The step that a few heavy weights would force on all is spared by
	// cutting them off: one in 10,000 n-grams.
	tops := slices.Sorted(slices.Values(pickAt(top, keep)))
	m.step = 1
	if len(tops) > 0 {
		m.step = max(tops[len(tops)-1-len(tops)/10_000], 1e-6) / 127
	}
	hashes := make([]uint32, len(keep))
	m.gain2, m.cells = make([]float32, len(keep)), make([]uint64, len(keep)*m.lanes)
	for k, f := range keep {
		hashes[k] = words.hash[f]
		m.gain2[k] = gain[f] * gain[f]
		for c := range m.lanes * 8 {
			q := byte(128)
			if c < classes {
				q = byte(128 + max(-127, min(127, math.Round(float64(w[int(f)*classes+c]/m.step)))))
			}
			m.cells[k*m.lanes+c/8] |= uint64(q) << (8 * (c % 8))
		}
	}
	m.words = newVocabulary(hashes)
	return m
}

func pickAt(of []float32, at []int32) []float32 {
	out := make([]float32, len(at))
	for i, k := range at {
		out[i] = of[k]
	}
	return out
}

// tune finds the temperature at which the held-out labels are likeliest, and
// says how well they were foretold.
func (m *Linear) tune(texts []string, number []int32) (card Card) {
	r := m.NewReader()
	tops, known := make([]float64, len(texts)), make([]float64, len(texts))
	scores := make([][]float32, len(texts))
	got := make([]int32, len(texts))
	for i, s := range texts {
		known[i] = r.sum(s)
		scores[i] = slices.Clone(r.score[:len(m.Labels)])
		tops[i] = float64(slices.Max(scores[i]))
		for c, z := range scores[i] {
			if z > scores[i][got[i]] {
				got[i] = int32(c)
			}
		}
	}
	loss := func(t float64) (sum float64) {
		for i, z := range scores {
			top, total := float64(slices.Max(z)), 0.0
			for _, s := range z {
				total += math.Exp((float64(s) - top) / t)
			}
			sum += math.Log(total) - (float64(z[number[i]])-top)/t
		}
		return sum
	}
	lo, hi := math.Log(0.05), math.Log(20) // the loss has one minimum in 1/t
	for range 40 {
		a, b := lo+(hi-lo)*0.382, lo+(hi-lo)*0.618
		if loss(math.Exp(a)) < loss(math.Exp(b)) {
			hi = b
		} else {
			lo = a
		}
	}
	m.Card.Temperature = math.Exp((lo + hi) / 2)
	probability, right := make([]float64, len(texts)), make([]bool, len(texts))
	for i, s := range texts {
		p := r.Classify(s)
		probability[i], right[i] = p.Probability[p.Label], int32(p.Label) == number[i]
	}
	m.scope = newScope(tops, known)
	return Card{
		HeldOut: len(texts), Temperature: m.Card.Temperature,
		Accuracy: Accuracy(number, got), MacroF1: MacroF1(number, got), ECE: CalibrationError(probability, right),
	}
}
