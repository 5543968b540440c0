package text

import (
	"errors"
	"math"
	"slices"
)

// Linear classifies texts by a multinomial logistic regression on which
// n-grams they hold. It is trained by Train or read by ReadLinear, and never
// changed after that: any number of goroutines may use it, each by a Reader of
// its own.
//
// A text's n-grams count by being there, weighted by how much they can tell,
// the sum of squares scaled to 1. Weights are kept as 8-bit numbers.
type Linear struct {
	Recipe Recipe
	Labels []string // in order of their code points
	Card   Card

	Warnings []error // of the training; not kept in the file

	words vocabulary
	gain2 []float32 // square of each n-gram's gain
	lanes int       // 8 classes each
	cells []uint64  // weight × gain of each n-gram: lanes of 8 bytes, a byte per class, 128 for 0
	step  float32   // what 1 in a cell is worth
	bias  []float32
	scope scope
}

// Recipe says how a classifier is trained. Zero values are chosen by Train.
type Recipe struct {
	Grams    Grams   `json:"grams"`
	Gain     Gain    `json:"gain"`
	MinDF    int     `json:"min_df"` // texts that an n-gram must appear in
	L2       float64 `json:"l2"`     // penalty on squared weights, per text
	Rate     float64 `json:"rate"`   // first step of AdaGrad
	Drop     float64 `json:"drop"`   // share of a text's n-grams left out of each step, in [0,1)
	Epochs   int     `json:"epochs"`
	Simplify bool    `json:"simplify,omitzero"` // read traditional characters as simplified ones
	HeldOut  float64 `json:"held_out"`          // share of the texts that the temperature is fitted on
	MaxSize  int     `json:"max_bytes"`         // of the weights, before compression
	Seed     uint64  `json:"seed"`
}

// Gain is how an n-gram's presence is weighted.
type Gain string

const (
	IDF Gain = "idf" // 1 + log inverse document frequency
	NB  Gain = "nb"  // |log ratio of its frequencies in two classes| (Wang & Manning 2012)
)

// Card says what a classifier was trained on and how well it did.
type Card struct {
	Texts       int     `json:"texts"`
	DataHash    string  `json:"data_sha256"` // of the texts and labels in order
	HeldOut     int     `json:"held_out"`    // texts not trained on in the first of two fits; the figures below are theirs
	Accuracy    float64 `json:"accuracy"`
	MacroF1     float64 `json:"macro_f1"`
	Temperature float64 `json:"temperature"`       // by which scores are divided (Guo et al. 2017)
	ECE         float64 `json:"calibration_error"` // expected, over 10 bins, at that temperature
	Grams       int     `json:"grams"`
	Dropped     int     `json:"grams_dropped"` // left out to fit the size
}

// Errors and warnings.
var (
	ErrNoTexts  = errors.New("text: a classifier needs two texts of each of two labels or more")
	ErrModel    = errors.New("text: not a classifier of this program's")
	ErrRecipe   = errors.New("text: a recipe out of range")
	ErrFewTexts = errors.New("text: some labels have under 10 texts; their probabilities are rough")
)

// Reader classifies texts one after another by one classifier.
type Reader struct {
	m     *Linear
	cut   cutter
	seen  []uint32 // by n-gram: the last text that held it
	text  uint32
	found []int32
	sums  []uint64  // of even and odd bytes, by turns
	score []float32 // by class
}

// NewReader returns a reader of texts.
func (m *Linear) NewReader() *Reader {
	return &Reader{m: m, seen: make([]uint32, len(m.words.hash)), sums: make([]uint64, 2*m.lanes), score: make([]float32, 8*m.lanes)}
}

// Prediction is what a classifier says of a text.
type Prediction struct {
	Label       int       // number of the likeliest label
	Probability []float64 // of each label; they sum to 1
	OutOfScope  float64   // in [0,1]: 0.5 is stranger than 19 of 20 held-out texts were; no probability
}

// Classify classifies a text. A text of no known n-gram gets the labels'
// probabilities at an empty text, and an OutOfScope of 1.
func (r *Reader) Classify(s string) Prediction {
	known := r.sum(s)
	m := r.m
	p := Prediction{Probability: make([]float64, len(m.Labels))}
	top, sum := slices.Max(r.score[:len(m.Labels)]), 0.0
	for c := range p.Probability {
		e := math.Exp(float64(r.score[c]-top) / m.Card.Temperature)
		p.Probability[c] = e
		sum += e
		if r.score[c] > r.score[p.Label] {
			p.Label = c
		}
	}
	for c := range p.Probability {
		p.Probability[c] /= sum
	}
	p.OutOfScope = m.scope.of(float64(top), known)
	return p
}

// Label returns the number of the likeliest label, at less cost.
func (r *Reader) Label(s string) int {
	r.sum(s)
	best := 0
	for c := range r.m.Labels {
		if r.score[c] > r.score[best] {
			best = c
		}
	}
	return best
}

