package web

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"attune/internal/auth"
	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/job"
	"attune/internal/locale"
	"attune/internal/org"
)

// Server is the site over one database.
type Server struct {
	DB   *db.DB
	Jobs *job.Runner // woken when a page queues work; its Kinds are the site's
	*Renderer
	holds holds
	memo  memo
	alive sync.Map // by session: when it was last kept alive
}

// New returns the site of a database, with the runner of its jobs; the caller
// runs it.
func New(d *db.DB) (*Server, error) {
	rd, err := NewRenderer(Options{Search: "/search"})
	if err != nil {
		return nil, err
	}
	s := &Server{DB: d, Renderer: rd}
	s.Jobs = &job.Runner{DB: d, Kinds: map[string]job.Do{solveJob: s.solve}}
	return s, nil
}

// Asker is who asks, with what every page needs to know of them.
type Asker struct {
	auth.Viewer
	As      org.Person   // zero for an account that is nobody of the company
	Unit    locale.Text  // where they work
	Company *org.Company // nil before the first run is over
	F       *Format
	Zone    *time.Location // the company's
	Empty   bool           // there is no account yet
}

// In is a time as the company's clocks show it.
func (a *Asker) In(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.In(a.Zone)
}

// T says a message to the asker.
func (a *Asker) T(key string, args ...any) string { return a.F.T(key, args...) }

// fault says what went wrong in the asker's language, the company's texts in
// its arguments too.
func (a *Asker) fault(e *fault.Error) string {
	args := slices.Clone(e.Args)
	for i, x := range args {
		if t, ok := x.(locale.Text); ok {
			args[i] = a.Say(t)
		}
	}
	return a.T(e.Key, args...)
}

// Say is a text of the company in the asker's language.
func (a *Asker) Say(t locale.Text) string { return t.In(a.F.Lang) }

// actor is how the audit log names the asker.
func (a *Asker) actor() string { return string(a.Account) }

type handler func(w http.ResponseWriter, r *http.Request, a *Asker) error

const (
	sessionCookie = "session"
	maxForm       = 1 << 20 // bytes of a form; files have limits of their own
)

// Handler returns the whole site.
func (s *Server) Handler() http.Handler { return s.serve(s.routes()) }

func (s *Server) serve(routes []route) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /static/", s.Assets)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		if err := s.DB.Read(r.Context(), func(t *db.Tx) error { _, err := auth.Any(r.Context(), t); return err }); err != nil {
			http.Error(w, "database", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	for _, rt := range routes {
		mux.Handle(rt.pattern, s.guard(rt))
	}
	mux.Handle("/", s.guard(route{"/", auth.Anyone, func(http.ResponseWriter, *http.Request, *Asker) error {
		return fault.New(fault.NotFound, "not_found")
	}}))
	same := http.NewCrossOriginProtection()
	same.SetDenyHandler(s.guard(route{"", auth.Anyone, func(http.ResponseWriter, *http.Request, *Asker) error {
		return fault.New(fault.Denied, "web.cross_origin")
	}}))
	return s.log(same.Handler(mux))
}

// guard finds out who asks, refuses those who may not, and shows a page for
// whatever went wrong.
func (s *Server) guard(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit := int64(maxForm)
		if rt.pattern == importRoute {
			limit = org.MaxImportBytes + maxForm
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			r.Body = http.MaxBytesReader(w, r.Body, limit)
		}
		a, err := s.asker(r)
		if err == nil {
			err = s.admit(w, r, a, rt)
		}
		if err == nil || errors.Is(err, errAnswered) {
			return
		}
		s.fail(w, r, a, err)
	})
}

// errAnswered says that nothing is left to be done.
var errAnswered = errors.New("web: answered")

func (s *Server) admit(w http.ResponseWriter, r *http.Request, a *Asker, rt route) error {
	if a.Empty && !strings.HasPrefix(r.URL.Path, "/setup") && r.URL.Path != "/preferences" && rt.pattern != "" {
		http.Redirect(w, r, "/setup", http.StatusSeeOther)
		return errAnswered
	}
	if !a.Can(rt.needs) {
		if a.Known() {
			return fault.New(fault.Denied, "denied")
		}
		if wantsJSON(r) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusUnauthorized)
			_, err := fmt.Fprintf(w, `{"error":%q}`, a.T("web.signed_out"))
			return err
		}
		next := "/"
		if r.Method == http.MethodGet {
			next = r.URL.RequestURI()
		} else if ref := r.Header.Get("Referer"); ref != "" {
			next = pathOf(ref)
		}
		http.Redirect(w, r, "/sign-in?next="+queryEscape(next), http.StatusSeeOther)
		return errAnswered
	}
	return rt.handle(w, r, a)
}

// asker reads who a request comes from. It always returns an Asker, so that
// what went wrong can be said.
func (s *Server) asker(r *http.Request) (*Asker, error) {
	lang := locale.Of(r)
	a := &Asker{F: s.Format(lang), Zone: time.UTC}
	ctx := r.Context()
	err := s.DB.Read(ctx, func(t *db.Tx) (err error) {
		if a.Company, err = org.FindCompany(ctx, t); fault.Of(err) == fault.NotFound {
			a.Company, err = nil, nil
		}
		if err != nil {
			return err
		}
		if a.Company != nil && a.Company.Zone != nil {
			a.Zone = a.Company.Zone
		}
		c, err := r.Cookie(sessionCookie)
		if err == nil {
			if a.Viewer, err = auth.View(ctx, t, c.Value); fault.Of(err) == fault.NotFound {
				a.Viewer, err = auth.Viewer{}, nil
			}
			if err != nil {
				return err
			}
		}
		if !a.Known() {
			any, err := auth.Any(ctx, t)
			a.Empty = !any
			return err
		}
		if a.Person == "" {
			return nil
		}
		if a.As, err = org.FindPerson(ctx, t, org.PersonID(a.Person)); err != nil {
			return err
		}
		u, err := org.FindUnit(ctx, t, a.As.Unit)
		a.Unit = u.Name
		return err
	})
	if err == nil && a.Known() {
		err = s.seen(ctx, a.Session)
	}
	return a, err
}

