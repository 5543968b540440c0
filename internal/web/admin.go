package web

import (
	"context"
	"net/http"
	"runtime"
	"strconv"

	"attune/internal/audit"
	"attune/internal/auth"
	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/job"
	"attune/internal/org"
)

type adminData struct {
	Head    PageHead
	Tabs    []Tab
	Figures []Figure
	Backup  Notice
	Jobs    *Table
}

func adminTabs(a *Asker, at string) []Tab {
	var tabs []Tab
	for _, x := range [][2]string{{"health", "/admin"}, {"accounts", "/admin/accounts"}, {"audit", "/admin/audit"}} {
		tabs = append(tabs, Tab{Label: a.T("web.admin." + x[0]), Href: x[1], Current: x[0] == at})
	}
	return tabs
}

func (s *Server) admin(w http.ResponseWriter, r *http.Request, a *Asker) error {
	var size int64
	var jobs []job.Job
	var people int
	var accounts []auth.Account
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		if size, err = t.Size(ctx); err != nil {
			return err
		}
		if people, err = org.Count(ctx, t); err != nil {
			return err
		}
		if accounts, err = auth.Accounts(ctx, t); err != nil {
			return err
		}
		jobs, err = job.Latest(ctx, t, 20)
		return err
	})
	if err != nil {
		return err
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	p := adminData{Head: PageHead{Title: a.T("look.nav.admin"), Lead: a.T("web.admin.lead"), Actions: []Action{{Label: a.T("web.import.title"), Href: "/people/import", Icon: "upload"}}}, Tabs: adminTabs(a, "health")}
	p.Figures = []Figure{
		{Label: a.T("web.admin.db"), Text: bytesOf(size), Compare: a.T("web.admin.db." + string(s.DB.Engine))},
		{Label: a.T("web.admin.memory"), Text: bytesOf(int64(mem.HeapInuse + mem.StackInuse))},
		{Label: a.T("web.admin.people"), Value: float64(people), Href: "/people", Evidence: a.T("look.nav.people")},
		{Label: a.T("web.admin.accounts"), Value: float64(len(accounts)), Href: "/admin/accounts", Evidence: a.T("web.admin.accounts")},
	}
	p.Backup = Notice{Title: a.T("web.admin.backup"), Text: a.T("web.admin.backup.text")}
	if len(jobs) > 0 {
		t := Table{ID: "jobs", Caption: a.T("web.admin.jobs"), Columns: []Column{{Label: a.T("web.admin.job")}, {Label: a.T("web.state")}, {Label: a.T("web.admin.tries"), Num: true}, {Label: a.T("web.date")}}}
		for _, j := range jobs {
			state, at := Cell{Text: a.T("web.job.waiting"), Pill: true, Tone: TonePrimary}, "–"
			switch {
			case !j.DoneAt.IsZero():
				state, at = Cell{Text: a.T("web.job.done"), Pill: true, Tone: ToneGood}, a.F.DateTime(a.In(j.DoneAt))
			case j.Failed():
				state = Cell{Text: a.T("web.job.failed"), Pill: true, Tone: ToneBad, Sub: j.Error}
			case j.Error != "":
				state.Sub = j.Error
			}
			t.Rows = append(t.Rows, Row{[]Cell{{Text: a.T("web.job." + j.Kind), Sub: j.Kind}, state, {Text: strconv.Itoa(j.Tries)}, {Text: at}}})
		}
		p.Jobs = &t
	}
	return s.show(w, r, a, Page{Name: "admin", Active: "admin", Data: p})
}

type accountsData struct {
	Head    PageHead
	Tabs    []Tab
	Rows    []accountLine
	Form    []Field
	Error   string
	Dialogs []Confirm
}

type accountLine struct {
	Login, Name, Roles, Since string
	Disabled                  string
	End                       *Action
}

func (s *Server) accounts(w http.ResponseWriter, r *http.Request, a *Asker) error {
	return s.showAccounts(w, r, a, http.StatusOK, "")
}

func (s *Server) showAccounts(w http.ResponseWriter, r *http.Request, a *Asker, status int, problem string) error {
	var all []auth.Account
	people := map[string]org.Person{}
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		if all, err = auth.Accounts(ctx, t); err != nil {
			return err
		}
		everybody, err := org.People(ctx, t)
		for _, p := range everybody {
			people[string(p.ID)] = p
		}
		return err
	})
	if err != nil {
		return err
	}
	p := accountsData{Head: PageHead{Title: a.T("web.admin.accounts"), Lead: a.T("web.admin.accounts.lead")}, Tabs: adminTabs(a, "accounts"), Error: problem}
	for _, x := range all {
		var roles []string
		for _, role := range x.Roles {
			roles = append(roles, a.T("role."+string(role)))
		}
		l := accountLine{Login: x.Login, Name: people[x.Person].Name, Roles: a.F.List(roles), Since: a.F.Date(a.In(x.CreatedAt))}
		if !x.DisabledAt.IsZero() {
			l.Disabled = a.T("web.admin.disabled", a.F.Date(a.In(x.DisabledAt)))
		} else if x.ID != a.Account {
			id := "off-" + string(x.ID)
			l.End = &Action{Label: a.T("web.admin.disable"), Dialog: id, Danger: true}
			p.Dialogs = append(p.Dialogs, Confirm{ID: id, Title: a.T("web.admin.disable.title", x.Login), Text: a.T("web.admin.disable.text"), Post: "/admin/accounts/" + string(x.ID) + "/disable", Label: a.T("web.admin.disable"), Danger: true})
		}
		p.Rows = append(p.Rows, l)
	}
	role := Field{Name: "role", Label: a.T("web.admin.roles"), Kind: "checkbox"}
	chosen := map[string]bool{}
	for _, v := range r.Form["role"] {
		chosen[v] = true
	}
	for _, x := range auth.Roles {
		role.Options = append(role.Options, Option{Value: string(x), Label: a.T("role." + string(x)), Chosen: chosen[string(x)]})
	}
	p.Form = []Field{
		{Name: "login", Label: a.T("web.login"), Value: r.FormValue("login"), Required: true, Autocomplete: "off"},
		{Name: "password", Label: a.T("web.password"), Kind: "password", Required: true, Autocomplete: "new-password", Hint: a.T("web.password.hint", auth.MinPassword)},
		{Name: "number", Label: a.T("web.admin.number"), Value: r.FormValue("number"), Hint: a.T("web.admin.number.hint")},
		role,
	}
	return s.show(w, r, a, Page{Name: "accounts", Status: status, Active: "admin", Data: p})
}

