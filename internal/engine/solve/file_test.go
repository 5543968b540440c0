package solve

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestFilesKeepEverything(t *testing.T) {
	in := Generate(60, 1, GenerateOptions{})
	in.Cover = []Cover{{-1, 0, 1440, 0.1}}
	p, err := Solve(t.Context(), in, Options{Work: 200_000, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := in.Write(&text); err != nil {
		t.Fatal(err)
	}
	again, err := Read(&text)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(in, again, cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}
	text.Reset()
	if err := p.Write(&text); err != nil {
		t.Fatal(err)
	}
	plan, err := ReadPlan(&text)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(p, plan, cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}
}
