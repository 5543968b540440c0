package onet

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// Hit is an occupation that a search found.
type Hit struct {
	Occupation Occupation
	Matched    string  // the title that matched best, as it is written
	Exact      bool    // Matched is what was asked for, but for case, punctuation and plural
	Score      float64 // 0–1, for comparing the hits of one search
}

const (
	maxQuery = 150 // runes; more is cut off
	maxWords = 20
	strange  = 3 // weight of a word that no title has: about that of "sales"; it may be a name
)

// Search finds occupations by title, best first: in English among the titles
// and the 56,560 alternate ones, by words, beginnings of words, and words with
// one letter wrong (two in a long word); in Chinese among the Chinese names
// and usual job titles, by characters. Traditional characters are not folded
// into simplified ones. A query with letters only is also looked up among
// Chinese usage (HR, BD) when lang is Chinese.
func Search(query, lang string, limit int) []Hit {
	query = strings.TrimSpace(query)
	n := 0
	for i := range query {
		if n++; n > maxQuery {
			query = query[:i]
			break
		}
	}
	if query == "" || limit <= 0 {
		return nil
	}
	found := map[int]candidate{}
	han := strings.ContainsFunc(query, isHan)
	if han || isChinese(lang) {
		loadChineseIndex().search(query, han, found)
	}
	if latin := words(query); len(latin) > 0 {
		loadEnglishIndex().search(latin, found)
	}

	all := loadOccupations()
	list := make([]candidate, 0, len(found))
	for o, c := range found {
		c.occupation = o
		if all.zone[o] == 0 {
			c.score *= 0.95 // as good a match that has been rated is of more use
		}
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.occupation, b.occupation))
	})
	hits := make([]Hit, 0, min(limit, len(list)))
	for _, c := range list[:min(limit, len(list))] {
		hits = append(hits, Hit{all.at(c.occupation), c.matched, c.exact, c.score})
	}
	return hits
}

type candidate struct {
	occupation int
	matched    string
	exact      bool
	score      float64
}

// Match proposes the occupation of a position that is known by its title only:
// the best hit, if the title is one that O*NET or Chinese usage has, or holds
// one and little else, such as a rank ("高级客服专员"). It is a proposal, for a
// person to confirm.
func Match(title, lang string) (Hit, bool) {
	hits := Search(title, lang, 1)
	if len(hits) == 0 || !hits[0].Exact && hits[0].Score < 0.8 {
		return Hit{}, false
	}
	return hits[0], true
}

// isHan tells Chinese characters.
func isHan(r rune) bool { return unicode.Is(unicode.Han, r) }

// english is an inverted index of the titles. A title is up to two documents,
// as brackets splits it: "Chief Executive Officer (CEO)".
type english struct {
	words []string // in order
	mask  []uint32 // the letters that a word has, to pass over unlike ones
	idf   []float32
	posts []int32 // word w is in docs[posts[w]:posts[w+1]]
	docs  []int32

	title  []int32   // document to title: n < 1,016 is an occupation's own, else alternate n−1,016
	weight []float32 // sum of idf over the words of a document
	of     []int32   // title t belongs to occs[of[t]:of[t+1]]
	occs   []uint16
}

var loadEnglishIndex = sync.OnceValue(indexEnglish)

