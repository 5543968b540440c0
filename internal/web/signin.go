package web

import (
	"context"
	"net/http"
	"time"

	"attune/internal/audit"
	"attune/internal/auth"
	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/locale"
)

// home leads everybody to the page that says what to do now.
func (s *Server) home(w http.ResponseWriter, r *http.Request, a *Asker) error {
	switch {
	case !a.Known():
		return to(w, r, "/sign-in")
	case a.Company == nil:
		return to(w, r, "/setup")
	}
	for _, place := range []struct {
		needs auth.Permission
		path  string
	}{
		{auth.ManageLoop, "/overview"}, {auth.Author, "/delivery"}, {auth.ReadTeam, "/team"}, {auth.Serve, "/desk"},
		{auth.ReadVoice, "/voice"}, {auth.Administer, "/admin"}, {auth.Learn, "/today"},
	} {
		if a.Can(place.needs) {
			return to(w, r, place.path)
		}
	}
	return to(w, r, "/account")
}

type signInData struct {
	Next   string
	Fields []Field
	Error  string
	Hints  []Notice
}

func (s *Server) signInPage(w http.ResponseWriter, r *http.Request, a *Asker) error {
	next := inside(r.FormValue("next"))
	if a.Known() {
		return to(w, r, next)
	}
	return s.showSignIn(w, r, a, http.StatusOK, "", next, "")
}

func (s *Server) showSignIn(w http.ResponseWriter, r *http.Request, a *Asker, status int, login, next, problem string) error {
	p := signInData{Next: next, Error: problem, Fields: []Field{
		{Name: "login", Label: a.T("web.login"), Value: login, Required: true, Autocomplete: "username"},
		{Name: "password", Label: a.T("web.password"), Kind: "password", Required: true, Autocomplete: "current-password"},
	}}
	return s.show(w, r, a, Page{Name: "signin", Status: status, Bare: true, Narrow: true, Data: p})
}

// signIn checks a password. What was typed as login comes back with what is wrong.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request, a *Asker) error {
	login, next := r.FormValue("login"), inside(r.FormValue("next"))
	token, v, err := auth.SignIn(r.Context(), s.DB, login, r.FormValue("password"), r.UserAgent(), address(r))
	if e, ok := fault.As(err); ok && (e.Kind == fault.Denied || e.Kind == fault.TooMany) {
		return s.showSignIn(w, r, a, e.Kind.Status(), login, next, a.fault(e))
	} else if err != nil {
		return err
	}
	s.keep(w, r, token)
	if _, err := r.Cookie("lang"); err != nil {
		http.SetCookie(w, &http.Cookie{Name: "lang", Value: string(v.Lang), Path: "/", MaxAge: 365 * 24 * 3600, SameSite: http.SameSiteLaxMode})
	}
	return to(w, r, next)
}

// keep gives the browser the token of a session.
func (s *Server) keep(w http.ResponseWriter, r *http.Request, token string) {
	http.SetCookie(w, &http.Cookie{
		Name: sessionCookie, Value: token, Path: "/", MaxAge: int((30 * 24 * time.Hour).Seconds()),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: secure(r),
	})
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request, a *Asker) error {
	if a.Known() {
		err := s.write(r, func(ctx context.Context, t *db.Tx) error { return auth.Revoke(ctx, t, a.Account, a.Session) })
		if err != nil && fault.Of(err) != fault.NotFound {
			return err
		}
	}
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: secure(r)})
	return to(w, r, "/sign-in")
}

// preferences keeps the language or the theme, the language also with the account.
func (s *Server) preferences(w http.ResponseWriter, r *http.Request, a *Asker) error {
	if l, ok := locale.Parse(r.FormValue("lang")); ok && a.Known() && l != a.Viewer.Lang {
		if err := s.write(r, func(ctx context.Context, t *db.Tx) error { return auth.SetLang(ctx, t, a.Viewer, string(l)) }); err != nil {
			return err
		}
	}
	SetPreference(w, r)
	return nil
}

type accountData struct {
	Head     PageHead
	Error    string
	Fields   []Field
	Sessions []openSession
}

type openSession struct {
	Device, Address, Seen, Since string
	Here                         bool
	End                          Confirm
	Act                          Action
}

func (s *Server) account(w http.ResponseWriter, r *http.Request, a *Asker) error {
	return s.showAccount(w, r, a, http.StatusOK, "")
}

func (s *Server) showAccount(w http.ResponseWriter, r *http.Request, a *Asker, status int, problem string) error {
	var open []auth.Session
	if err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		open, err = auth.Sessions(ctx, t, a.Account)
		return err
	}); err != nil {
		return err
	}
	var roles []string
	for _, role := range a.Roles {
		roles = append(roles, a.T("role."+string(role)))
	}
	p := accountData{
		Head:  PageHead{Title: a.T("look.account"), Lead: a.T("web.account.lead", a.Login), Meta: roles},
		Error: problem,
		Fields: []Field{
			{Name: "old", Label: a.T("web.password.old"), Kind: "password", Required: true, Autocomplete: "current-password", Error: problem},
			{Name: "new", Label: a.T("web.password.new"), Kind: "password", Required: true, Autocomplete: "new-password", Hint: a.T("web.password.hint", auth.MinPassword)},
		},
	}
	for _, x := range open {
		id := "end-" + x.ID[:12]
		o := openSession{Device: device(x.Device, a), Address: x.Address, Seen: a.F.DateTime(a.In(x.SeenAt)), Since: a.F.DateTime(a.In(x.CreatedAt)), Here: x.ID == a.Session}
		o.Act = Action{Label: a.T("web.session.end"), Dialog: id}
		o.End = Confirm{ID: id, Title: a.T("web.session.end.title"), Text: a.T("web.session.end.text", o.Device), Post: "/account/sessions/" + x.ID + "/end", Label: a.T("web.session.end")}
		p.Sessions = append(p.Sessions, o)
	}
	return s.show(w, r, a, Page{Name: "account", Status: status, Narrow: true, Data: p})
}

func (s *Server) changePassword(w http.ResponseWriter, r *http.Request, a *Asker) error {
	err := auth.ChangePassword(r.Context(), s.DB, a.Viewer, r.FormValue("old"), r.FormValue("new"))
	if text := wrong(a, err); text != "" {
		return s.showAccount(w, r, a, fault.Of(err).Status(), text)
	} else if err != nil {
		return err
	}
	if err := s.write(r, func(ctx context.Context, t *db.Tx) error {
		return audit.Write(ctx, t, a.actor(), "account.password", "account/"+a.actor(), nil)
	}); err != nil {
		return err
	}
	AddFlash(w, Flash{Tone: "good", Key: "web.password.changed"})
	return to(w, r, "/account")
}

func (s *Server) endSession(w http.ResponseWriter, r *http.Request, a *Asker) error {
	id := r.PathValue("id")
	if err := s.write(r, func(ctx context.Context, t *db.Tx) error { return auth.Revoke(ctx, t, a.Account, id) }); err != nil {
		return err
	}
	if id == a.Session {
		return to(w, r, "/sign-in")
	}
	AddFlash(w, Flash{Tone: "good", Key: "web.session.ended"})
	return to(w, r, "/account")
}
