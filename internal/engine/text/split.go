package text

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Span is a stretch of a text, in bytes: text[Start:End].
type Span struct{ Start, End int }

// Of returns the stretch of s.
func (p Span) Of(s string) string { return s[p.Start:p.End] }

const (
	enders  = "。！？!?…"        // end a sentence wherever they stand
	closers = "”’」』）)]】》〉\"'" // belong to the sentence before them
)

// abbreviations end with a full stop that ends no sentence.
var abbreviations = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`mr mrs ms dr prof st sr jr vs e.g i.e cf fig vol dept co corp inc ltd
		approx est u.s u.k jan feb apr jun jul aug sep sept oct nov dec mon tue wed thu fri pp`) {
		m[w] = true
	}
	return m
}()

// Sentences cuts a Chinese or English text, or one of both, into sentences,
// without the white space between them. A line break followed by a blank line,
// or one after a line that Chinese is written in, ends a sentence too. A full
// stop of ASCII ends one before white space, unless it follows an abbreviation
// or an initial, or a small letter comes next.
func Sentences(s string) []Span {
	var out []Span
	start := 0
	end := func(at int) {
		a, b := start, at
		for a < b {
			r, n := utf8.DecodeRuneInString(s[a:b])
			if !unicode.IsSpace(r) {
				break
			}
			a += n
		}
		b = a + len(strings.TrimRightFunc(s[a:b], unicode.IsSpace))
		if a < b {
			out = append(out, Span{a, b})
		}
		start = at
	}
	var last rune // before the current one
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		next := i + n
		switch {
		case strings.ContainsRune(enders, r), r == '.' && stops(s, start, i):
			for next < len(s) { // ?! …… ." and the like
				q, n := utf8.DecodeRuneInString(s[next:])
				if !strings.ContainsRune(enders, q) && !strings.ContainsRune(closers, q) && q != '.' {
					break
				}
				next += n
			}
			if r != '…' || !continues(s[next:]) {
				end(next)
			}
		case r == '\n' && (classOf(last) == single || strings.HasPrefix(strings.TrimLeft(s[next:], " \t\r"), "\n")):
			end(next)
		}
		if r != '\r' && r != ' ' {
			last = r
		}
		i = next
	}
	end(len(s))
	return out
}

// stops reports whether the full stop at i ends the sentence that began at
// start.
func stops(s string, start, i int) bool {
	rest := strings.TrimLeft(s[i+1:], closers+".")
	if rest != "" {
		r, _ := utf8.DecodeRuneInString(rest)
		if !unicode.IsSpace(r) && classOf(r) != single {
			return false
		}
		if continues(rest) {
			return false
		}
	}
	before := s[start:i]
	word := before[strings.LastIndexFunc(before, unicode.IsSpace)+1:]
	word = strings.ToLower(strings.TrimLeft(word, "(\"'“‘"))
	after := strings.TrimSpace(rest)
	switch {
	case abbreviations[word]:
		return after == ""
	case word == "no" || word == "p" || word == "sec" || word == "ch": // No. 5
		return after == "" || after[0] < '0' || after[0] > '9'
	}
	r, n := utf8.DecodeRuneInString(word) // an initial: J. Smith
	return n != len(word) || !unicode.IsLetter(r) || classOf(r) != letter
}

// continues reports whether the rest goes on with a small letter, and so with
// the same sentence.
func continues(rest string) bool {
	rest = strings.TrimLeftFunc(rest, unicode.IsSpace)
	r, _ := utf8.DecodeRuneInString(rest)
	return unicode.IsLower(r)
}

// Passages cuts a text into passages of whole sentences of at most size
// characters, as long as they can be made without going over a blank line. A
// sentence longer than that is cut at its last comma or space, or else where
// it is full. White space between passages belongs to none.
func Passages(s string, size int) []Span {
	size = max(size, 1)
	var out []Span
	open := false
	count := 0 // characters of the open passage
	for _, sentence := range Sentences(s) {
		for _, part := range cutLong(s, sentence, size) {
			if open {
				p := &out[len(out)-1]
				gap := s[p.End:part.Start]
				if more := utf8.RuneCountInString(s[p.End:part.End]); count+more <= size && strings.Count(gap, "\n") < 2 {
					p.End, count = part.End, count+more
					continue
				}
			}
			out = append(out, part)
			open, count = true, utf8.RuneCountInString(part.Of(s))
		}
	}
	return out
}

func cutLong(s string, p Span, size int) (out []Span) {
	for {
		n, full, comma := 0, -1, -1
		for i, r := range p.Of(s) {
			if n == size {
				full = p.Start + i
				break
			}
			n++
			if strings.ContainsRune("，；：、,;: ", r) {
				comma = p.Start + i + utf8.RuneLen(r)
			}
		}
		if full < 0 {
			return append(out, p)
		}
		at := full
		if comma > p.Start {
			at = comma
		}
		out = append(out, Span{p.Start, p.Start + len(strings.TrimRightFunc(s[p.Start:at], unicode.IsSpace))})
		rest := strings.TrimLeftFunc(s[at:p.End], unicode.IsSpace)
		if p.Start = p.End - len(rest); rest == "" {
			return out
		}
	}
}
