package locale

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// verbs are the arguments a message uses, such as "%[1]d".
var verbs = regexp.MustCompile(`%(\[\d\])?[.0-9]*[a-z]`)

func uses(m string) []string {
	v := verbs.FindAllString(m, -1)
	slices.Sort(v)
	return slices.Compact(v)
}

func TestLanguagesAgree(t *testing.T) {
	for _, c := range clash {
		t.Errorf("said twice, or not a message: %s", c)
	}
	for key, en := range catalog[En] {
		base := strings.TrimSuffix(key, ".one")
		zh, ok := catalog[Zh][base]
		if !ok {
			t.Errorf("%s: no zh-CN text", base)
		} else if base == key && !slices.Equal(uses(zh), uses(en)) {
			t.Errorf("%s: zh-CN uses %v, en uses %v", key, uses(zh), uses(en))
		}
	}
	for key := range catalog[Zh] {
		if _, ok := catalog[En][key]; !ok {
			t.Errorf("%s: no en text", key)
		}
	}
}

func TestOf(t *testing.T) {
	for _, tt := range []struct {
		cookie, accept string
		want           Lang
	}{
		{"", "", Zh},
		{"", "en-GB,en;q=0.8", En},
		{"", "zh-TW", Zh},
		{"en", "zh-CN", En},
		{"fr", "zh-CN", Zh},
		{"", ";;;", Zh},
	} {
		r, _ := http.NewRequest("GET", "/", nil)
		if tt.cookie != "" {
			r.AddCookie(&http.Cookie{Name: "lang", Value: tt.cookie})
		}
		r.Header.Set("Accept-Language", tt.accept)
		if got := Of(r); got != tt.want {
			t.Errorf("cookie %q, accept %q: %s, want %s", tt.cookie, tt.accept, got, tt.want)
		}
	}
}

func TestFormats(t *testing.T) {
	day := time.Date(2026, 3, 5, 14, 7, 0, 0, time.UTC)
	for _, tt := range []struct{ got, want string }{
		{En.Number(-1234.56, 1), "−1,234.6"},
		{Zh.Percent(0.125, 1), "12.5%"},
		{En.Interval(6.2, 4.1, 8.3, 1), "6.2 (4.1 – 8.3)"},
		{Zh.DateTime(day), "2026年3月5日 14:07"},
		{En.Date(day), "5 Mar 2026"},
		{En.Date(time.Time{}), "–"},
		{Zh.Minutes(90), "1 小时 30 分"},
		{En.Minutes(45), "45 min"},
		{Both("技能", "").In(En), "技能"},
		{Both("技能", "Skill").In(En), "Skill"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
	names := []string{"张三", "李四", "阿明"}
	SortBy(Zh, names, func(s string) string { return s })
	if !slices.Equal(names, []string{"阿明", "李四", "张三"}) {
		t.Errorf("pinyin order: %v", names)
	}
}
