package onet

import (
	"math"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// name is a Chinese name of an occupation.
type name struct {
	text       string // as it is written
	plain      []rune
	grams      []uint64
	weight     float64 // sum of the weights of its grams
	occupation int
	rank       int // 0 for the occupation's own name and its most usual title, then 1, 2 …
}

type chineseIndex struct {
	names []name
	idf   map[uint64]float64
	most  float64 // weight of a gram that no name has
}

var loadChineseIndex = sync.OnceValue(indexChinese)

func indexChinese() *chineseIndex {
	x := &chineseIndex{idf: map[uint64]float64{}}
	add := func(code, text string, rank int) {
		if o, ok := Find(code); ok {
			p := plain(text)
			x.names = append(x.names, name{text: text, plain: p, grams: pairs(p), occupation: o.at, rank: rank})
		}
	}
	for line := range strings.Lines(zhAliasesText) {
		code, titles, _ := strings.Cut(strings.TrimSpace(line), "\t")
		for i, t := range strings.Split(titles, "\t") {
			if titles != "" {
				add(code, t, i)
			}
		}
	}
	for line := range strings.Lines(zhOccupationsText) {
		if code, text, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			add(code, text, 0)
		}
	}
	for _, n := range x.names {
		for _, g := range n.grams {
			x.idf[g]++
		}
	}
	x.most = math.Log(1 + float64(len(x.names)))
	for g, k := range x.idf {
		x.idf[g] = math.Log(1 + float64(len(x.names))/k)
	}
	for i, n := range x.names {
		for _, g := range n.grams {
			x.names[i].weight += x.idf[g]
		}
	}
	return x
}

// Aliases returns the Chinese job titles that people use for an occupation,
// the most usual first.
func (o Occupation) Aliases() []string {
	var out []string
	for _, n := range loadChineseIndex().names {
		if n.occupation == o.at && n.text != o.TitleZH {
			out = append(out, n.text)
		}
	}
	return out
}

// plain keeps letters, digits and characters, in lower case and half width.
func plain(s string) []rune {
	return []rune(strings.Map(func(r rune) rune {
		if r = fold(r); unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s))
}

// pairs are the different pairs of neighbours in s; a single rune is its own.
func pairs(s []rune) []uint64 {
	if len(s) == 1 {
		return []uint64{uint64(s[0])}
	}
	var out []uint64
	for i := 1; i < len(s); i++ {
		if g := uint64(s[i-1])<<32 | uint64(s[i]); !slices.Contains(out, g) {
			out = append(out, g)
		}
	}
	return out
}

// ranks are words before a job title that leave the work the same.
var ranks = []string{"高级", "资深", "初级", "中级", "实习", "见习", "兼职", "专职", "全职", "代理"}

// search scores a name 1 when it is the query; by length when one holds the
// other, from 0.55; else by the pairs of characters they share (Dice's
// coefficient, the pairs weighted by how rare they are), up to 0.8.
func (x *chineseIndex) search(query string, han bool, found map[int]candidate) {
	q := plain(query)
	if len(q) == 0 {
		return
	}
	score := func(q []rune, trim float64) {
		text := string(q)
		grams := pairs(q)
		weight := 0.0
		for _, g := range grams {
			if w, ok := x.idf[g]; ok {
				weight += w
			} else {
				weight += x.most
			}
		}
		for _, n := range x.names {
			s := 0.0
			short, long := float64(min(len(q), len(n.plain))), float64(max(len(q), len(n.plain)))
			switch p := string(n.plain); {
			case p == text:
				s = 1
			case strings.Contains(p, text):
				s = 0.6 + 0.3*short/long
				if strings.HasPrefix(p, text) {
					s += 0.02
				}
			case !han:
				continue // letters alone: no guessing
			case len(n.plain) >= 2 && strings.Contains(text, p):
				s = 0.55 + 0.3*short/long
				if strings.HasSuffix(text, p) {
					s += 0.1 // what the work is stands last: a 门诊护士长 is a 护士长
				}
			default:
				both := 0.0
				for _, g := range n.grams {
					if slices.Contains(grams, g) {
						both += x.idf[g]
					}
				}
				s = 0.8 * 2 * both / (weight + n.weight)
			}
			s *= trim
			s -= 0.0005 * float64(min(n.rank, 20))
			if s < 0.2 {
				continue
			}
			if have, ok := found[n.occupation]; !ok || have.score < s {
				found[n.occupation] = candidate{matched: n.text, exact: string(n.plain) == string(plain(query)), score: s}
			}
		}
	}
	score(q, 1)
	for _, r := range ranks {
		if rest, ok := strings.CutPrefix(string(q), r); ok && len([]rune(rest)) >= 2 {
			score([]rune(rest), 0.97)
		}
	}
}