func indexEnglish() *english {
	own, alt := loadOccupations(), loadTitles()
	n := own.title.len()
	var x english

	// Which occupations a title belongs to.
	counts := make([]int, n+alt.text.len())
	for o := range n {
		counts[o] = 1
	}
	for _, id := range alt.ids {
		counts[n+int(id)]++
	}
	x.of = starts(counts)
	x.occs = make([]uint16, x.of[len(counts)])
	fill := slices.Clone(x.of)
	for o := range n {
		x.occs[o] = uint16(o)
		for _, id := range alt.ids[alt.of[o]:alt.of[o+1]] {
			t := n + int(id)
			x.occs[fill[t]] = uint16(o)
			fill[t]++
		}
	}

	// Words of every document, numbered as they come, then put in order.
	space := make([]byte, 0, 256)
	number := make(map[string]int32, 1<<14)
	var seen []string
	text := make([]int32, 0, 3*len(counts))    // the documents' words, one after the other
	ends := make([]int32, 0, len(counts)+5000) // where each document's end
	for t := range counts {
		s := ""
		if t < n {
			s = own.title.at(t)
		} else {
			s = alt.text.at(t - n)
		}
		outside, inside := brackets(s)
		for _, part := range []string{outside, inside} {
			begin := len(text)
			eachWord(part, space, func(w []byte) {
				id, ok := number[string(w)]
				if !ok {
					id = int32(len(seen))
					seen = append(seen, string(w))
					number[seen[id]] = id
				}
				if !slices.Contains(text[begin:], id) {
					text = append(text, id)
				}
			})
			if len(text) > begin {
				x.title = append(x.title, int32(t))
				ends = append(ends, int32(len(text)))
			}
		}
	}
	x.words = slices.Clone(seen)
	slices.Sort(x.words)
	place := make([]int32, len(seen))
	x.mask = make([]uint32, len(seen))
	for i, w := range x.words {
		place[number[w]] = int32(i)
		x.mask[i] = letters(w)
	}
	counts = make([]int, len(seen))
	for i, id := range text {
		text[i] = place[id]
		counts[text[i]]++
	}
	x.posts = starts(counts)
	x.docs = make([]int32, len(text))
	x.idf = make([]float32, len(counts))
	for w, k := range counts {
		x.idf[w] = float32(math.Log(1 + float64(len(x.title))/float64(k)))
	}
	x.weight = make([]float32, len(x.title))
	fill = slices.Clone(x.posts)
	begin := int32(0)
	for d, end := range ends {
		for _, w := range text[begin:end] {
			x.docs[fill[w]] = int32(d)
			fill[w]++
			x.weight[d] += x.idf[w]
		}
		begin = end
	}
	return &x
}

// brackets splits a title into what stands outside and inside brackets. A
// title that says what it leaves out, "Kindergarten Teachers, Except Special
// Education", is split into the title without that, and the whole.
func brackets(s string) (outside, inside string) {
	if i := strings.Index(s, ", Except "); i >= 0 {
		return s[:i], s
	}
	i, j := strings.IndexByte(s, '('), strings.LastIndexByte(s, ')')
	if i < 0 || j < i {
		return s, ""
	}
	return s[:i] + s[j+1:], s[i+1 : j]
}

// words cuts a text into lower-case words without plural endings.
func words(s string) []string {
	var out []string
	eachWord(s, nil, func(w []byte) { out = append(out, string(w)) })
	return out
}

// eachWord calls f with each word of a text, spelt in space; f must not keep
// it. Apostrophes join, and what is neither a Latin letter nor a digit separates.
func eachWord(s string, space []byte, f func(w []byte)) {
	word := space[:0]
	for _, r := range s {
		switch r = fold(r); {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			word = append(word, byte(r))
		case r == '\'', r == '’':
		case len(word) > 0:
			f(singular(word))
			word = word[:0]
		}
	}
	if len(word) > 0 {
		f(singular(word))
	}
}

// fold puts letters into lower case and full-width forms on half width.
func fold(r rune) rune {
	switch {
	case r >= 'A' && r <= 'Z':
		return r + 'a' - 'A'
	case r < 0x80:
		return r
	case r >= '！' && r <= '～':
		return fold(r - '！' + '!')
	}
	return unicode.ToLower(r)
}

func singular(w []byte) []byte {
	n := len(w)
	ends := func(s string) bool { return string(w[n-len(s):]) == s }
	switch {
	case n < 4 || w[n-1] != 's', ends("ss"), ends("us"), ends("is"):
		return w
	case ends("ies"):
		return append(w[:n-3], 'y')
	case n > 4 && (ends("sses") || ends("ches") || ends("shes") || ends("xes")):
		return w[:n-2]
	}
	return w[:n-1]
}

// letters has a bit for each letter and digit that a word has.
func letters(w string) (m uint32) {
	for i := range len(w) {
		if c := w[i]; c >= 'a' && c <= 'z' {
			m |= 1 << (c - 'a')
		} else {
			m |= 1 << (26 + c%6)
		}
	}
	return m
}

// like is a word of the index that may be meant by a word of the query.
type like struct {
	word    int
	quality float32 // 1 is the same word
}

