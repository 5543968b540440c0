package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"attune": main})
}

// Each testdata/*.txt runs the program as a person would, in a folder of its own.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("LC_ALL", "en_US.UTF-8")
			nsw, err := os.ReadFile("../../internal/engine/effect/testdata/nsw.csv")
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(e.WorkDir, "nsw.csv"), nsw, 0o644)
		},
	})
}
