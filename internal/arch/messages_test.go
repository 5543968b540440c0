package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"attune/internal/locale"
)

// told are texts that are message keys wherever they stand: warnings of a
// result, and reasons to improve.
var told = regexp.MustCompile(`^([a-z]+\.warn|improve)\.[a-z_]+$`)

// Whatever can go wrong is said in words: every fault and every warning that
// the code names has a message.
func TestFaultsHaveMessages(t *testing.T) {
	found := 0
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && (strings.HasPrefix(e.Name(), ".") && path != root || e.Name() == "node_modules" || e.Name() == "testdata"):
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		files := token.NewFileSet()
		f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for key, at := range messageKeys(f) {
			found++
			if !locale.Has(key) {
				t.Errorf("%s: %s has no message", files.Position(at), key)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found < 100 { // there are over 200; none would mean that the search is blind
		t.Errorf("only %d keys were found", found)
	}
}

// messageKeys returns the message keys that a file names: what fault.New and
// fault.Wrap are given, the Key of a fault.Error, and what told matches.
func messageKeys(f *ast.File) map[string]token.Pos {
	keys := map[string]token.Pos{}
	add := func(e ast.Expr, which *regexp.Regexp) {
		lit, ok := e.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			return
		}
		if s, err := strconv.Unquote(lit.Value); err == nil && (which == nil || which.MatchString(s)) {
			keys[s] = lit.Pos()
		}
	}
	is := func(e ast.Expr, name string) bool {
		sel, ok := e.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		pkg, ok := sel.X.(*ast.Ident)
		return ok && pkg.Name == "fault" && sel.Sel.Name == name
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			switch {
			case is(n.Fun, "New") && len(n.Args) > 1:
				add(n.Args[1], nil)
			case is(n.Fun, "Wrap") && len(n.Args) > 2:
				add(n.Args[2], nil)
			}
		case *ast.CompositeLit:
			if !is(n.Type, "Error") {
				break
			}
			for _, x := range n.Elts {
				if kv, ok := x.(*ast.KeyValueExpr); ok {
					if name, ok := kv.Key.(*ast.Ident); ok && name.Name == "Key" {
						add(kv.Value, nil)
					}
				}
			}
		case *ast.BasicLit:
			add(n, told)
		}
		return true
	})
	return keys
}

func TestMessageKeys(t *testing.T) {
	const src = `package x
func f() error {
	warn = append(warn, "evaluate.warn.small", "a.b", "improve.c", "lab.warn.")
	fault.Wrap(err, fault.Invalid, "w.k", "arg")
	g(&fault.Error{Kind: "k", Key: "e.k"}, other.New("a", "b"), fault.Error{})
	return fault.New(fault.Invalid, "n.k")
}`
	f, err := parser.ParseFile(token.NewFileSet(), "", src, 0)
	if err != nil {
		t.Fatal(err)
	}
	keys := messageKeys(f)
	want := []string{"evaluate.warn.small", "improve.c", "w.k", "e.k", "n.k"}
	for _, k := range want {
		if _, ok := keys[k]; !ok {
			t.Errorf("%s was not seen", k)
		}
	}
	if len(keys) != len(want) {
		t.Errorf("saw %v, want %v", keys, want)
	}
}
