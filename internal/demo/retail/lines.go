package retail

import (
	"fmt"
	"strconv"
	"strings"

	"attune/internal/locale"
)

// The files of lines: the first character says what a line is, the two
// languages stand on one line with || between them, and ; begins a comment.

// line is a marked line of a file.
type line struct {
	at   string // file and number, for messages
	mark string // up to the first space
	rest string
}

func readLines(name string) ([]line, error) {
	b, err := data.ReadFile("data/" + name)
	if err != nil {
		return nil, err
	}
	var out []line
	n := 0
	for s := range strings.Lines(string(b)) {
		n++
		s = strings.TrimSpace(s)
		if s == "" || s[0] == ';' {
			continue
		}
		mark, rest, _ := strings.Cut(s, " ")
		out = append(out, line{fmt.Sprintf("%s:%d", name, n), mark, strings.TrimSpace(rest)})
	}
	return out, nil
}

func (l line) fault(what string) error { return fmt.Errorf("%s: %s", l.at, what) }

// both splits the two languages.
func (l line) both(s string) (locale.Text, error) {
	zh, en, ok := strings.Cut(s, "||")
	t := locale.Both(strings.TrimSpace(zh), strings.TrimSpace(en))
	if !ok || t.Zh == "" || t.En == "" || strings.Contains(t.En, "||") {
		return t, l.fault("does not hold two languages")
	}
	return t, nil
}

// readItems reads a skill's items:
//
//	@ key of a part, its name || name
//	? stem || stem              (?? where it is asked in a quiz)
//	- wrong option || option
//	+ right option || option
func readItems(skill string) (parts []Part, items []Item, err error) {
	lines, err := readLines("items/" + skill + ".txt")
	if err != nil {
		return nil, nil, err
	}
	for _, l := range lines {
		text := l.rest
		if l.mark == "@" {
			key, name, _ := strings.Cut(l.rest, " ")
			parts = append(parts, Part{Key: key})
			text = name
		}
		t, err := l.both(text)
		if err != nil {
			return nil, nil, err
		}
		if l.mark == "@" {
			parts[len(parts)-1].Name = t
			continue
		}
		switch l.mark {
		case "?", "??":
			if len(parts) == 0 {
				return nil, nil, l.fault("an item of no part")
			}
			items = append(items, Item{
				Key: fmt.Sprintf("%s-%02d", skill, len(items)+1), Skill: skill, Part: parts[len(parts)-1],
				Stem: t, Answer: -1, Quiz: l.mark == "??",
			})
			continue
		}
		if len(items) == 0 {
			return nil, nil, l.fault("an option of no item")
		}
		it := &items[len(items)-1]
		switch l.mark {
		case "+":
			if it.Answer >= 0 {
				return nil, nil, l.fault("a second right option")
			}
			it.Answer = len(it.Options)
		case "-":
		default:
			return nil, nil, l.fault("a line of no known kind")
		}
		it.Options = append(it.Options, t)
	}
	return parts, items, nil
}

// readScene reads a branching scene:
//
//	# id                        (# id 0.8 of an ending, with its score)
//	says || says
//	> next choice || choice
//	! why || why
//
// A line with another mark is what is said at the node.
func readScene(key string) ([]Node, error) {
	lines, err := readLines("scenes/" + key + ".txt")
	if err != nil {
		return nil, err
	}
	var nodes []Node
	for _, l := range lines {
		if l.mark == "#" {
			f := strings.Fields(l.rest)
			n := Node{ID: f[0]}
			if len(f) > 1 {
				if n.Score, err = strconv.ParseFloat(f[1], 64); err != nil {
					return nil, l.fault(err.Error())
				}
			}
			nodes = append(nodes, n)
			continue
		}
		if len(nodes) == 0 {
			return nil, l.fault("a line of no node")
		}
		n := &nodes[len(nodes)-1]
		switch l.mark {
		case ">":
			next, says, _ := strings.Cut(l.rest, " ")
			t, err := l.both(says)
			if err != nil {
				return nil, err
			}
			n.Choices = append(n.Choices, Choice{Says: t, Next: next})
		case "!":
			if len(n.Choices) == 0 {
				return nil, l.fault("a reason of no choice")
			}
			if n.Choices[len(n.Choices)-1].Why, err = l.both(l.rest); err != nil {
				return nil, err
			}
		default:
			if n.Says, err = l.both(l.mark + " " + l.rest); err != nil {
				return nil, err
			}
		}
	}
	return nodes, nil
}

// readComments reads what people write, under headings of
// "# language skill-or-all aspect sentiment".
func readComments() ([]Comment, error) {
	lines, err := readLines("comments.txt")
	if err != nil {
		return nil, err
	}
	var out []Comment
	var head Comment
	for _, l := range lines {
		if l.mark != "#" {
			c := head
			c.Text = strings.TrimSpace(l.mark + " " + l.rest)
			out = append(out, c)
			continue
		}
		f := strings.Fields(l.rest)
		if len(f) != 4 {
			return nil, l.fault("a heading has four words")
		}
		head = Comment{Lang: locale.Lang(f[0]), Skill: f[1], Aspect: f[2]}
		if head.Skill == "all" {
			head.Skill = ""
		}
		if head.Sentiment, err = strconv.Atoi(f[3]); err != nil {
			return nil, l.fault(err.Error())
		}
	}
	return out, nil
}
