// Package arch holds the shape of the code as a test: which packages there
// are, in which order they stand, and that imports point one way.
package arch

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// order lists the packages from the ground up. A package may import what
// stands above it in this list, and nothing else of ours.
var order = strings.Fields(`
	internal/engine/irt
	internal/engine/memory
	internal/engine/trace
	internal/engine/solve
	internal/engine/solve/check
	internal/engine/timetable
	internal/engine/effect
	internal/engine/rank
	internal/engine/text
	internal/engine/encoder
	internal/fault
	internal/locale
	internal/db
	internal/testdb
	internal/blob
	internal/job
	internal/audit
	internal/auth
	internal/privacy
	internal/model
	internal/org/onet
	internal/org
	internal/content/standard
	internal/content
	internal/record
	internal/attention
	internal/delivery
	internal/assess
	internal/recall
	internal/evaluate
	internal/need
	internal/recommend
	internal/plan
	internal/assist
	internal/opinion
	internal/api
	internal/web
	internal/demo/retail
	internal/demo
	internal/arch
	internal/lab
	cmd/attune
	e2e
`)

const module = "attune/"

// root is the repository's root, seen from this package.
const root = "../.."

func TestImportsPointDown(t *testing.T) {
	rank := map[string]int{}
	for i, p := range order {
		rank[module+p] = i
	}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && (strings.HasPrefix(e.Name(), ".") && path != root || e.Name() == "node_modules" || e.Name() == "testdata") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		self := module + filepath.ToSlash(dir)
		at, ok := rank[self]
		if !ok {
			t.Errorf("%s: the package has no place in order", path)
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, imp := range f.Imports {
			name, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				return err
			}
			if !strings.HasPrefix(name, module) || name == self {
				continue
			}
			r, ok := rank[name]
			switch {
			case !ok:
				t.Errorf("%s imports %s, which has no place in order", path, name)
			case r > at && !strings.HasSuffix(path, "_test.go"):
				t.Errorf("%s imports %s, which stands below it", path, name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPackagesSayWhatTheyAre(t *testing.T) {
	for _, p := range order {
		dir := filepath.Join(root, p)
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			continue
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		said := len(files) == 0
		for _, name := range files {
			f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.PackageClauseOnly|parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			said = said || f.Doc.Text() != ""
		}
		if !said {
			t.Errorf("%s has no package comment", p)
		}
	}
}
