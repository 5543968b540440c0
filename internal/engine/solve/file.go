package solve

import (
	"io"

	"github.com/go-json-experiment/json"
)

// Read reads an instance from JSON, in the form that its type documents, without
// holding the text. It does not validate.
func Read(r io.Reader) (*Instance, error) {
	in := new(Instance)
	if err := json.UnmarshalRead(r, in); err != nil {
		return nil, err
	}
	return in, nil
}

// Write writes an instance so that Read reads it back.
func (in *Instance) Write(w io.Writer) error { return json.MarshalWrite(w, in) }

// ReadPlan reads a plan from JSON.
func ReadPlan(r io.Reader) (*Plan, error) {
	p := new(Plan)
	if err := json.UnmarshalRead(r, p); err != nil {
		return nil, err
	}
	return p, nil
}

// Write writes a plan so that ReadPlan reads it back.
func (p *Plan) Write(w io.Writer) error { return json.MarshalWrite(w, p) }
