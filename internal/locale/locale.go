// Package locale says everything the product says, in Chinese and in English.
//
// Messages lie in text/<area>.zh-CN.txt and text/<area>.en.txt, one
// "key = message" a line; %[1]s and the like are fmt verbs. A key ending in
// ".one" is the English singular, chosen when the first argument is 1.
package locale

import (
	"embed"
	"fmt"
	"net/http"
	"path"
	"strings"

	"golang.org/x/text/language"
)

// Lang is a language the product speaks.
type Lang string

const (
	Zh Lang = "zh-CN"
	En Lang = "en"
)

// Langs lists the languages, the first being the default.
var Langs = []Lang{Zh, En}

//go:embed text/*.txt
var texts embed.FS

var catalog, clash = load()

// load reads every message, and the keys that stand twice in one language.
func load() (map[Lang]map[string]string, []string) {
	all := map[Lang]map[string]string{Zh: {}, En: {}}
	var twice []string
	files, err := texts.ReadDir("text")
	if err != nil {
		panic(err) // embedded at build time
	}
	for _, f := range files {
		_, rest, _ := strings.Cut(f.Name(), ".")
		lang := Lang(strings.TrimSuffix(rest, ".txt"))
		body, err := texts.ReadFile(path.Join("text", f.Name()))
		if err != nil {
			panic(err)
		}
		for line := range strings.Lines(string(body)) {
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			key, msg, ok := strings.Cut(line, " = ")
			if !ok || all[lang] == nil {
				twice = append(twice, f.Name()+": "+line)
				continue
			}
			if _, had := all[lang][key]; had {
				twice = append(twice, f.Name()+": "+key)
			}
			all[lang][key] = strings.ReplaceAll(msg, `\n`, "\n")
		}
	}
	return all, twice
}

// Has reports whether there is a message of that key.
func Has(key string) bool { _, ok := catalog[Zh][key]; return ok }

// T returns the message of key in the language with args filled in. An unknown
// key comes back as it is, so that a missing text is seen and not silent.
func (l Lang) T(key string, args ...any) string {
	if len(args) > 0 && fmt.Sprint(args[0]) == "1" {
		if msg, ok := catalog[l][key+".one"]; ok {
			return fmt.Sprintf(msg, args...)
		}
	}
	msg, ok := catalog[l][key]
	if !ok {
		return key
	}
	if len(args) == 0 {
		return msg
	}
	for i, a := range args {
		switch v := a.(type) {
		case Text:
			args[i] = v.In(l)
		}
	}
	return fmt.Sprintf(msg, args...)
}

// Parse returns the language that s names, and whether it is one of ours.
func Parse(s string) (Lang, bool) {
	for _, l := range Langs {
		if strings.EqualFold(s, string(l)) {
			return l, true
		}
	}
	return "", false
}

var matcher = language.NewMatcher([]language.Tag{language.SimplifiedChinese, language.English})

// Of returns the language a request asks for: the cookie "lang" that the
// switch sets, else the browser's languages, else Chinese.
func Of(r *http.Request) Lang {
	if c, err := r.Cookie("lang"); err == nil {
		if l, ok := Parse(c.Value); ok {
			return l
		}
	}
	tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil || len(tags) == 0 {
		return Zh
	}
	_, i, _ := matcher.Match(tags...)
	return Langs[i]
}