// meant returns the words that w may mean, likeliest first: itself and those
// that begin with it or, when there is none, those a typing error away.
func (x *english) meant(w string) []like {
	var out []like
	i, exact := slices.BinarySearch(x.words, w)
	if exact {
		out = append(out, like{i, 1})
		i++
	}
	if len(w) >= 2 {
		for ; i < len(x.words) && strings.HasPrefix(x.words[i], w); i++ {
			out = append(out, like{i, 0.5 + 0.4*float32(len(w))/float32(len(x.words[i]))})
		}
	}
	if len(out) == 0 && len(w) >= 4 {
		wrong := 1
		if len(w) >= 8 {
			wrong = 2
		}
		m := letters(w)
		for i, v := range x.words {
			// A wrong letter changes two bits of the mask at most.
			if len(v)-len(w) > wrong || len(w)-len(v) > wrong || bits.OnesCount32(m^x.mask[i]) > 2*wrong {
				continue
			}
			if d := distance(w, v); d <= wrong {
				out = append(out, like{i, 0.9 - 0.2*float32(d)})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b like) int { return cmp.Compare(b.quality, a.quality) })
	return out
}

// distance counts the letters to insert, leave out, change or swap with the
// next one to get from a to b (optimal string alignment).
func distance(a, b string) int {
	const most = 40
	if len(a) >= most || len(b) >= most {
		return most
	}
	var d [most + 1][most + 1]uint8
	for i := range len(a) + 1 {
		d[i][0] = uint8(i)
	}
	for j := range len(b) + 1 {
		d[0][j] = uint8(j)
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := d[i-1][j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			d[i][j] = min(change, d[i-1][j]+1, d[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return int(d[len(a)][len(b)])
}

// tally is what a search adds up for each document; kept for the next one.
type tally struct {
	query, doc []float32 // weight of the words of each that were found in the other
	word       []uint8   // the last word of the query that was found, from 1
	touched    []int32
}

var tallies = sync.Pool{New: func() any {
	n := len(loadEnglishIndex().title)
	return &tally{make([]float32, n), make([]float32, n), make([]uint8, n), nil}
}}

// search scores a title by the share of the query's words that it has, by
// weight, and of its own words that the query has; an occupation by its best
// title, a little more when its own title and others of its titles match too.
func (x *english) search(query []string, found map[int]candidate) {
	if len(query) > maxWords {
		query = query[:maxWords]
	}
	t := tallies.Get().(*tally)
	total := float32(0)
	for i, w := range query {
		meant := x.meant(w)
		if len(meant) == 0 {
			total += strange
			continue
		}
		weight := x.idf[meant[0].word]
		if i == len(query)-1 {
			weight *= 1.6 // what the work is stands last: a head nurse is a nurse
		}
		total += weight
		for _, m := range meant {
			for _, d := range x.docs[x.posts[m.word]:x.posts[m.word+1]] {
				switch {
				case t.word[d] == uint8(i+1):
					continue // a likelier reading of this word was there
				case t.word[d] == 0:
					t.touched = append(t.touched, d)
				}
				t.word[d] = uint8(i + 1)
				t.query[d] += weight * m.quality
				t.doc[d] += x.idf[m.word] * m.quality
			}
		}
	}
	type sum struct {
		best, own, other float32
		title            int32
	}
	sums := map[uint16]sum{}
	n := loadOccupations().title.len()
	for _, d := range t.touched {
		share := t.query[d] / total
		score := share * (0.6 + 0.4*min(1, t.doc[d]/x.weight[d]))
		t.query[d], t.doc[d], t.word[d] = 0, 0, 0
		if share < 0.5 {
			continue
		}
		title := x.title[d]
		for _, o := range x.occs[x.of[title]:x.of[title+1]] {
			s := sums[o]
			if score > s.best {
				s.best, s.title = score, title
			}
			if int(title) < n {
				s.own = max(s.own, score)
			} else if score > 0.7 {
				s.other += score
			}
			sums[o] = s
		}
	}
	t.touched = t.touched[:0]
	tallies.Put(t)
	for o, s := range sums {
		c := candidate{score: float64(s.best+0.12*s.own+0.08*s.other/(s.other+3)) / 1.2}
		if int(s.title) < n {
			c.matched = loadOccupations().title.at(int(s.title))
		} else {
			c.matched = loadTitles().text.at(int(s.title) - n)
		}
		outside, inside := brackets(c.matched)
		c.exact = slices.Equal(words(outside), query) || slices.Equal(words(inside), query)
		if have, ok := found[int(o)]; !ok || have.score < c.score {
			found[int(o)] = c
		}
	}
}
