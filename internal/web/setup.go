package web

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"attune/internal/audit"
	"attune/internal/auth"
	"attune/internal/db"
	"attune/internal/delivery"
	"attune/internal/fault"
	"attune/internal/locale"
	"attune/internal/org"
)

type setupData struct {
	Fields  []Field
	Account []Field // none where one is signed in already
	Error   string
	Remote  bool // only the machine itself may found the company
}

// mayFound reports whether the asker may write the company down: nobody has an
// account yet and it is asked on the machine itself, or it is an administrator.
func mayFound(r *http.Request, a *Asker) error {
	switch {
	case a.Company != nil && !a.Empty:
		return fault.New(fault.NotFound, "not_found")
	case a.Empty && !loopback(r):
		return fault.New(fault.Denied, "web.setup.remote")
	case !a.Empty && !a.Can(auth.Administer):
		return fault.New(fault.Denied, "denied")
	}
	return nil
}

func (s *Server) setupPage(w http.ResponseWriter, r *http.Request, a *Asker) error {
	if err := mayFound(r, a); err != nil {
		return err
	}
	return s.showSetup(w, r, a, http.StatusOK, "")
}

func (s *Server) showSetup(w http.ResponseWriter, r *http.Request, a *Asker, status int, problem string) error {
	zone := r.FormValue("zone")
	if zone == "" {
		zone = "Asia/Shanghai"
		if a.F.Lang == locale.En {
			zone = time.Local.String()
			if zone == "Local" || zone == "UTC" {
				zone = "Europe/London"
			}
		}
	}
	p := setupData{Error: problem}
	if a.Company == nil {
		p.Fields = []Field{
			{Name: "name", Label: a.T("web.setup.name"), Value: r.FormValue("name"), Required: true, Autocomplete: "organization"},
			{Name: "zone", Label: a.T("web.setup.zone"), Value: zone, Required: true, Hint: a.T("web.setup.zone.hint")},
		}
	}
	if a.Empty {
		p.Account = []Field{
			{Name: "login", Label: a.T("web.login"), Value: r.FormValue("login"), Required: true, Autocomplete: "username", Hint: a.T("web.setup.login.hint")},
			{Name: "password", Label: a.T("web.password"), Kind: "password", Required: true, Autocomplete: "new-password", Hint: a.T("web.password.hint", auth.MinPassword)},
		}
	}
	return s.show(w, r, a, Page{Name: "setup", Status: status, Bare: true, Narrow: true, Data: p})
}

// setup writes the company and its first administrator down, who is its
// training manager too until others are named, and goes on to its people.
func (s *Server) setup(w http.ResponseWriter, r *http.Request, a *Asker) error {
	if err := mayFound(r, a); err != nil {
		return err
	}
	login, password := r.FormValue("login"), r.FormValue("password")
	zone, err := time.LoadLocation(r.FormValue("zone"))
	if a.Company == nil && (err != nil || r.FormValue("zone") == "" || r.FormValue("zone") == "Local") {
		return s.showSetup(w, r, a, http.StatusBadRequest, a.T("web.setup.zone.unknown", r.FormValue("zone")))
	}
	err = s.write(r, func(ctx context.Context, t *db.Tx) error {
		if a.Company == nil {
			name := locale.Text{En: r.FormValue("name")}
			if a.F.Lang == locale.Zh {
				name = locale.Text{Zh: r.FormValue("name")}
			}
			if err := org.Found(ctx, t, org.Company{Name: name, Alpha: 0.7, Beta: 0.3, AttentionDay: 60, Zone: zone}); err != nil {
				return err
			}
		}
		who := a.actor()
		if a.Empty {
			any, err := auth.Any(ctx, t)
			if err != nil {
				return err
			}
			if any { // somebody was faster
				return fault.New(fault.Conflict, "conflict")
			}
			acc := auth.Account{ID: auth.AccountID(org.NewID()), Login: login, Roles: []auth.Role{auth.Administrator, auth.TrainingManager}, Lang: a.F.Lang}
			who = string(acc.ID)
			if err := auth.AddAccount(ctx, t, acc, password); err != nil {
				return err
			}
		}
		return audit.Write(ctx, t, who, "company.found", "company", nil)
	})
	if text := wrong(a, err); text != "" {
		return s.showSetup(w, r, a, fault.Of(err).Status(), text)
	} else if err != nil {
		return err
	}
	if a.Empty {
		token, _, err := auth.SignIn(r.Context(), s.DB, login, password, r.UserAgent(), address(r))
		if err != nil {
			return err
		}
		s.keep(w, r, token)
	}
	return to(w, r, "/people/import")
}

