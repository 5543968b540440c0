package text

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// The score against the formula worked by hand, on grams a, b, ab and so on.
func TestBM25(t *testing.T) {
	var x Index
	x.Add("1", "a b")   // grams a, b, a b
	x.Add("2", "a a c") // a twice, c, a a, a c
	x.Add("3", "d")
	hits := x.Search("a", 10)
	idf := math.Log(1 + (3-2+0.5)/(2+0.5))
	mean := (3 + 5 + 1) / 3.0
	want := []Hit{
		{"2", idf * 2 * 2.2 / (2 + 1.2*(0.5+0.5*5/mean))},
		{"1", idf * 1 * 2.2 / (1 + 1.2*(0.5+0.5*3/mean))},
	}
	if len(hits) != 2 {
		t.Fatalf("found %v", hits)
	}
	for i, h := range hits {
		if h.ID != want[i].ID || math.Abs(h.Score-want[i].Score) > 1e-5 {
			t.Errorf("place %d: %v, want %v", i+1, h, want[i])
		}
	}
}

func ids(hits []Hit) (out []string) {
	for _, h := range hits {
		out = append(out, h.ID)
	}
	return out
}

func TestIndex(t *testing.T) {
	var x Index
	if got := x.Search("退货", 5); got != nil {
		t.Errorf("an empty index found %v", got)
	}
	x.Add("return", "七天之内可以无理由退货，运费由商店承担。")
	x.Add("goods", "货到付款的订单要当面验货。")
	x.Add("en", "You may return goods within seven days; the shop pays.")
	for query, want := range map[string]string{"怎么退货": "return", "怎麼退貨": "return", "验货": "goods", "RETURN goods": "en", "ｒｅｔｕｒｎ": "en"} {
		if got := ids(x.Search(query, 1)); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: found %v", query, got)
		}
	}
	x.Add("goods", "本店不验货。")
	if x.Len() != 3 || len(x.Search("付款", 5)) != 0 {
		t.Errorf("replaced, but %d passages and 付款 is in %v", x.Len(), x.Search("付款", 5))
	}
	if !x.Remove("en") || x.Remove("en") || x.Len() != 2 || len(x.Search("seven", 5)) != 0 {
		t.Error("en is still there")
	}
}

// Whatever was added, replaced and removed, and after a save, an index whose
// removed passages are swept out answers as one built afresh.
func TestIndexAfterChanges(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	passage := func() string {
		var b strings.Builder
		for range 5 + rng.IntN(30) {
			b.WriteRune('一' + rune(rng.IntN(60)))
		}
		return b.String()
	}
	var x Index
	now := map[string]string{}
	var order []string // as added last
	for range 3000 {
		id := fmt.Sprint(rng.IntN(500))
		order = slices.DeleteFunc(order, func(o string) bool { return o == id })
		if rng.IntN(3) == 0 {
			x.Remove(id)
			delete(now, id)
			continue
		}
		now[id] = passage()
		x.Add(id, now[id])
		order = append(order, id)
	}
	var b bytes.Buffer
	if err := x.Write(&b); err != nil { // which sweeps
		t.Fatal(err)
	}
	back, err := ReadIndex(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	var fresh Index
	for _, id := range order {
		fresh.Add(id, now[id])
	}
	for range 200 {
		q := passage()
		want := fresh.Search(q, 7)
		if got := x.Search(q, 7); !slices.Equal(got, want) {
			t.Fatalf("changed: %v, fresh: %v", got, want)
		}
		if got := back.Search(q, 7); !slices.Equal(got, want) {
			t.Fatalf("read back: %v, fresh: %v", got, want)
		}
	}
	for _, cut := range []int{0, len(indexMagic), b.Len() / 2, b.Len() - 9} {
		if _, err := ReadIndex(bytes.NewReader(b.Bytes()[:cut])); !errors.Is(err, ErrIndex) {
			t.Errorf("the first %d bytes read as an index: %v", cut, err)
		}
	}
}

// 100,000 passages of 150 characters, distributed as words are (Zipf); run
// with ATTUNE_LONG=1.
func TestIndexLarge(t *testing.T) {
	if os.Getenv("ATTUNE_LONG") == "" {
		t.Skip("ATTUNE_LONG=1 runs it")
	}
	rng := rand.New(rand.NewPCG(1, 1))
	zipf := rand.NewZipf(rng, 1.2, 20, 3500)
	passage := func(n int) string {
		r := make([]rune, n)
		for i := range r {
			r[i] = '一' + rune(zipf.Uint64())
		}
		return string(r)
	}
	var x Index
	start := time.Now()
	for i := range 100_000 {
		x.Add(fmt.Sprint(i), passage(150))
	}
	t.Logf("added in %v", time.Since(start))
	var took []time.Duration
	for range 200 {
		q := passage(15)
		start := time.Now()
		x.Search(q, 10)
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	t.Logf("a query of 15 characters: median %v, 95 %% within %v", took[100], took[190])
	if took[100] > 10*time.Millisecond {
		t.Errorf("median %v", took[100])
	}
}