// seen keeps a session alive, with a write an hour.
func (s *Server) seen(ctx context.Context, session string) error {
	now := time.Now()
	if last, ok := s.alive.Load(session); ok && now.Sub(last.(time.Time)) < time.Hour {
		return nil
	}
	s.alive.Store(session, now)
	return s.DB.Write(ctx, func(t *db.Tx) error { return auth.Seen(ctx, t, session) })
}

// webRoles says which places of the navigation a role sees.
var webRoles = map[auth.Role]Role{
	auth.TrainingManager: RoleTraining, auth.Trainer: RoleTrainer, auth.TeamManager: RoleManager,
	auth.Agent: RoleAgent, auth.BrandOfficer: RoleBrand, auth.Administrator: RoleAdmin,
}

// show renders a page for whoever asks.
func (s *Server) show(w http.ResponseWriter, r *http.Request, a *Asker, p Page) error {
	p.Viewer = Viewer{ID: string(a.Account), Name: a.As.Name, Unit: a.Say(a.Unit)}
	if a.Known() && p.Viewer.Name == "" {
		p.Viewer.Name = a.Login
	}
	if a.Company != nil {
		p.Viewer.Company, p.Viewer.Simulated = a.Say(a.Company.Name), a.Company.Simulated
	}
	for _, role := range auth.Roles {
		if own, ok := webRoles[role]; ok && a.Is(role) {
			p.Viewer.Roles = append(p.Viewer.Roles, own)
		}
	}
	if a.Can(auth.Learn) {
		p.Viewer.Roles = append(p.Viewer.Roles, RoleLearner)
	}
	if !a.Known() {
		p.Bare = true
	}
	return s.Render(w, r, p)
}

// fail shows what went wrong, in the person's words.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, a *Asker, err error) {
	kind, text, ref := fault.Of(err), "", ""
	var large *http.MaxBytesError
	if e, ok := fault.As(err); ok {
		text = a.fault(e)
	} else if errors.As(err, &large) {
		kind, text = fault.Invalid, a.T("input.too_large", bytesOf(large.Limit))
	}
	switch kind {
	case fault.Internal:
		if r.Context().Err() != nil {
			return // nobody is left to tell
		}
		ref = rand.Text()[:8]
		text = a.T("internal")
		slog.ErrorContext(r.Context(), "request failed", "ref", ref, "route", r.Pattern, "err", err)
	case fault.TooMany:
		w.Header().Set("Retry-After", "60")
	}
	if wantsJSON(r) {
		writeJSON(w, kind.Status(), map[string]string{"error": text, "kind": string(kind)})
		return
	}
	again := ""
	if r.Method == http.MethodGet && kind != fault.NotFound && kind != fault.Denied {
		again = r.URL.RequestURI()
	}
	p := Page{Name: "error", Status: kind.Status(), Narrow: true, Data: ErrorPage{
		Code: kind.Status(), Title: a.T("web.error." + string(kind)), Text: text, Again: again, Reference: ref,
	}}
	if err := s.show(w, r, a, p); err != nil {
		slog.ErrorContext(r.Context(), "the page of a failure failed", "err", err)
		http.Error(w, text, kind.Status())
	}
}

// answer remembers what was answered, for the log.
type answer struct {
	http.ResponseWriter
	status, size int
}

func (w *answer) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *answer) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.size += n
	return n, err
}

func (w *answer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// log writes one line a request: the route, not the address, which may name a
// person. A panic becomes a 500 and the site goes on.
func (s *Server) log(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		out := &answer{ResponseWriter: w}
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				slog.ErrorContext(r.Context(), "panic", "route", r.Pattern, "what", fmt.Sprint(p), "stack", string(debug.Stack()))
				if out.status == 0 {
					s.fail(out, r, &Asker{F: s.FormatOf(r), Zone: time.UTC}, fmt.Errorf("panic: %v", p))
				}
			}
			if !strings.HasPrefix(r.URL.Path, "/static/") {
				slog.DebugContext(r.Context(), "request", "method", r.Method, "route", r.Pattern, "status", out.status, "bytes", out.size, "ms", time.Since(started).Milliseconds())
			}
		}()
		h := out.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Content-Security-Policy", csp)
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		if secure(r) {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(out, r)
	})
}

// secure reports whether the browser speaks TLS, to us or to the proxy before
// us. A forged header could only make the forger's own cookie stricter.
func secure(r *http.Request) bool {
	return r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"
}

// address is where a request comes from, without the port.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func loopback(r *http.Request) bool {
	ip := net.ParseIP(address(r))
	return ip != nil && ip.IsLoopback()
}

// read is a read transaction of a request.
func (s *Server) read(r *http.Request, do func(ctx context.Context, t *db.Tx) error) error {
	return s.DB.Read(r.Context(), func(t *db.Tx) error { return do(r.Context(), t) })
}

// write is a writing transaction of a request.
func (s *Server) write(r *http.Request, do func(ctx context.Context, t *db.Tx) error) error {
	return s.DB.Write(r.Context(), func(t *db.Tx) error { return do(r.Context(), t) })
}
