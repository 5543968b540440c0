//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"attune/internal/assess"
	"attune/internal/content"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/fault"
	"attune/internal/locale"
	"attune/internal/org"
	"attune/internal/plan"
	"attune/internal/testdb"
)

func init() {
	helpers["answering"] = func() { helper(answering) }
	helpers["approving"] = func() { helper(approving) }
	helpers["limited"] = func() { helper(limited) }
}

func helper(do func(ctx context.Context, args []string) error) {
	if err := do(context.Background(), os.Args[1:]); err != nil {
		if e, ok := fault.As(err); ok {
			err = errors.New(locale.En.T(e.Key, e.Args...))
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// limited BYTES COMMAND… runs a command that can write no file longer than
// that, as on a disk that is full.
func limited(_ context.Context, args []string) error {
	n, err := strconv.ParseUint(args[0], 10, 64)
	if err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
		return err
	}
	path, err := exec.LookPath(args[1])
	if err != nil {
		return err
	}
	return syscall.Exec(path, args[1:], os.Environ())
}

// answering DATABASE FROM lets one person after the other, from that one on, sit
// the practice test and go through the quizzes they are enrolled in, and prints
// each answer once it is saved.
func answering(ctx context.Context, args []string) error {
	d, err := db.Open(ctx, args[0])
	if err != nil {
		return err
	}
	defer d.Close()
	var people []org.Person
	var quizzes []content.Activity
	if err := d.Read(ctx, func(t *db.Tx) (err error) {
		if people, err = org.People(ctx, t); err != nil {
			return err
		}
		all, err := content.Activities(ctx, t)
		for _, a := range all {
			if a.Kind == content.Quiz {
				quizzes = append(quizzes, a)
			}
		}
		return err
	}); err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for _, p := range people[number(args[1]):] {
		var a assess.Attempt
		var form []content.ItemID
		if err := d.Write(ctx, func(t *db.Tx) (err error) {
			if a, err = assess.Start(ctx, t, "practice", p, rng); err != nil {
				return err
			}
			form, err = assess.Form(ctx, t, a.ID)
			return err
		}); err != nil {
			return err
		}
		for i := range form {
			choice := rng.IntN(2)
			if err := d.Write(ctx, func(t *db.Tx) error { return assess.Give(ctx, t, a.ID, p, i+1, choice) }); err != nil {
				return err
			}
			fmt.Println("test", a.ID, i+1, choice)
		}
		for _, q := range quizzes {
			if err := quiz(ctx, d, p, &q, rng); fault.Of(err) != fault.Denied && err != nil { // denied: not enrolled
				return err
			}
		}
	}
	return nil
}

// answered is what the player keeps of a quiz in these tests: how many answers
// were given.
type answered struct {
	Given int `json:"given"`
}

func quiz(ctx context.Context, d *db.DB, p org.Person, q *content.Activity, rng *rand.Rand) error {
	var at delivery.Progress
	if err := d.Write(ctx, func(t *db.Tx) (err error) {
		at, err = delivery.Launch(ctx, t, p.ID, q.ID)
		return err
	}); err != nil {
		return err
	}
	if time.Since(at.StartedAt) > time.Minute {
		return nil // begun when the sample company was lived
	}
	for i, it := range q.Spec.Items {
		choice := rng.IntN(2)
		if err := d.Write(ctx, func(t *db.Tx) error {
			if _, err := delivery.Answer(ctx, t, p.ID, q.ID, it, choice); err != nil {
				return err
			}
			state, err := json.Marshal(answered{i + 1})
			if err != nil {
				return err
			}
			at.Version, err = delivery.Save(ctx, t, p.ID, q.ID, state, at.Version)
			return err
		}); err != nil {
			return err
		}
		fmt.Println("quiz", p.ID, q.ID, i+1)
	}
	return nil
}

// approving DATABASE PLAN [hold] approves a plan; with hold it stops when all
// is written but not committed.
func approving(ctx context.Context, args []string) error {
	d, err := db.Open(ctx, args[0])
	if err != nil {
		return err
	}
	defer d.Close()
	fmt.Println("approving")
	if err := d.Write(ctx, func(t *db.Tx) error {
		_, err := plan.Approve(ctx, t, plan.ID(args[1]), "a test")
		if err == nil && len(args) > 2 {
			fmt.Println("written")
			select {} // until killed
		}
		return err
	}); err != nil {
		return err
	}
	fmt.Println("approved")
	return nil
}

// running is a process that will be killed.
type running struct {
	cmd   *exec.Cmd
	lines *bufio.Scanner
	errs  *bytes.Buffer
}

func start(t *testing.T, env []string, name string, args ...string) *running {
	t.Helper()
	r := &running{cmd: exec.Command(name, args...), errs: new(bytes.Buffer)}
	r.cmd.Env, r.cmd.Stderr = append(os.Environ(), env...), r.errs
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r.lines = bufio.NewScanner(out)
	t.Cleanup(func() {
		r.cmd.Process.Kill()
		r.cmd.Wait()
	})
	return r
}

// kill is kill -9, and returns what the process had printed and nobody read.
func (r *running) kill(t *testing.T) (rest []string) {
	t.Helper()
	if err := r.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
	for r.lines.Scan() {
		rest = append(rest, r.lines.Text())
	}
	r.cmd.Wait() // says that it was killed
	return rest
}

// on runs a test with a database URL of each engine. Whatever database file is
// given, its copy is what the URL names.
func on(t *testing.T, file func(t *testing.T) string, do func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { do(t, file(t)) })
	t.Run("postgres", func(t *testing.T) {
		url := testdb.PostgresURL(t)
		d := opened(t, url)
		if err := d.Restore(t.Context(), file(t)); err != nil {
			t.Fatal(err)
		}
		do(t, url)
	})
}

func opened(t *testing.T, url string) *db.DB {
	t.Helper()
	d, err := db.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// look opens a database for as long as do takes, so that it is closed again
// before the next process comes to it.
func look(t *testing.T, url string, do func(d *db.DB)) {
	t.Helper()
	d, err := db.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	do(d)
}

// sound checks what the engine itself can say of a database.
func sound(t *testing.T, d *db.DB) {
	t.Helper()
	if d.Engine != db.SQLite {
		return
	}
	if err := d.Read(t.Context(), func(tx *db.Tx) error {
		for _, ask := range []struct{ query, want string }{
			{"PRAGMA integrity_check", "ok"},
			{"SELECT count(*) || '' FROM pragma_foreign_key_check", "0"},
		} {
			if got, err := db.Row(t.Context(), tx, db.One[string], ask.query); err != nil || got != ask.want {
				t.Errorf("%s: %q, %v", ask.query, got, err)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// counts runs queries that return one number each.
func counts(t *testing.T, d *db.DB, args []any, queries ...string) (all []int) {
	t.Helper()
	if err := d.Read(t.Context(), func(tx *db.Tx) error {
		for _, q := range queries {
			n, err := db.Row(t.Context(), tx, db.One[int], q, args...)
			if err != nil {
				return fmt.Errorf("%s: %w", q, err)
			}
			all = append(all, n)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// An import killed at any moment, that of its first migration among them, has
// either happened or not, and can be run again.
func TestKilledImport(t *testing.T) {
	const rows = 10_000
	bin := built(t)
	file := filepath.Join(t.TempDir(), "staff.csv")
	if err := os.WriteFile(file, employees(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	run := func(t *testing.T, at string) {
		t.Helper()
		if out, err := exec.Command(bin, "--db", at, "import", "people", "--json", file).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	run(t, filepath.Join(t.TempDir(), "whole.db"))
	took := time.Since(began)
	t.Logf("%d rows in %v", rows, took.Round(time.Millisecond))
	kills := 3
	if os.Getenv("ATTUNE_LONG") != "" {
		kills = 20
	}
	rng := rand.New(rand.NewPCG(2, 1))
	none, all := 0, 0
	for i := range kills {
		at := filepath.Join(t.TempDir(), "killed.db")
		// Spread over the whole run, and a little past its end.
		after := time.Duration((float64(i) + rng.Float64()) / float64(kills) * 1.1 * float64(took))
		p := start(t, nil, bin, "--db", at, "import", "people", "--json", file)
		time.Sleep(after)
		p.kill(t)
		look(t, at, func(d *db.DB) {
			if err := d.Migrate(t.Context()); err != nil { // what was killed before it migrated
				t.Fatalf("killed after %v: %v", after, err)
			}
			sound(t, d)
			n := counts(t, d, nil, `SELECT count(*) FROM person`, `SELECT count(*) FROM audit`, `SELECT count(*) FROM unit`, `SELECT count(*) FROM position`)
			switch {
			case n[0] == 0 && n[1] == 0 && n[2] == 0 && n[3] == 0:
				none++
			case n[0] == rows && n[1] == 1:
				all++
			default:
				t.Errorf("killed after %v: people, audit entries, units, positions: %v", after, n)
			}
		})
		run(t, at)
		if n := counts(t, opened(t, at), nil, `SELECT count(*) FROM person`, `SELECT count(*) FROM audit`); n[0] != rows || n[1] != 1 {
			t.Errorf("imported again after a kill at %v: people, audit entries: %v", after, n)
		}
	}
	t.Logf("of %d kills, %d before the import and %d after it", kills, none, all)
}

// An import for which the disk has no room says so, writes nothing, and
// succeeds once there is room.
func TestFullDiskImport(t *testing.T) {
	const rows = 5000
	bin := built(t)
	file, at := filepath.Join(t.TempDir(), "staff.csv"), filepath.Join(t.TempDir(), "full.db")
	if err := os.WriteFile(file, employees(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(bin, "--db", at, "migrate").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for lang, want := range map[string]string{"en": "attune: The disk is full", "zh-CN": "attune: 磁盘已满"} {
		out, err := exec.Command("limited", "1000000", bin, "--db", at, "--lang", lang, "import", "people", file).CombinedOutput()
		if code := exitCode(err); code != 1 || !strings.HasPrefix(string(out), want) {
			t.Errorf("exit %d: %s, want 1 and %q", code, out, want)
		}
		look(t, at, func(d *db.DB) {
			sound(t, d)
			if n := counts(t, d, nil, `SELECT count(*) FROM person`, `SELECT count(*) FROM unit`, `SELECT count(*) FROM audit`); n[0]+n[1]+n[2] != 0 {
				t.Errorf("people, units, audit entries: %v", n)
			}
		})
	}
	if out, err := exec.Command(bin, "--db", at, "import", "people", file).CombinedOutput(); err != nil {
		t.Errorf("with room again: %v: %s", err, out)
	}
}

func exitCode(err error) int {
	var e *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e):
		return e.ExitCode()
	}
	return -1
}

// holdsAnswers holds what a process printed as saved against what is there.
func holdsAnswers(t *testing.T, url string, printed []string, kills int) {
	t.Helper()
	d := opened(t, url)
	sound(t, d)
	tests, quizzes := 0, 0
	if err := d.Read(t.Context(), func(tx *db.Tx) error {
		for _, line := range printed {
			f := strings.Fields(line)
			var n int
			var err error
			switch f[0] {
			case "test":
				tests++
				n, err = db.Row(t.Context(), tx, db.One[int], `
					SELECT count(*) FROM answer w JOIN statement s ON s.id = w.statement_id
					WHERE w.attempt_id = $1 AND w.place = $2 AND w.choice = $3 AND s.verb = 'answered' AND s.response = $4
						AND s.context = 'attempt/' || w.attempt_id AND s.object = 'item/' || w.item_id AND s.success = w.correct`,
					f[1], number(f[2]), number(f[3]), f[3])
			case "quiz":
				quizzes++
				n, err = db.Row(t.Context(), tx, db.One[int], `
					SELECT count(*) FROM progress g JOIN person p ON p.id = g.person_id
					WHERE g.person_id = $1 AND g.activity_id = $2 AND CAST(g.state AS TEXT) LIKE '{"given":%' AND $3 <= (
						SELECT count(*) FROM statement s WHERE s.actor = p.pseudonym AND s.verb = 'answered' AND s.context = 'activity/' || g.activity_id AND s.at >= g.started_at)`,
					f[1], f[2], number(f[3]))
			}
			if err != nil {
				return err
			}
			if n != 1 {
				t.Errorf("%q was printed as saved; found %d times", line, n)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	n := counts(t, d, nil,
		`SELECT count(*) FROM answer w JOIN attempt a ON a.id = w.attempt_id WHERE a.test_id = 'practice' AND w.choice IS NOT NULL`,
		`SELECT count(*) FROM answer w LEFT JOIN statement s ON s.id = w.statement_id WHERE (w.choice IS NULL) <> (s.id IS NULL) OR (w.choice IS NULL) <> (w.answered_at IS NULL)`,
		`SELECT count(*) FROM statement s WHERE s.verb = 'answered' AND s.context IN (SELECT 'attempt/' || id FROM attempt)
			AND s.id NOT IN (SELECT statement_id FROM answer WHERE statement_id IS NOT NULL)`,
		`SELECT coalesce(sum(CAST(substr(g.state, 10, length(g.state) - 10) AS INTEGER)), 0) FROM progress g WHERE g.state LIKE '{"given":%'`,
		`SELECT count(*) FROM progress g JOIN person p ON p.id = g.person_id
			JOIN statement s ON s.actor = p.pseudonym AND s.verb = 'answered' AND s.context = 'activity/' || g.activity_id AND s.at >= g.started_at
			WHERE g.state LIKE '{"given":%'`)
	if n[1] != 0 || n[2] != 0 || n[3] != n[4] {
		t.Errorf("half written: %d answers, %d statements; the quizzes' states say %d answers, their statements %d", n[1], n[2], n[3], n[4])
	}
	// The one in flight at a kill may have been saved and not yet printed.
	if more := n[0] + n[3] - tests - quizzes; more < 0 || more > kills || tests == 0 || quizzes == 0 {
		t.Errorf("%d+%d answers printed as saved, %d+%d found", tests, quizzes, n[0], n[3])
	}
	t.Logf("%d answers of a test and %d of quizzes were saved", tests, quizzes)
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

// Every answer that was acknowledged before kill -9 is there with its
// statement, and none by half.
func TestKilledAnswers(t *testing.T) {
	on(t, func(t *testing.T) string { return company(t) }, func(t *testing.T, url string) {
		rng := rand.New(rand.NewPCG(3, 1))
		var printed []string
		const kills = 3
		for i := range kills {
			p := start(t, nil, "answering", url, strconv.Itoa(25*i))
			for range 40 + rng.IntN(120) {
				if !p.lines.Scan() {
					t.Fatalf("ended by itself: %s", p.errs)
				}
				printed = append(printed, p.lines.Text())
			}
			time.Sleep(time.Duration(rng.IntN(5000)) * time.Microsecond)
			printed = append(printed, p.kill(t)...)
		}
		holdsAnswers(t, url, printed, kills)
	})
}

// Where the disk is full an answer is refused, and those before it are there.
func TestFullDiskAnswers(t *testing.T) {
	at := company(t)
	p := start(t, nil, "limited", "1500000", "answering", at, "0")
	var printed []string
	for p.lines.Scan() {
		printed = append(printed, p.lines.Text())
	}
	if code := exitCode(p.cmd.Wait()); code != 1 || !strings.HasPrefix(p.errs.String(), "The disk is full") {
		t.Errorf("exit %d: %s", code, p.errs)
	}
	holdsAnswers(t, at, printed, 0)
}

// solved is the sample company with one more programme that has scarce seats,
// and a plan of it that is not yet approved.
var solved = sync.OnceValues(func() (file string, err error) {
	from, err := sample()
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return "", err
	}
	file = filepath.Join(shared(), "solved.db")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return "", err
	}
	ctx := context.Background()
	d, err := db.Open(ctx, file)
	if err != nil {
		return "", err
	}
	defer d.Close()
	if err := d.Write(ctx, func(t *db.Tx) error {
		all, err := delivery.Programmes(ctx, t)
		if err != nil {
			return err
		}
		var first delivery.Programme
		for _, p := range all {
			if p.Cycle == 1 {
				first = p
			}
		}
		offerings, err := delivery.Offerings(ctx, t, first.ID)
		if err != nil {
			return err
		}
		sessions, err := delivery.Sessions(ctx, t, first.ID)
		if err != nil {
			return err
		}
		again := first
		again.ID, again.Cycle, again.Name, again.Stage, again.ClosedAt = "again", 9, locale.Both("再来一次", "Once more"), delivery.StageNeed, time.Time{}
		const days = 364 // the same weekday
		again.StartsOn = first.StartsOn.AddDate(0, 0, days)
		if err := delivery.Open(ctx, t, again); err != nil {
			return err
		}
		for i, o := range offerings {
			o.ID, o.Programme = "again-"+o.ID, again.ID
			if o.After != "" {
				o.After = "again-" + o.After
			}
			if !o.Due.IsZero() {
				o.Due = o.Due.AddDate(0, 0, days)
			}
			offerings[i] = o
		}
		for i, s := range sessions {
			s.ID, s.Offering = "again-"+s.ID, "again-"+s.Offering
			s.StartsAt, s.EndsAt = s.StartsAt.AddDate(0, 0, days), s.EndsAt.AddDate(0, 0, days)
			s.Seats = (s.Seats + 1) / 2 // scarcer, so that some are drawn by lot
			sessions[i] = s
		}
		if err := delivery.AddOfferings(ctx, t, offerings); err != nil {
			return err
		}
		if err := delivery.AddSessions(ctx, t, sessions); err != nil {
			return err
		}
		for _, s := range []delivery.Stage{delivery.StageContent, delivery.StagePlan} {
			if err := delivery.Advance(ctx, t, again.ID, s); err != nil {
				return err
			}
		}
		problem, err := plan.Draft(ctx, t, again.ID, plan.DefaultOptions(1))
		if err != nil {
			return err
		}
		solution, err := problem.Solve(ctx, nil)
		if err != nil {
			return err
		}
		_, err = solution.Keep(ctx, t, "A")
		return err
	}); err != nil {
		return "", err
	}
	return file, nil
})

// A plan approval killed at any moment has either happened whole or not at all.
func TestKilledApproval(t *testing.T) {
	built(t)
	file := func(t *testing.T) string {
		from, err := solved()
		if err != nil {
			t.Fatal(err)
		}
		return copied(t, from)
	}
	var id string
	state := func(t *testing.T, url string) string {
		t.Helper()
		var text string
		look(t, url, func(d *db.DB) {
			sound(t, d)
			if err := d.Read(t.Context(), func(tx *db.Tx) (err error) {
				text, err = db.Row(t.Context(), tx, db.One[string], `
					SELECT p.status || ' ' || g.stage
						|| ', enrolled ' || (SELECT count(*) FROM enrolment e JOIN offering o ON o.id = e.offering_id WHERE o.programme_id = g.id)
						|| ', draws ' || (SELECT count(*) FROM draw WHERE plan_id = p.id)
						|| ', lots ' || (SELECT count(*) FROM draw_entry e JOIN draw w ON w.id = e.draw_id WHERE w.plan_id = p.id)
					FROM plan p JOIN programme g ON g.id = p.programme_id WHERE p.programme_id = 'again'`)
				if err == nil {
					id, err = db.Row(t.Context(), tx, db.One[string], `SELECT id FROM plan WHERE programme_id = 'again'`)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		})
		return text
	}
	on(t, file, func(t *testing.T, url string) {
		const before = "solved plan, enrolled 0, draws 0, lots 0"
		if got := state(t, url); got != before {
			t.Fatalf("before: %s", got)
		}
		p := start(t, nil, "approving", url, id, "hold")
		for p.lines.Scan() && p.lines.Text() != "written" {
		}
		p.kill(t)
		if got := state(t, url); got != before {
			t.Errorf("killed before the commit: %s", got)
		}
		// Killed ever later, until one is done before it can be killed.
		rng := rand.New(rand.NewPCG(4, 1))
		undone := 0
		for try := 0; ; try++ {
			p := start(t, nil, "approving", url, id)
			if !p.lines.Scan() {
				t.Fatalf("did not start: %s", p.errs)
			}
			time.Sleep(time.Duration((float64(try) + rng.Float64()) * 4 * float64(time.Millisecond)))
			rest := p.kill(t)
			got := state(t, url)
			if got == before {
				if len(rest) > 0 {
					t.Fatalf("said %q, and yet %s", rest, got)
				}
				undone++
				continue
			}
			var enrolled, draws, lots int
			if _, err := fmt.Sscanf(got, "approved delivery, enrolled %d, draws %d, lots %d", &enrolled, &draws, &lots); err != nil || draws > 0 && lots <= draws { // a small company may have no pool
				t.Fatalf("after %d kills: %s", try, got)
			}
			d := opened(t, url)
			n := counts(t, d, nil,
				`SELECT count(*) FROM plan_choice c JOIN plan p ON p.id = c.plan_id WHERE p.programme_id = 'again' AND NOT c.drawn`,
				`SELECT count(*) FROM enrolment e JOIN offering o ON o.id = e.offering_id WHERE o.programme_id = 'again' AND e.source = 'plan' AND e.status = 'enrolled'`,
				`SELECT count(*) FROM enrolment e JOIN offering o ON o.id = e.offering_id WHERE o.programme_id = 'again' AND e.source = 'draw'`,
				`SELECT count(*) FROM enrolment e JOIN draw_entry l ON l.person_id = e.person_id AND l.session_id = e.session_id
					WHERE e.source = 'draw' AND (e.status = 'enrolled') = l.drawn AND l.draw_id IN (SELECT w.id FROM draw w JOIN plan p ON p.id = w.plan_id WHERE p.programme_id = 'again')`)
			if n[0] != n[1] || n[2] != lots || n[3] != lots || enrolled != n[1]+n[2] {
				t.Errorf("choices without a lot %d, enrolled by plan %d; lots %d, enrolled or waiting by draw %d, as drawn %d; all %d", n[0], n[1], lots, n[2], n[3], enrolled)
			}
			t.Logf("%d kills left nothing, the next came too late: %s", undone+1, got)
			return
		}
	})
}
