// Package text reads Chinese and English: it folds what is written alike, cuts
// texts into sentences, passages and n-grams, classifies them by a linear
// model, and finds passages by BM25. All of it is plain Go on the text at hand:
// no dictionary, no segmentation, nothing to download.
package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// Fold returns s as texts are compared: full width as half width, capitals as
// small letters, runs of white space as one space, no space at the ends, and
// none of what is invisible. With simplify, traditional characters become
// simplified ones, as far as one character stands for one (see Simplify).
func Fold(s string, simplify bool) string {
	var b strings.Builder
	b.Grow(len(s))
	space := false
	for _, r := range s {
		r = foldRune(r)
		switch {
		case r < 0:
			continue
		case r == ' ':
			space = b.Len() > 0
			continue
		case space:
			b.WriteByte(' ')
			space = false
		}
		if simplify {
			r = simplifyRune(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

// foldRune folds width and case. White space is ' '; what is invisible, −1.
func foldRune(r rune) rune {
	switch {
	case r < utf8.RuneSelf:
		switch {
		case 'A' <= r && r <= 'Z':
			return r + 'a' - 'A'
		case r > ' ' && r != 0x7f:
			return r
		case r == ' ' || '\t' <= r && r <= '\r':
			return ' '
		}
		return -1
	case 0x4e00 <= r && r <= 0x9fff: // nearly all of a Chinese text
		return r
	case 0xff01 <= r && r <= 0xffef:
		if f := width.LookupRune(r).Folded(); f != 0 {
			r = f
		}
	case unicode.IsSpace(r): // with the ideographic one
		return ' '
	case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Cc, r), r == 0xfe0f, r == utf8.RuneError:
		return -1
	}
	return unicode.ToLower(r)
}

// class says how a folded rune takes part in n-grams.
type class uint8

const (
	space  class = iota
	symbol       // a token of its own
	single       // a character of a script written without spaces: a token of its own
	letter       // part of a word
)

var ascii = func() (c [utf8.RuneSelf]class) {
	for r := range rune(utf8.RuneSelf) {
		switch {
		case r <= ' ' || r == 0x7f:
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			c[r] = letter
		default:
			c[r] = symbol
		}
	}
	return c
}()

func classOf(r rune) class {
	switch {
	case r < 0:
		return space
	case r < utf8.RuneSelf:
		return ascii[r]
	case 0x4e00 <= r && r <= 0x9fff:
		return single
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
		return single
	case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r):
		return letter
	case unicode.IsSpace(r):
		return space
	}
	return symbol
}