type importData struct {
	Head    PageHead
	Steps   []Step
	Error   string
	File    string // name of the file that was looked at
	Held    string // its text, to be sent again with the confirmation
	Files   Field
	All     Field
	Faults  *Table
	More    string
	Figures []Figure
	Notes   []string
	Changes *Table
	Can     bool // nothing stands in its way
}

func (s *Server) importPage(w http.ResponseWriter, r *http.Request, a *Asker) error {
	return s.show(w, r, a, Page{Name: "import", Active: peopleKey(a), Data: s.importForm(a, r)})
}

// peopleKey is the place of the navigation that lists of people belong to.
func peopleKey(a *Asker) string {
	if a.Is(auth.TrainingManager) {
		return "people"
	}
	return "admin"
}

func (s *Server) importForm(a *Asker, r *http.Request) importData {
	return importData{
		Head:  PageHead{Title: a.T("web.import.title"), Lead: a.T("web.import.lead")},
		Steps: []Step{{a.T("web.import.step.file"), "", Now}, {a.T("web.import.step.check"), "", Wait}, {a.T("web.import.step.done"), "", Wait}},
		Files: Field{Name: "file", Label: a.T("web.import.file"), Kind: "file", Accept: ".csv,.xlsx,.txt,.tsv", Hint: a.T("web.import.file.hint")},
		All:   Field{Name: "complete", Label: a.T("web.import.complete"), Kind: "checkbox", Value: r.FormValue("complete"), Hint: a.T("web.import.complete.hint")},
	}
}

// heldFile is a file that was looked at and waits to be confirmed.
type heldFile struct {
	id, name string
	data     []byte
	at       time.Time
}

// holds keeps the file that each account last looked at, for half an hour, so
// that what is confirmed is what was seen and nothing is sent twice.
type holds struct {
	mu sync.Mutex
	by map[auth.AccountID]heldFile
}

func (h *holds) keep(who auth.AccountID, f heldFile) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.by == nil {
		h.by = map[auth.AccountID]heldFile{}
	}
	for k, old := range h.by {
		if f.at.Sub(old.at) > 30*time.Minute {
			delete(h.by, k)
		}
	}
	h.by[who] = f
}

func (h *holds) find(who auth.AccountID, id string) (heldFile, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f, ok := h.by[who]
	return f, ok && f.id == id
}

func (h *holds) drop(who auth.AccountID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.by, who)
}