func (s *Server) addAccount(w http.ResponseWriter, r *http.Request, a *Asker) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	acc := auth.Account{ID: auth.AccountID(org.NewID()), Login: r.FormValue("login"), Lang: a.F.Lang}
	for _, x := range r.Form["role"] {
		acc.Roles = append(acc.Roles, auth.Role(x))
	}
	unknown := false
	err := s.write(r, func(ctx context.Context, t *db.Tx) error {
		if number := r.FormValue("number"); number != "" {
			p, err := org.FindByNumber(ctx, t, number)
			if err != nil {
				unknown = fault.Of(err) == fault.NotFound
				return err
			}
			acc.Person, acc.Lang = string(p.ID), p.Lang
		}
		if err := auth.AddAccount(ctx, t, acc, r.FormValue("password")); err != nil {
			return err
		}
		return audit.Write(ctx, t, a.actor(), "account.add", "account/"+string(acc.ID), map[string]any{"roles": acc.Roles})
	})
	if unknown {
		return s.showAccounts(w, r, a, http.StatusBadRequest, a.T("web.admin.number.unknown", r.FormValue("number")))
	}
	if text := wrong(a, err); text != "" {
		return s.showAccounts(w, r, a, fault.Of(err).Status(), text)
	} else if err != nil {
		return err
	}
	AddFlash(w, Flash{Tone: "good", Key: "web.admin.added", Form: "account"})
	return to(w, r, "/admin/accounts")
}

func (s *Server) disableAccount(w http.ResponseWriter, r *http.Request, a *Asker) error {
	id := auth.AccountID(r.PathValue("account"))
	err := s.write(r, func(ctx context.Context, t *db.Tx) error {
		if err := auth.Disable(ctx, t, id); err != nil {
			return err
		}
		return audit.Write(ctx, t, a.actor(), "account.disable", "account/"+string(id), nil)
	})
	if err != nil {
		return err
	}
	AddFlash(w, Flash{Tone: "good", Key: "web.admin.off"})
	return to(w, r, "/admin/accounts")
}

type auditData struct {
	Head   PageHead
	Tabs   []Tab
	Chain  *Notice
	Query  string
	Verify string
	Table  Table
	More   string
}

func (s *Server) auditLog(w http.ResponseWriter, r *http.Request, a *Asker) error {
	q := audit.Query{Text: r.FormValue("q"), Before: int64(number(r, "before", 0)), Limit: perPage}
	verify := r.FormValue("verify") != ""
	var all []audit.Entry
	var broken int64
	logins := map[string]string{}
	err := s.read(r, func(ctx context.Context, t *db.Tx) (err error) {
		if all, err = audit.Search(ctx, t, q); err != nil {
			return err
		}
		accounts, err := auth.Accounts(ctx, t)
		if err != nil {
			return err
		}
		for _, x := range accounts {
			logins[string(x.ID)] = x.Login
		}
		if verify {
			broken, err = audit.Verify(ctx, t)
		}
		return err
	})
	if err != nil {
		return err
	}
	p := auditData{Head: PageHead{Title: a.T("web.admin.audit"), Lead: a.T("web.admin.audit.lead"), Actions: []Action{{Label: a.T("web.audit.verify"), Href: link("/admin/audit", "q", q.Text, "verify", "1"), Icon: "lock"}}}, Tabs: adminTabs(a, "audit"), Query: q.Text}
	if verify {
		p.Chain = &Notice{Tone: ToneGood, Text: a.T("web.audit.whole")}
		if broken > 0 {
			p.Chain = &Notice{Tone: ToneBad, Text: a.T("web.audit.broken", broken)}
		}
	}
	p.Table = Table{ID: "audit", Columns: []Column{{Label: "#", Num: true}, {Label: a.T("web.time")}, {Label: a.T("web.who")}, {Label: a.T("web.did")}, {Label: a.T("web.what")}, {Label: a.T("web.audit.detail")}}}
	for _, e := range all {
		who := e.Actor
		if l, ok := logins[who]; ok {
			who = l
		}
		detail := string(e.Detail)
		if r := []rune(detail); len(r) > 160 {
			detail = string(r[:160]) + "…"
		}
		if detail == "null" {
			detail = ""
		}
		p.Table.Rows = append(p.Table.Rows, Row{[]Cell{{Text: strconv.FormatInt(e.Seq, 10)}, {Text: a.F.DateTime(a.In(e.At))}, {Text: who}, {Text: e.Action}, {Text: e.Subject}, {Text: detail, Sub: short(e.Hash)}}})
	}
	if len(all) == perPage {
		p.More = link("/admin/audit", "q", q.Text, "before", strconv.FormatInt(all[len(all)-1].Seq, 10))
	}
	return s.show(w, r, a, Page{Name: "audit", Active: "admin", Data: p})
}
