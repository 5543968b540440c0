package text

import (
	"cmp"
	"slices"
	"unicode/utf8"
)

// Grams says which n-grams a text is cut into. A token is a word of a script
// that has spaces, a character of one that has none (Chinese, Japanese kana),
// or a punctuation mark; so that Words 3 is one to three characters of Chinese
// and one to three words of English.
type Grams struct {
	Words    int  `json:"words"`             // tokens of the longest n-gram
	MinChars int  `json:"min_chars"`         // letters of the shortest n-gram within a word, its borders counted as letters
	MaxChars int  `json:"max_chars"`         // and of the longest; 0 for none
	Skip     bool `json:"skip,omitzero"`     // also pairs of tokens with one between
	Simplify bool `json:"simplify,omitzero"` // traditional characters as simplified ones
}

// gram is an n-gram of a text by its hash.
type gram struct {
	hash  uint32
	start uint32 // byte of the text where it begins
	end   uint32 // and ends
}

type token struct {
	hash       uint64
	start, end uint32
}

// cutter cuts texts into n-grams; it is kept to spare memory.
type cutter struct {
	tokens []token
	runes  []rune // of one word, with a border at both ends
	at     []uint32
	grams  []gram
}

const (
	seedToken = 0x9e3779b97f4a7c15
	seedChars = 0xc2b2ae3d27d4eb4f
	seedSkip  = 0x165667b19e3779f9
	prime     = 0xff51afd7ed558ccd
)

// mix is one step of a multiplicative hash (the finaliser of MurmurHash3 has
// the constant).
func mix(h, x uint64) uint64 {
	h = (h ^ x) * prime
	return h ^ h>>32
}

// cut returns the n-grams of s in the order of their ends, repeated as they
// are. They are valid until the next call.
func (c *cutter) cut(s string, g Grams) []gram {
	c.tokens, c.grams = c.tokens[:0], c.grams[:0]
	word := token{}
	inWord := false
	flush := func(end int) {
		word.end = uint32(end)
		c.tokens = append(c.tokens, word)
		if g.MaxChars > 0 {
			c.chars(g, end)
		}
		inWord = false
	}
	for i := 0; i < len(s); {
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		r = foldRune(r)
		if r < 0 { // invisible: neither ends a word nor belongs to it
			i += size
			continue
		}
		k := classOf(r)
		if k == letter {
			if !inWord {
				inWord = true
				word = token{hash: seedToken, start: uint32(i)}
				c.runes, c.at = append(c.runes[:0], ' '), append(c.at[:0], uint32(i))
			}
			word.hash = mix(word.hash, uint64(r))
			c.runes, c.at = append(c.runes, r), append(c.at, uint32(i))
			i += size
			continue
		}
		if inWord {
			flush(i)
		}
		if k != space {
			if g.Simplify && k == single {
				r = simplifyRune(r)
			}
			c.tokens = append(c.tokens, token{hash: mix(seedToken, uint64(r)), start: uint32(i), end: uint32(i + size)})
		}
		i += size
	}
	if inWord {
		flush(len(s))
	}
	for i, t := range c.tokens {
		h := t.hash
		c.add(h, t.start, t.end)
		for n := 2; n <= g.Words && i+n <= len(c.tokens); n++ {
			last := c.tokens[i+n-1]
			h = mix(h, last.hash+uint64(n))
			c.add(h, t.start, last.end)
		}
		if g.Skip && i+2 < len(c.tokens) {
			last := c.tokens[i+2]
			c.add(mix(mix(seedSkip, t.hash), last.hash), t.start, last.end)
		}
	}
	return c.grams
}

// whole is the stretch of an n-gram of the text just cut, or of the word that
// it lies in.
func (c *cutter) whole(g gram) Span {
	i, _ := slices.BinarySearchFunc(c.tokens, g.start, func(t token, start uint32) int { return cmp.Compare(t.end, start+1) })
	if i < len(c.tokens) && c.tokens[i].start <= g.start && g.end <= c.tokens[i].end {
		return Span{int(c.tokens[i].start), int(c.tokens[i].end)}
	}
	return Span{int(g.start), int(g.end)}
}

func (c *cutter) add(h uint64, start, end uint32) {
	c.grams = append(c.grams, gram{uint32(h>>32) ^ uint32(h), start, end})
}

// chars adds the n-grams within the word that c.runes holds.
func (c *cutter) chars(g Grams, end int) {
	c.runes, c.at = append(c.runes, ' '), append(c.at, uint32(end))
	for i := range c.runes {
		h := uint64(seedChars)
		for n := 1; n <= g.MaxChars && i+n <= len(c.runes); n++ {
			h = mix(h, uint64(c.runes[i+n-1]))
			if n < g.MinChars || n == len(c.runes) && i == 0 { // the whole word is a token already
				continue
			}
			to := uint32(end)
			if i+n < len(c.at) {
				to = c.at[i+n]
			}
			c.add(h, c.at[i], to)
		}
	}
}