// importPeople looks at a file, and says everything that is wrong with it or
// what it would change; sent again with "held", it does it.
func (s *Server) importPeople(w http.ResponseWriter, r *http.Request, a *Asker) error {
	show := func(status int, p importData) error {
		return s.show(w, r, a, Page{Name: "import", Status: status, Active: peopleKey(a), Data: p})
	}
	p := s.importForm(a, r)
	var f heldFile
	if held := r.FormValue("held"); held != "" {
		var ok bool
		if f, ok = s.holds.find(a.Account, held); !ok {
			p.Error = a.T("web.import.gone")
			return show(http.StatusConflict, p)
		}
	} else {
		file, header, err := r.FormFile("file")
		if err != nil {
			var large *http.MaxBytesError
			if errors.As(err, &large) {
				return err
			}
			p.Files.Error = a.T("web.import.none")
			return show(http.StatusBadRequest, p)
		}
		defer file.Close()
		data, err := io.ReadAll(io.LimitReader(file, org.MaxImportBytes+1))
		if err != nil {
			return err
		}
		f = heldFile{rand.Text(), header.Filename, data, time.Now()}
		s.holds.keep(a.Account, f)
	}
	confirmed := r.FormValue("held") != ""
	rep, err := org.ImportPeople(r.Context(), s.DB, f.name, f.data, org.ImportOptions{
		Lang: a.F.Lang, Complete: r.FormValue("complete") != "", DryRun: !confirmed,
		Then: func(ctx context.Context, t *db.Tx, res org.ImportResult) error {
			if _, err := delivery.Release(ctx, t, res.Leavers); err != nil {
				return err
			}
			return audit.Write(ctx, t, a.actor(), "people.import", "people", res)
		},
	})
	if err != nil {
		return err
	}
	if rep.Written {
		s.holds.drop(a.Account)
		AddFlash(w, Flash{Tone: "good", Key: "web.import.done", Args: []string{a.F.Number(float64(rep.Joined), 0), a.F.Number(float64(rep.Changed), 0), a.F.Number(float64(rep.Left), 0)}})
		return to(w, r, "/people")
	}
	p.File = f.name
	p.Steps[0].State, p.Steps[1].State = Done, Now
	if len(rep.Faults) > 0 {
		p.Steps[1].State = Stuck
		p.Faults = faultTable(a, rep.Faults)
		if n := len(rep.Faults) - len(p.Faults.Rows); n > 0 {
			p.More = a.T("web.import.more", n)
		}
		return show(http.StatusUnprocessableEntity, p)
	}
	p.Can, p.Held = true, f.id
	for _, x := range []struct {
		key string
		n   int
	}{
		{"people", rep.People}, {"joined", rep.Joined}, {"changed", rep.Changed}, {"left", rep.Left}, {"unchanged", rep.Unchanged},
		{"units", rep.Units}, {"positions", rep.ImportResult.Positions},
	} {
		p.Figures = append(p.Figures, Figure{Label: a.T("import.result." + x.key), Value: float64(x.n)})
	}
	for _, n := range rep.Plan.Notes {
		p.Notes = append(p.Notes, n.Message(a.F.Lang))
	}
	p.Changes = changeTable(a, rep.Plan)
	return show(http.StatusOK, p)
}

const shownFaults = 200

func faultTable(a *Asker, faults []org.Fault) *Table {
	t := &Table{ID: "faults", Caption: a.T("web.import.faults", len(faults)), Columns: []Column{
		{Label: a.T("import.result.row"), Num: true}, {Label: a.T("import.result.column")}, {Label: a.T("import.result.fault")},
	}}
	for _, f := range faults[:min(len(faults), shownFaults)] {
		row := "–"
		if f.Row > 0 {
			row = a.F.Number(float64(f.Row), 0)
		}
		t.Rows = append(t.Rows, Row{[]Cell{{Text: row}, {Text: f.Column}, {Text: f.Message(a.F.Lang)}}})
	}
	return t
}

// changeTable shows the first people that the import touches.
func changeTable(a *Asker, p *org.ImportPlan) *Table {
	t := &Table{ID: "changes", Caption: a.T("web.import.changes"), Columns: []Column{
		{Label: a.T("web.number")}, {Label: a.T("web.name")}, {Label: a.T("web.import.what")},
	}}
	add := func(x org.Person, key string, tone Tone) {
		if len(t.Rows) < 50 {
			t.Rows = append(t.Rows, Row{[]Cell{{Text: x.Number}, {Text: x.Name}, {Text: a.T(key), Pill: true, Tone: tone}}})
		}
	}
	for _, x := range p.Joiners {
		add(x, "import.result.joined", ToneGood)
	}
	for _, x := range p.Changed {
		add(x.After, "import.result.changed", TonePrimary)
	}
	for _, x := range p.Leavers {
		add(x, "import.result.left", ToneGap)
	}
	if len(t.Rows) == 0 {
		return nil
	}
	return t
}
