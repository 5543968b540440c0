package record_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/org"
	"attune/internal/record"
	"attune/internal/testdb"

	"github.com/google/go-cmp/cmp"
)

func ptr[T any](v T) *T { return &v }

func write(t testing.TB, d *db.DB, do func(*db.Tx) error) {
	t.Helper()
	if err := d.Write(t.Context(), do); err != nil {
		t.Fatal(err)
	}
}

func TestWhatIsAppendedIsRead(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		one := record.Statement{
			Actor: "p1", Verb: record.Answered, Object: "item/i", Context: "attempt/a", Success: ptr(false), Score: ptr(-0.5),
			Duration: 1500 * time.Millisecond, Response: "B", Extra: map[string]any{"place": 3.0}, At: testdb.Start.Add(-time.Hour),
		}
		write(t, d, func(tx *db.Tx) error {
			id, err := record.Append(ctx, tx, one)
			if err != nil {
				return err
			}
			got, err := record.Find(ctx, tx, id)
			if err != nil {
				return err
			}
			want := one
			want.ID, want.Stored = id, got.Stored
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if !got.Stored.Equal(tx.Now.Truncate(time.Millisecond)) {
				t.Errorf("stored %v, want now", got.Stored)
			}
			return nil
		})
	})
}

func TestPagesFollowOneAnother(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		const n = 1700 // more than fit into one INSERT
		all := make([]record.Statement, n)
		for i := range all {
			all[i] = record.Statement{Actor: org.Pseudonym(fmt.Sprint("p", i%2)), Verb: record.Completed, Object: "activity/x", Context: "programme/g"}
			if i%3 == 0 {
				all[i].Verb = record.Launched
			}
			all[i].At = testdb.Start.Add(time.Duration(i/10) * time.Second) // ties, to be broken by identifier
		}
		var ids []record.StatementID
		write(t, d, func(tx *db.Tx) (err error) { ids, err = record.AppendAll(ctx, tx, all); return err })
		if err := d.Read(ctx, func(tx *db.Tx) error {
			var read []record.StatementID
			page := record.Page{Limit: 333}
			for {
				part, err := record.InContext(ctx, tx, "programme/g", page)
				if err != nil {
					return err
				}
				if len(part) == 0 {
					break
				}
				for _, s := range part {
					read = append(read, s.ID)
				}
				page.After = part[len(part)-1].ID
			}
			slices.Reverse(ids)
			if !slices.Equal(read, ids) {
				t.Errorf("read %d statements in another order than the %d written, latest first", len(read), n)
			}
			if c, err := record.Count(ctx, tx, record.Query{Actor: "p0", Verb: record.Launched}); err != nil || c != 284 {
				t.Errorf("count = %d, %v; want 284: every sixth of 1700, from the first", c, err)
			}
			if about, err := record.About(ctx, tx, "activity/none", record.Page{}); err != nil || len(about) != 0 {
				t.Errorf("about nothing: %d, %v", len(about), err)
			}
			mine, err := record.Of(ctx, tx, "p1", record.Page{Limit: 5})
			if err == nil && (len(mine) != 5 || mine[0].Actor != "p1") {
				t.Errorf("of p1: %v", mine)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestStatementsStay(t *testing.T) {
	testdb.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		write(t, d, func(tx *db.Tx) error {
			_, err := record.Append(ctx, tx, record.Statement{Actor: "p", Verb: record.Attended, Object: "session/s"})
			return err
		})
		for _, q := range []string{`DELETE FROM statement`, `UPDATE statement SET actor = 'q'`} {
			if err := d.Write(ctx, func(tx *db.Tx) error { _, err := tx.Exec(ctx, q); return err }); err == nil {
				t.Errorf("%s was done", q)
			}
		}
		for _, s := range []record.Statement{{Verb: record.Attended, Object: "x"}, {Actor: "p", Verb: record.Attended}, {Actor: "p", Verb: "v", Object: "x", Score: ptr(1.5)}} {
			if err := d.Write(ctx, func(tx *db.Tx) error { _, err := record.Append(ctx, tx, s); return err }); fault.Of(err) != fault.Invalid {
				t.Errorf("%+v: %v, want it refused", s, err)
			}
		}
	})
}

const base = "https://learn.example"

// The expected JSON was written by hand from the xAPI 1.0.3 specification, part
// two (statement data model) and its appendix.
func TestXAPI(t *testing.T) {
	s := record.Statement{
		ID: "0195c6f0-0000-7000-8000-000000000001", Actor: "Q7", Verb: record.Answered, Object: "item/i1", Context: "attempt/a1",
		Success: ptr(true), Score: ptr(1.0), Duration: 83450 * time.Millisecond, Response: "C", Extra: map[string]any{"place": 2.0},
		At:     time.Date(2026, 3, 2, 17, 0, 0, 5e6, time.FixedZone("", 8*3600)),
		Stored: time.Date(2026, 3, 2, 9, 0, 1, 0, time.UTC),
	}
	want := `{
		"id": "0195c6f0-0000-7000-8000-000000000001",
		"actor": {"objectType": "Agent", "account": {"homePage": "https://learn.example", "name": "Q7"}},
		"verb": {"id": "http://adlnet.gov/expapi/verbs/answered", "display": {"en": "answered"}},
		"object": {"objectType": "Activity", "id": "https://learn.example/xapi/activities/item/i1",
			"definition": {"type": "http://adlnet.gov/expapi/activities/cmi.interaction", "interactionType": "choice"}},
		"result": {"success": true, "score": {"scaled": 1}, "duration": "PT83.45S", "response": "C",
			"extensions": {"https://learn.example/xapi/extensions/place": 2}},
		"context": {"platform": "Attune", "contextActivities": {"parent": [
			{"objectType": "Activity", "id": "https://learn.example/xapi/activities/attempt/a1", "definition": {"type": "http://adlnet.gov/expapi/activities/attempt"}}]}},
		"timestamp": "2026-03-02T09:00:00.005Z", "stored": "2026-03-02T09:00:01.000Z",
		"authority": {"objectType": "Agent", "account": {"homePage": "https://learn.example", "name": "attune"}},
		"version": "1.0.0"
	}`
	if diff := cmp.Diff(decode(t, want), decode(t, encode(t, record.XAPI(s, base)))); diff != "" {
		t.Error(diff)
	}
}

// What we write we read back as the same fact.
func TestXAPIComesBack(t *testing.T) {
	for _, verb := range record.Verbs {
		s := record.Statement{
			ID: "0195c6f0-0000-7000-8000-000000000001", Actor: "Q7", Verb: verb, Object: "session/s1", Context: "programme/g",
			Score: ptr(0.25), Duration: 90 * time.Minute, At: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC),
		}
		got, err := record.ParseXAPI([]byte(encode(t, record.XAPI(s, base))), base, func(a record.Agent) (org.Pseudonym, bool) {
			return org.Pseudonym(a.Account.Name), a.Account.HomePage == base
		})
		if err != nil {
			t.Fatal(err)
		}
		got.Extra = nil
		if diff := cmp.Diff(s, got); diff != "" {
			t.Errorf("%s: %s", verb, diff)
		}
	}
}

func TestParseXAPI(t *testing.T) {
	who := func(a record.Agent) (org.Pseudonym, bool) {
		return "Q7", a.Mbox == "mailto:li.lei@shop.example"
	}
	good := `{
		"actor": {"name": "Li Lei", "mbox": "mailto:li.lei@shop.example"},
		"verb": {"id": "http://verbs.example/watched"},
		"object": {"id": "http://videos.example/7", "definition": {"name": {"en": "Greeting"}}},
		"result": {"duration": "PT1H2M3.5S", "score": {"scaled": 0.5, "raw": 5}},
		"context": {"instructor": {"name": "Han Meimei", "mbox": "mailto:han@shop.example"},
			"team": {"objectType": "Group", "name": "Team Li Lei", "member": [{"name": "Li Lei", "mbox": "mailto:li.lei@shop.example"}]},
			"contextActivities": {"parent": {"id": "http://videos.example/"}}},
		"authority": {"mbox": "mailto:lrs@shop.example"},
		"timestamp": "2026-03-02T17:00:00+08:00"
	}`
	s, err := record.ParseXAPI([]byte(good), base, who)
	if err != nil {
		t.Fatal(err)
	}
	kept := encode(t, s.Extra)
	for _, name := range []string{"Li Lei", "Han Meimei", "shop.example"} {
		if strings.Contains(kept, name) {
			t.Errorf("%q stays in what is kept: %s", name, kept)
		}
	}
	if !strings.Contains(kept, "Greeting") || !strings.Contains(kept, `"raw":5`) {
		t.Errorf("not kept whole: %s", kept)
	}
	s.Extra = nil
	want := record.Statement{
		Actor: "Q7", Verb: "http://verbs.example/watched", Object: "http://videos.example/7", Context: "http://videos.example/",
		Score: ptr(0.5), Duration: 3723500 * time.Millisecond, At: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC),
	}
	if !s.At.Equal(want.At) {
		t.Errorf("at %v, want %v", s.At, want.At)
	}
	s.At = want.At
	if diff := cmp.Diff(want, s); diff != "" {
		t.Error(diff)
	}
	for _, tt := range []struct{ name, old, new, key string }{
		{"not JSON", `{`, ``, "record.xapi.json"},
		{"no verb", `"verb"`, `"werb"`, "record.xapi.missing"},
		{"verb is no IRI", `http://verbs.example/watched`, `watched`, "record.xapi.invalid"},
		{"score beyond 1", `0.5`, `1.5`, "record.xapi.invalid"},
		{"duration", `PT1H2M3.5S`, `1 hour`, "record.xapi.invalid"},
		{"duration without parts", `PT1H2M3.5S`, `PT`, "record.xapi.invalid"},
		{"time", `2026-03-02T17:00:00+08:00`, `yesterday`, "record.xapi.invalid"},
		{"stranger", `li.lei@`, `somebody@`, "record.xapi.actor"},
	} {
		_, err := record.ParseXAPI([]byte(strings.ReplaceAll(good, tt.old, tt.new)), base, who)
		if e, ok := fault.As(err); !ok || e.Key != tt.key {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.key)
		}
	}
}

func encode(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func decode(t *testing.T, s string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func BenchmarkAppend(b *testing.B) {
	d := testdb.SQLite(b)
	write(b, d, func(tx *db.Tx) error {
		for b.Loop() {
			if _, err := record.Append(b.Context(), tx, record.Statement{Actor: "p", Verb: record.Experienced, Object: "activity/x", Context: "programme/g", Extra: map[string]any{"open": 1}}); err != nil {
				return err
			}
		}
		return nil
	})
}
