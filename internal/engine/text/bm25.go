package text

import (
	"cmp"
	"errors"
	"maps"
	"math"
	"slices"
)

// Index finds the passages that share most with a query, by BM25 (Robertson &
// Zaragoza 2009) over words and pairs of characters: a Chinese text counts by
// its characters and pairs of neighbours, an English one by its words and
// their pairs, so that no dictionary is needed. The zero Index is empty and
// ready. It is not safe for use while it is changed.
//
// A posting takes 4 bytes: 100,000 passages of 200 Chinese characters hold
// about 35 million, some 150 MB.
type Index struct {
	ids   []string
	size  []float32 // grams of each document; 0 of a removed one
	at    map[string]uint32
	terms map[uint32]*postings
	total float64 // grams of all documents that are there
	gone  int     // removed documents whose postings are still there

	cutter cutter
	score  []float32 // of each document; all 0 between queries
	hit    []uint32
}

// postings are the documents that a gram appears in, in their order: the
// document's number × 16 + how often, at most 15, past which the count changes
// a BM25 score by less than a hundredth of itself.
type postings []uint32

const (
	tfBits = 4
	maxTF  = 1<<tfBits - 1
)

// Saturation is the usual value; length counts less than the usual 0.75, for
// passages are cut to like lengths (chosen on CMRC 2018's trial questions,
// where all of k1 1.2–2 and b 0.5–0.9 came within half a point).
const (
	bm25K1 = 1.2
	bm25B  = 0.5
)

// ErrIndex is the error of a file that holds no index.
var ErrIndex = errors.New("text: not an index of this program's")

// Hit is a passage found.
type Hit struct {
	ID    string
	Score float64 // comparable within one query only; more is better
}

var indexGrams = Grams{Words: 2, Simplify: true}

// Len is the number of passages.
func (x *Index) Len() int { return len(x.at) }

// Has reports whether a passage is there.
func (x *Index) Has(id string) bool { _, ok := x.at[id]; return ok }

// Add adds a passage, in place of the one of that id if there is one.
func (x *Index) Add(id, text string) {
	x.Remove(id)
	if x.at == nil {
		x.at, x.terms = map[string]uint32{}, map[uint32]*postings{}
	}
	doc := uint32(len(x.ids))
	grams := x.cutter.cut(text, indexGrams)
	x.ids = append(x.ids, id)
	x.size = append(x.size, float32(len(grams)))
	x.score = append(x.score, 0)
	x.at[id] = doc
	x.total += float64(len(grams))
	for _, g := range grams {
		p := x.terms[g.hash]
		if p == nil {
			p = new(postings)
			x.terms[g.hash] = p
		}
		if n := len(*p); n > 0 && (*p)[n-1]>>tfBits == doc {
			if (*p)[n-1]&maxTF < maxTF {
				(*p)[n-1]++
			}
			continue
		}
		*p = append(*p, doc<<tfBits|1)
	}
}

// Remove takes a passage out, and reports whether it was there. Its postings
// are dropped when a quarter of all are of removed passages; until then they
// count in how rare a gram is held to be.
func (x *Index) Remove(id string) bool {
	doc, ok := x.at[id]
	if !ok {
		return false
	}
	delete(x.at, id)
	x.total -= float64(x.size[doc])
	x.size[doc] = 0
	x.ids[doc] = ""
	x.gone++
	if x.gone > 64 && 4*x.gone > len(x.ids) {
		x.compact()
	}
	return true
}

// compact drops removed passages and gives the others new numbers, in order.
func (x *Index) compact() {
	number := make([]uint32, len(x.ids))
	n := uint32(0)
	for doc, id := range x.ids {
		if at, ok := x.at[id]; !ok || at != uint32(doc) {
			number[doc] = math.MaxUint32
			continue
		}
		number[doc] = n
		x.ids[n], x.size[n], x.at[id] = id, x.size[doc], n
		n++
	}
	clear(x.ids[n:])
	x.ids, x.size, x.score, x.gone = x.ids[:n], x.size[:n], x.score[:n], 0
	for h, p := range x.terms {
		kept := (*p)[:0]
		for _, e := range *p {
			if to := number[e>>tfBits]; to != math.MaxUint32 {
				kept = append(kept, to<<tfBits|e&maxTF)
			}
		}
		if *p = kept; len(kept) == 0 {
			delete(x.terms, h)
		}
	}
}

// Search returns the k passages nearest to the query, best first; equals in
// the order they were added. Passages that share no gram with it are not found.
func (x *Index) Search(query string, k int) []Hit {
	if k < 1 || len(x.at) == 0 {
		return nil
	}
	type term struct {
		p      postings
		weight float32
	}
	var terms []term
	live := float64(len(x.ids))
	grams := slices.Clone(x.cutter.cut(query, indexGrams))
	slices.SortFunc(grams, func(a, b gram) int { return cmp.Compare(a.hash, b.hash) })
	for i := 0; i < len(grams); {
		j := i
		for j < len(grams) && grams[j].hash == grams[i].hash {
			j++
		}
		if p := x.terms[grams[i].hash]; p != nil {
			df := float64(len(*p))
			w := math.Log(1+(live-df+0.5)/(df+0.5)) * float64(j-i)
			terms = append(terms, term{*p, float32(w)})
		}
		i = j
	}
	mean := float32(max(x.total, 1) / float64(len(x.at)))
	x.hit = x.hit[:0]
	for _, t := range terms {
		for _, e := range t.p {
			doc, tf := e>>tfBits, float32(e&maxTF)
			size := x.size[doc]
			if size == 0 {
				continue
			}
			if x.score[doc] == 0 {
				x.hit = append(x.hit, doc)
			}
			x.score[doc] += t.weight * tf * (bm25K1 + 1) / (tf + bm25K1*(1-bm25B+bm25B*size/mean))
		}
	}
	return x.best(k)
}

// best takes the k best of x.hit and sets the scores back to 0.
func (x *Index) best(k int) []Hit {
	less := func(a, b uint32) bool { // worse
		return x.score[a] < x.score[b] || x.score[a] == x.score[b] && a > b
	}
	heap := make([]uint32, 0, k) // the worst of the best on top
	for _, doc := range x.hit {
		switch {
		case len(heap) < k:
			heap = append(heap, doc)
			for i := len(heap) - 1; i > 0 && less(heap[i], heap[(i-1)/2]); i = (i - 1) / 2 {
				heap[i], heap[(i-1)/2] = heap[(i-1)/2], heap[i]
			}
		case less(heap[0], doc):
			heap[0] = doc
			for i := 0; ; {
				c := 2*i + 1
				if c+1 < k && less(heap[c+1], heap[c]) {
					c++
				}
				if c >= k || !less(heap[c], heap[i]) {
					break
				}
				heap[i], heap[c] = heap[c], heap[i]
				i = c
			}
		}
	}
	slices.SortFunc(heap, func(a, b uint32) int {
		if less(b, a) {
			return -1
		}
		return 1
	})
	out := make([]Hit, len(heap))
	for i, doc := range heap {
		out[i] = Hit{x.ids[doc], float64(x.score[doc])}
	}
	for _, doc := range x.hit {
		x.score[doc] = 0
	}
	return out
}

func sortedTerms(terms map[uint32]*postings) []uint32 { return slices.Sorted(maps.Keys(terms)) }
