package text

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func texts(s string, spans []Span) (out []string) {
	for _, p := range spans {
		out = append(out, p.Of(s))
	}
	return out
}

func TestSentences(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{" \n ", nil},
		{"你好。我要退货！可以吗？", []string{"你好。", "我要退货！", "可以吗？"}},
		{"他说：“好的。”然后走了。", []string{"他说：“好的。”", "然后走了。"}},
		{"太慢了……不会再来！！", []string{"太慢了……", "不会再来！！"}},
		{"单价3.5元。共2件", []string{"单价3.5元。", "共2件"}},
		{"第一行\n第二行", []string{"第一行", "第二行"}},
		{"Hello there. How are you? Fine!", []string{"Hello there.", "How are you?", "Fine!"}},
		{"Dr. Li paid $3.50 to J. Smith, e.g. in cash. Then left.", []string{"Dr. Li paid $3.50 to J. Smith, e.g. in cash.", "Then left."}},
		{"He said \"no.\" She left.", []string{"He said \"no.\"", "She left."}},
		{"a line that\nruns on. Next", []string{"a line that\nruns on.", "Next"}},
		{"A heading\n\nA paragraph.", []string{"A heading", "A paragraph."}},
		{"See attune.example for more. It costs approx. 5 yuan.", []string{"See attune.example for more.", "It costs approx. 5 yuan."}},
		{"Is it No. 5? He said no. 5 came.", []string{"Is it No. 5?", "He said no. 5 came."}},
		{"well … not yet", []string{"well … not yet"}},
	} {
		if got := texts(tt.text, Sentences(tt.text)); !slices.Equal(got, tt.want) {
			t.Errorf("Sentences(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestPassages(t *testing.T) {
	for _, tt := range []struct {
		text string
		size int
		want []string
	}{
		{"一二三。四五六。七八九。", 8, []string{"一二三。四五六。", "七八九。"}},
		{"一二三。\n\n四五六。", 20, []string{"一二三。", "四五六。"}},
		{"一二三四，五六七八九十。", 6, []string{"一二三四，", "五六七八九十", "。"}},
		{"one two three four", 9, []string{"one two", "three", "four"}},
		{"abcdefgh", 3, []string{"abc", "def", "gh"}},
	} {
		if got := texts(tt.text, Passages(tt.text, tt.size)); !slices.Equal(got, tt.want) {
			t.Errorf("Passages(%q, %d) = %q, want %q", tt.text, tt.size, got, tt.want)
		}
	}
}

// No passage is longer than asked for, and no character but white space is
// lost or given twice.
func FuzzPassages(f *testing.F) {
	f.Add("一二三。four five. 六，七\n\n八", 5)
	f.Add("…… . .\"'", 1)
	f.Add("\xff\xe4\xb8。", 2)
	f.Fuzz(func(t *testing.T, s string, size int) {
		if size < 1 || !utf8.ValidString(s) {
			t.Skip()
		}
		end := 0
		for _, p := range Passages(s, size) {
			if p.Start < end || p.End <= p.Start || p.End > len(s) {
				t.Fatalf("%v after %d in %q", p, end, s)
			}
			if n := utf8.RuneCountInString(p.Of(s)); n > size {
				t.Fatalf("%d characters of %d: %q", n, size, p.Of(s))
			}
			if lost := strings.TrimSpace(s[end:p.Start]); lost != "" {
				t.Fatalf("lost %q", lost)
			}
			end = p.End
		}
		if lost := strings.TrimSpace(s[end:]); lost != "" {
			t.Fatalf("lost %q", lost)
		}
	})
}
