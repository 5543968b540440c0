package text

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// made are texts of three topics, each of words of its own and of words that
// all share, in both languages.
func made(n int, seed uint64) (texts, labels []string) {
	topics := []struct {
		label string
		words []string
	}{
		{"refund", []string{"refund", "money back", "return", "退货", "退款", "refunded"}},
		{"delivery", []string{"late", "parcel", "courier", "快递", "物流", "shipping"}},
		{"praise", []string{"great", "thanks", "love it", "很好", "满意", "喜欢"}},
	}
	common := []string{"the", "order", "my", "please", "今天", "我的", "店员", "about", "这个", "ordered"}
	rng := rand.New(rand.NewPCG(seed, 9))
	for range n {
		t := topics[rng.IntN(len(topics))]
		words := []string{t.words[rng.IntN(len(t.words))]}
		for range 2 + rng.IntN(5) {
			words = append(words, common[rng.IntN(len(common))])
		}
		rng.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
		texts, labels = append(texts, strings.Join(words, " ")), append(labels, t.label)
	}
	return texts, labels
}

func trained(t testing.TB) *Linear {
	texts, labels := made(600, 1)
	m, err := Train(texts, labels, Recipe{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestLinear(t *testing.T) {
	m := trained(t)
	r := m.NewReader()
	texts, want := made(300, 2)
	var got []string
	for _, s := range texts {
		p := r.Classify(s)
		sum := 0.0
		for _, q := range p.Probability {
			sum += q
		}
		if math.Abs(sum-1) > 1e-9 || p.Label != r.Label(s) {
			t.Fatalf("%q: %+v, sum %g, Label %d", s, p, sum, r.Label(s))
		}
		got = append(got, m.Labels[p.Label])
	}
	if a := Accuracy(want, got); a < 0.99 {
		t.Errorf("accuracy = %.3f on topics that no word is shared between", a)
	}
	if m.Card.Texts != 600 || m.Card.HeldOut < 57 || m.Card.HeldOut > 63 || len(m.Card.DataHash) != 64 {
		t.Errorf("card = %+v", m.Card)
	}

	in, out := r.Classify("please refund my order").OutOfScope, r.Classify("quantum chromodynamics lecture").OutOfScope
	if in > 0.6 || out < 0.8 || r.Classify("").OutOfScope != 1 {
		t.Errorf("out of scope: %.2f for a text like those learned, %.2f for another", in, out)
	}

	s := "今天 Refund 我的 order"
	refund := slices.Index(m.Labels, "refund")
	why := r.Reasons(s, refund, 3)
	if len(why) != 3 || why[0].Of(s) != "Refund" || why[0].Weight <= 0 {
		t.Errorf("reasons = %v, the first %q", why, why[0].Of(s))
	}
}

// Reasons are all of what a text adds to a score: with as many as there are,
// they sum to the score less the mean score, biases aside.
func TestReasonsAddUp(t *testing.T) {
	m := trained(t)
	r := m.NewReader()
	s := "please return my parcel, 退款 退款"
	for c := range m.Labels {
		sum := 0.0
		for _, w := range r.Reasons(s, c, 1000) {
			sum += w.Weight
		}
		r.sum(s)
		mean := 0.0
		for k, z := range r.score[:len(m.Labels)] {
			mean += float64(z-m.bias[k]) / float64(len(m.Labels))
		}
		if want := float64(r.score[c]-m.bias[c]) - mean; math.Abs(sum-want) > 1e-4 {
			t.Errorf("%s: reasons sum to %.5f, score %.5f", m.Labels[c], sum, want)
		}
	}
}

// The sums of bytes in 16-bit lanes agree with one weight added at a time, also
// past the 257 that a lane holds, and over more classes than one word has.
func TestLanes(t *testing.T) {
	const grams, classes = 700, 11
	rng := rand.New(rand.NewPCG(3, 3))
	m := &Linear{Recipe: Recipe{Grams: Grams{Words: 1}}, lanes: 2, step: 1, bias: make([]float32, classes), Labels: make([]string, classes)}
	var words []string
	var hashes []uint32
	var c cutter
	for i := range grams {
		words = append(words, fmt.Sprintf("w%d", i))
		hashes = append(hashes, c.cut(words[i], m.Recipe.Grams)[0].hash)
	}
	m.words, m.gain2 = newVocabulary(hashes), slices.Repeat([]float32{1}, grams)
	var want [classes]float64
	for f := range grams {
		m.cells = append(m.cells, rng.Uint64(), rng.Uint64())
		for k := range classes {
			want[k] += float64(m.cell(int32(f), k)) / math.Sqrt(grams)
		}
	}
	r := m.NewReader()
	r.sum(strings.Join(words, " "))
	for k := range classes {
		if math.Abs(float64(r.score[k])-want[k]) > 1e-2 {
			t.Errorf("class %d: %.3f, want %.3f", k, r.score[k], want[k])
		}
	}
}

func TestLinearFile(t *testing.T) {
	m := trained(t)
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	back, err := ReadLinear(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	texts, _ := made(50, 4)
	r, q := m.NewReader(), back.NewReader()
	for _, s := range texts {
		if a, b := r.Classify(s), q.Classify(s); a.OutOfScope != b.OutOfScope || !slices.Equal(a.Probability, b.Probability) {
			t.Fatalf("%q: %v before and %v after", s, a, b)
		}
	}
	if !slices.Equal(m.cells, back.cells) || back.Card.DataHash != m.Card.DataHash || back.Recipe != m.Recipe {
		t.Error("read back otherwise than written")
	}
	var again bytes.Buffer
	if err := trained(t).Write(&again); err != nil || !bytes.Equal(again.Bytes(), b.Bytes()) {
		t.Error("the same texts gave another classifier")
	}
	for _, cut := range []int{0, 5, len(linearMagic), b.Len() / 2, b.Len() - 20} {
		if _, err := ReadLinear(bytes.NewReader(b.Bytes()[:cut])); !errors.Is(err, ErrModel) {
			t.Errorf("the first %d bytes read as a classifier: %v", cut, err)
		}
	}
}

// A bound on the size is kept, and costs what tells least first.
func TestSize(t *testing.T) {
	texts, labels := made(600, 1)
	m, err := Train(texts, labels, Recipe{Seed: 1, MaxSize: 60 * (3 + 8)})
	if err != nil {
		t.Fatal(err)
	}
	if m.Card.Grams != 60 || m.Card.Dropped == 0 {
		t.Errorf("%d n-grams kept, %d dropped", m.Card.Grams, m.Card.Dropped)
	}
	if m.Card.Accuracy < 0.8 {
		t.Errorf("accuracy %.3f with the best 60", m.Card.Accuracy)
	}
}

func TestTrainRefuses(t *testing.T) {
	for _, tt := range []struct {
		name          string
		texts, labels []string
		recipe        Recipe
		want          error
	}{
		{"nothing", nil, nil, Recipe{}, ErrNoTexts},
		{"one label", []string{"a", "b"}, []string{"x", "x"}, Recipe{}, ErrNoTexts},
		{"one text of a label", []string{"a", "b", "c"}, []string{"x", "x", "y"}, Recipe{}, ErrNoTexts},
		{"nb of three labels", strings.Split("abcdef", ""), strings.Split("xxyyzz", ""), Recipe{Gain: NB}, ErrRecipe},
		{"all dropped", strings.Split("abcd", ""), strings.Split("xxyy", ""), Recipe{Drop: 1}, ErrRecipe},
	} {
		if _, err := Train(tt.texts, tt.labels, tt.recipe); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	m, err := Train(strings.Split("abcd", ""), strings.Split("xxyy", ""), Recipe{})
	if err != nil || !errors.Is(errors.Join(m.Warnings...), ErrFewTexts) {
		t.Errorf("four texts: %v", err)
	}
}

func BenchmarkLabel(b *testing.B) {
	m := trained(b)
	texts, _ := made(1000, 5)
	r := m.NewReader()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.Label(texts[i%len(texts)])
	}
}