// sum leaves the scores in r.score, and returns the share of the text's
// n-grams that are known.
//
// Bytes are added eight at a time, the even ones in the 16-bit lanes of one
// word and the odd ones in another's; a lane holds 257 of them.
func (r *Reader) sum(s string) float64 {
	m := r.m
	if r.text++; r.text == 0 { // wrapped around
		clear(r.seen)
		r.text = 1
	}
	grams := r.cut.cut(s, m.Recipe.Grams)
	r.found = r.found[:0]
	norm, hits := float32(0), 0
	for _, g := range grams {
		f := m.words.find(g.hash)
		if f < 0 {
			continue
		}
		hits++
		if r.seen[f] != r.text {
			r.seen[f] = r.text
			norm += m.gain2[f]
			r.found = append(r.found, f)
		}
	}
	clear(r.score)
	const even = 0x00ff00ff00ff00ff
	for from := 0; from < len(r.found); from += 257 {
		part := r.found[from:min(from+257, len(r.found))]
		clear(r.sums)
		for _, f := range part {
			cells := m.cells[int(f)*m.lanes : int(f)*m.lanes+m.lanes]
			sums := r.sums[:2*len(cells)]
			for l, c := range cells {
				sums[2*l] += c & even
				sums[2*l+1] += c >> 8 & even
			}
		}
		zero := float32(128 * len(part))
		for l, w := range r.sums {
			at := r.score[l/2*8+l%2:]
			for k := 0; k < 4; k++ {
				at[2*k] += float32(w>>(16*k)&0xffff) - zero
			}
		}
	}
	scale := float32(0)
	if norm > 0 {
		scale = m.step / float32(math.Sqrt(float64(norm)))
	}
	for c, b := range m.bias {
		r.score[c] = b + r.score[c]*scale
	}
	return float64(hits) / float64(max(len(grams), 1))
}

// Reason is a stretch of a text that speaks for or against a label.
type Reason struct {
	Span
	Weight float64 // what it adds to the label's score above the mean of all labels, logits before the temperature
}

// Reasons returns the stretches of s that weigh most for or against a label,
// the heaviest first, at most n. N-grams within a word are summed into the
// word; each is counted where the text first holds it.
func (r *Reader) Reasons(s string, label, n int) []Reason {
	r.sum(s)
	m := r.m
	norm := float32(0)
	for _, f := range r.found {
		norm += m.gain2[f]
	}
	if norm == 0 {
		return nil
	}
	scale := float64(m.step) / math.Sqrt(float64(norm))
	r.text++
	at := map[Span]float64{}
	for _, g := range r.cut.cut(s, m.Recipe.Grams) {
		f := m.words.find(g.hash)
		if f < 0 || r.seen[f] == r.text {
			continue
		}
		r.seen[f] = r.text
		mean := 0.0
		for c := range m.Labels {
			mean += float64(m.cell(f, c))
		}
		at[r.cut.whole(g)] += (float64(m.cell(f, label)) - mean/float64(len(m.Labels))) * scale
	}
	out := make([]Reason, 0, len(at))
	for p, w := range at {
		out = append(out, Reason{p, w})
	}
	slices.SortFunc(out, func(a, b Reason) int {
		switch x, y := math.Abs(a.Weight), math.Abs(b.Weight); {
		case x > y:
			return -1
		case x < y:
			return 1
		case a.Start != b.Start:
			return a.Start - b.Start
		}
		return a.End - b.End
	})
	return out[:min(n, len(out))]
}

// cell is the weight of an n-gram for a class, in steps.
func (m *Linear) cell(f int32, class int) int {
	return int(byte(m.cells[int(f)*m.lanes+class/8]>>(8*(class%8)))) - 128
}

// scope tells texts like those learned from others, by the greatest score and
// the share of n-grams that are known: of a text unlike them few n-grams are
// known, and those speak for no label together. A softmax hides that, for its
// probabilities sum to 1 whatever the scores.
type scope struct {
	TopMean, TopSD     float64 // of held-out texts' greatest scores
	KnownMean, KnownSD float64 // of the shares of their n-grams that are known
	Low, SD            float64 // 5th percentile of the two added up, standardised, and their standard deviation
}

// of is 0.5 for a text that is stranger than 19 of 20 held-out ones.
func (s scope) of(top, known float64) float64 {
	if known == 0 {
		return 1
	}
	return 1 / (1 + math.Exp((s.sum(top, known)-s.Low)/s.SD*2))
}

func (s scope) sum(top, known float64) float64 {
	return (top-s.TopMean)/s.TopSD + knownShare*(known-s.KnownMean)/s.KnownSD
}

// knownShare is what a standard deviation of known n-grams counts against one
// of the greatest score: AUROC on CLINC150's validation texts is .964 without,
// .970 at one half and .962 at 1; the greatest probability's is .943.
const knownShare = 0.5

func newScope(top, known []float64) (s scope) {
	s.TopMean, s.TopSD = moments(top)
	s.KnownMean, s.KnownSD = moments(known)
	sums := make([]float64, len(top))
	for i := range sums {
		sums[i] = s.sum(top[i], known[i])
	}
	_, s.SD = moments(sums)
	slices.Sort(sums)
	s.Low = sums[len(sums)/20]
	return s
}

// moments are the mean and standard deviation, the latter above 0.
func moments(of []float64) (mean, sd float64) {
	for _, v := range of {
		mean += v / float64(len(of))
	}
	for _, v := range of {
		sd += (v - mean) * (v - mean) / float64(len(of))
	}
	return mean, max(math.Sqrt(sd), 1e-6)
}
