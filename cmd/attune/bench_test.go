//go:build unix

package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"attune/internal/db"
	"attune/internal/demo"
	"attune/internal/testdb"
)

// BenchmarkDemo lives the story with 1,000 people, as the demo command does.
func BenchmarkDemo(b *testing.B) {
	for b.Loop() {
		path := filepath.Join(b.TempDir(), "demo.db")
		c := exec.Command(built(b), "--db", path, "demo", "--people", "1000", "--exit", "--json")
		if err := c.Run(); err != nil {
			b.Fatal(err)
		}
		d, err := db.Open(b.Context(), path)
		if err != nil {
			b.Fatal(err)
		}
		var n int
		if err := d.Read(b.Context(), func(t *db.Tx) (err error) {
			n, err = db.Row(b.Context(), t, db.One[int], `SELECT count(*) FROM statement`)
			return err
		}); err != nil {
			b.Fatal(err)
		}
		d.Close()
		b.ReportMetric(float64(n), "statements")
		b.ReportMetric((c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds(), "CPU-s/op")
		if r, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
			b.ReportMetric(float64(r.Maxrss)/1024, "peak-MB")
		}
	}
}

// BenchmarkImportPeople imports 10,000 employees with the built program.
func BenchmarkImportPeople(b *testing.B) {
	file := filepath.Join(b.TempDir(), "staff.csv")
	if err := os.WriteFile(file, employees(10_000), 0o600); err != nil {
		b.Fatal(err)
	}
	bin := built(b)
	for b.Loop() {
		if out, err := exec.Command(bin, "--db", filepath.Join(b.TempDir(), "a.db"), "import", "people", file).CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
}

// BenchmarkStart is the time until the program has opened a database that
// exists; it also says how large the program is.
func BenchmarkStart(b *testing.B) {
	bin, at := built(b), filepath.Join(b.TempDir(), "a.db")
	info, err := os.Stat(bin)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if out, err := exec.Command(bin, "--db", at, "migrate").CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", err, out)
		}
	}
	b.ReportMetric(float64(info.Size())/(1<<20), "binary-MB")
}

// served is the program serving a site.
type served struct {
	t    testing.TB
	cmd  *exec.Cmd
	url  string
	http http.Client
}

// serving starts the program and waits until it answers.
func serving(t testing.TB, args ...string) *served {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &served{t: t, cmd: exec.Command(built(t), args...), http: http.Client{Jar: jar, Timeout: 30 * time.Second}}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.cmd.Process.Signal(syscall.SIGTERM)
		s.cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "http://") {
			s.url = lines.Text()
			go io.Copy(io.Discard, out)
			return s
		}
	}
	t.Fatal("it ended before it served")
	return nil
}

// signIn signs in as somebody of the sample company.
func (s *served) signIn(login string) {
	s.t.Helper()
	r, err := s.http.PostForm(s.url+"/sign-in", url.Values{"login": {login}, "password": {demo.Password}})
	if err != nil {
		s.t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusOK || r.Request.URL.Path == "/sign-in" {
		s.t.Fatalf("sign-in of %s: %s at %s", login, r.Status, r.Request.URL)
	}
}

func (s *served) page(path string) {
	s.t.Helper()
	r, err := s.http.Get(s.url + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Body.Close()
	if _, err := io.Copy(io.Discard, r.Body); err != nil || r.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %s, %v", path, r.Status, err)
	}
}

// resident is the memory that the process holds, in MB.
func (s *served) resident() float64 {
	s.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		testdb.Missing(s.t, "/proc")
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		s.t.Fatal(err)
	}
	return float64(kb) / 1024
}

// visited are the pages that everybody who manages the loop opens.
var visited = []string{"/overview", "/needs", "/content", "/plan", "/delivery", "/effect", "/search?q=%E6%9C%8D", "/content/items", "/people", "/today"}

// mostResident is the promise, in MB.
const mostResident = 80

// The program at rest takes little memory, before anybody came and after 50
// pages.
func TestIdleMemory(t *testing.T) {
	s := serving(t, "--db", company(t), "serve", "--listen", "127.0.0.1:0")
	fresh := s.resident()
	s.signIn("manager")
	for range 5 {
		for _, p := range visited {
			s.page(p)
		}
	}
	after := s.resident()
	t.Logf("%.0f MB fresh, %.0f MB after 50 pages", fresh, after)
	if fresh > mostResident || after > mostResident {
		t.Errorf("%.0f MB fresh, %.0f MB after 50 pages; want at most %d", fresh, after, mostResident)
	}
}

// BenchmarkIdle serves a company of 1,000: first its finished database, then
// in the process that has just lived through the demo.
func BenchmarkIdle(b *testing.B) {
	path := filepath.Join(b.TempDir(), "demo.db")
	for _, bb := range []struct {
		name string
		args []string
	}{
		{"demo", []string{"--db", path, "demo", "--people", "1000", "--listen", "127.0.0.1:0", "--json"}},
		{"serve", []string{"--db", path, "serve", "--listen", "127.0.0.1:0"}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			s := serving(b, bb.args...)
			time.Sleep(2 * time.Second)
			b.ReportMetric(s.resident(), "fresh-MB")
			s.signIn("manager")
			for range b.N {
				for i := range 50 {
					s.page(visited[i%len(visited)])
				}
			}
			b.ReportMetric(s.resident(), "after-50-pages-MB")
		})
	}
}
