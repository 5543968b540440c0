package locale

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
)

// Text is a name or text that the company wrote, in one language or both. In
// the database it is one JSON column.
type Text struct {
	Zh string `json:"zh,omitempty"`
	En string `json:"en,omitempty"`
}

// Both returns a Text of the two languages.
func Both(zh, en string) Text { return Text{zh, en} }

// In returns the text in the language, or in the other where there is none.
func (t Text) In(l Lang) string {
	if l == En && t.En != "" || t.Zh == "" {
		return t.En
	}
	return t.Zh
}

// Empty reports whether nothing was written.
func (t Text) Empty() bool { return t.Zh == "" && t.En == "" }

// Value implements driver.Valuer.
func (t Text) Value() (driver.Value, error) {
	b, err := json.Marshal(t)
	return string(b), err
}

// Scan implements sql.Scanner.
func (t *Text) Scan(v any) error {
	switch v := v.(type) {
	case string:
		return json.Unmarshal([]byte(v), t)
	case []byte:
		return json.Unmarshal(v, t)
	case nil:
		*t = Text{}
		return nil
	}
	return fmt.Errorf("locale: cannot scan %T into Text", v)
}
