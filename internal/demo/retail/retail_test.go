package retail

import (
	"testing"
)

func TestX(t *testing.T) {
	s := Load()
	z, e := 0, 0
	for _, c := range s.Comments {
		if c.Lang == "en" {
			e++
		} else {
			z++
		}
	}
	t.Log(len(s.Items), len(s.Courses), z, e, len(s.Interviews))
}
