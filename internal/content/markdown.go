package content

import (
	"bytes"
	"html/template"
	"regexp"
	"sync"

	"attune/internal/locale"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

var markdown = sync.OnceValue(func() goldmark.Markdown {
	return goldmark.New(
		goldmark.WithExtensions(
			extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)),
			extension.Strikethrough,
			// A line ending between two Chinese characters is no space.
			extension.NewCJK(extension.WithEastAsianLineBreaks(extension.EastAsianLineBreaksCSS3Draft), extension.WithEscapedSpace()),
		),
		goldmark.WithParserOptions(parser.WithASTTransformers(util.Prioritized(lowerHeadings{}, 100))),
	)
})

// lowerHeadings moves headings down one level: the page's own title is its one
// first-level heading.
type lowerHeadings struct{}

func (lowerHeadings) Transform(doc *ast.Document, _ text.Reader, _ parser.Context) {
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		if h, ok := n.(*ast.Heading); ok {
			h.Level = min(6, h.Level+1)
		}
	}
}

// local matches addresses on this site: a page that loads from elsewhere would
// tell others who learns what.
var local = regexp.MustCompile(`^/[^/\\]`)

var safe = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "h2", "h3", "h4", "h5", "h6", "strong", "em", "del", "blockquote",
		"ul", "li", "pre", "code", "table", "thead", "tbody", "tr")
	p.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	p.AllowElements("ol")
	p.AllowAttrs("align").Matching(regexp.MustCompile(`^(left|center|right)$`)).OnElements("th", "td")
	p.AllowElements("th", "td")
	p.AllowAttrs("href").OnElements("a")
	p.AllowRelativeURLs(true)
	p.AllowURLSchemes("http", "https", "mailto")
	p.RequireNoReferrerOnLinks(true)
	p.RequireNoFollowOnLinks(true)
	p.AddTargetBlankToFullyQualifiedLinks(true)
	p.AllowAttrs("src").Matching(local).OnElements("img")
	p.AllowAttrs("alt", "title").OnElements("img")
	return p
})

// HTML renders Markdown that an author wrote as HTML that is safe to show:
// no script, style, form or frame, no picture from another host. Raw HTML in
// the text is left out.
func HTML(source string) (template.HTML, error) {
	var b bytes.Buffer
	if err := markdown().Convert([]byte(source), &b); err != nil {
		return "", err
	}
	return template.HTML(safe().SanitizeBytes(b.Bytes())), nil
}

// BodyIn renders the body in a language.
func (a *Activity) BodyIn(l locale.Lang) (template.HTML, error) { return HTML(a.Body.In(l)) }
