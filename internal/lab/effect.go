package lab

import (
	"strings"

	"attune/internal/engine/effect"
	"attune/internal/fault"
	"attune/internal/locale"
)

// EffectOptions say which columns to compare, and how.
type EffectOptions struct {
	Outcome    string
	Treatment  string
	Covariates []string
	Cluster    string
	Unit       string
	Time       string
	Start      string // first period under treatment, as the column Time says it
	effect.Options
	Estimand   effect.Estimand
	Trim       float64
	Distance   effect.Distance
	Neighbours int
	Caliper    float64
	Adjust     bool
	SkipBad    bool
}

// Effect is an estimate with the rows it leaves out.
type Effect struct {
	effect.Estimate
	Warnings []error `json:"warnings"` // in place of the estimate's own, which go without saying when there are none
	BadRows  BadRows `json:"bad_rows"`
}

// Remarks returns the warnings and the rows left out.
func (e *Effect) Remarks() ([]error, BadRows) { return e.Warnings, e.BadRows }

// EstimateEffect estimates an effect by one of the methods difference, ancova,
// cuped, lin, did, fe, ipw and match.
func EstimateEffect(path, method string, o EffectOptions) (*Effect, error) {
	wants := []Want{{Name: o.Outcome}, {Name: o.Treatment}, {Name: o.Cluster, Kind: Code}, {Name: o.Unit, Kind: Code}, {Name: o.Time, Kind: Period}}
	const first = 5 // of the covariates
	for _, c := range o.Covariates {
		wants = append(wants, Want{Name: c, Kind: Mixed})
	}
	f, err := readFrame(path, wants, o.SkipBad)
	if err != nil {
		return nil, err
	}
	d := effect.Data{Outcome: f.Numbers(0), Treatment: f.Numbers(1), Cluster: f.Codes(2), Unit: f.Codes(3), Time: f.Codes(4)}
	for i := range o.Covariates {
		c, err := f.Covariates(first + i)
		if err != nil {
			return nil, err
		}
		d.Covariates = append(d.Covariates, c...)
	}
	var e effect.Estimate
	switch method {
	case "difference":
		e, err = effect.Difference(d, o.Options)
	case "ancova":
		e, err = effect.Ancova(d, o.Options)
	case "cuped":
		e, err = effect.Cuped(d, o.Options)
	case "lin":
		e, err = effect.Lin(d, o.Options)
	case "fe":
		e, err = effect.FE(d, o.Options)
	case "did":
		did := effect.DIDOptions{Options: o.Options}
		if o.Start != "" {
			if o.Time == "" {
				return nil, fault.New(fault.Invalid, "lab.effect.start_needs_time")
			}
			k, err := f.periodOf(4, o.Start)
			if err != nil {
				return nil, err
			}
			did.Start = &k
		}
		e, err = effect.DID(d, did)
	case "ipw":
		e, err = effect.IPW(d, effect.IPWOptions{Options: o.Options, Estimand: o.Estimand, Trim: o.Trim})
	case "match":
		e, err = effect.Match(d, effect.MatchOptions{
			Options: o.Options, Estimand: o.Estimand, Distance: o.Distance, Neighbours: o.Neighbours, Caliper: o.Caliper, Adjust: o.Adjust,
		})
	}
	if err != nil {
		return nil, Explain(err)
	}
	return &Effect{e, e.Warnings, f.Bad}, nil
}

// Sections lays the estimate out.
func (e *Effect) Sections(l locale.Lang) []Section {
	sum := Section{Rows: pairs(l,
		"method", e.Method, "estimand", string(e.Estimand),
		"effect", figure(l, e.Estimate.Estimate), "se", figure(l, e.SE)+" "+string(e.SEKind),
		"interval", figure(l, e.Low)+" – "+figure(l, e.High), "p", small(l, e.P),
		"hedges_g", l.Number(e.HedgesG, 3), "n", l.Number(float64(e.N), 0), "n_treated", l.Number(float64(e.NTreated), 0))}
	if e.DF > 0 {
		sum.Rows = append(sum.Rows, pairs(l, "df", l.Number(e.DF, 1))...)
	}
	if e.Clusters > 0 {
		sum.Rows = append(sum.Rows, pairs(l, "clusters", l.Number(float64(e.Clusters), 0))...)
	}
	if o := e.Overlap; o != nil {
		sum.Rows = append(sum.Rows, pairs(l, "outside", l.Percent(o.Outside, 1),
			"effective", l.Number(o.Effective[1], 1)+" / "+l.Number(o.Effective[0], 1))...)
	}
	if p := e.PreTrend; p != nil {
		sum.Rows = append(sum.Rows, pairs(l, "pre_trend", figure(l, p.Slope)+" ± "+figure(l, p.SE)+", p "+small(l, p.P))...)
	}
	balance := Section{Title: l.T("lab.title.balance"), Head: heads(l, "covariate", "treated", "control", "smd", "variance_ratio", "adjusted")}
	for _, b := range e.Balance {
		balance.Rows = append(balance.Rows, []string{b.Covariate, figure(l, b.Treated), figure(l, b.Control), l.Number(b.SMD, 3), l.Number(b.VarianceRatio, 2), l.Number(b.Adjusted, 3)})
	}
	events := Section{Title: l.T("lab.title.events"), Head: heads(l, "since", "effect", "se", "units")}
	for _, v := range e.Events {
		events.Rows = append(events.Rows, []string{l.Number(float64(v.Since), 0), figure(l, v.Estimate), figure(l, v.SE), l.Number(float64(v.Units), 0)})
	}
	return []Section{sum, balance, events}
}

// MediateOptions say which columns make up the path model.
type MediateOptions struct {
	Treatment  string
	Mediators  string // names; a comma stands between those of one stage, > between stages
	Outcome    string
	Covariates []string
	Cluster    string
	effect.MediateOptions
	SkipBad bool
}

// Mediation is a path model with the rows it leaves out.
type Mediation struct {
	effect.Mediation
	Warnings []error `json:"warnings"`
	BadRows  BadRows `json:"bad_rows"`
}

// Remarks returns the warnings and the rows left out.
func (m *Mediation) Remarks() ([]error, BadRows) { return m.Warnings, m.BadRows }

// Mediate fits a path model.
func Mediate(path string, o MediateOptions) (*Mediation, error) {
	wants := []Want{{Name: o.Treatment}, {Name: o.Outcome}, {Name: o.Cluster, Kind: Code}}
	m := effect.PathModel{}
	for stage, names := range strings.Split(o.Mediators, ">") {
		for name := range strings.SplitSeq(names, ",") {
			name = strings.TrimSpace(name)
			if name == "" {
				return nil, fault.New(fault.Invalid, "lab.mediate.no_mediator")
			}
			wants = append(wants, Want{Name: name})
			m.Mediators = append(m.Mediators, effect.Mediator{Name: name, Stage: stage})
		}
	}
	first := len(wants)
	for _, c := range o.Covariates {
		wants = append(wants, Want{Name: c, Kind: Mixed})
	}
	f, err := readFrame(path, wants, o.SkipBad)
	if err != nil {
		return nil, err
	}
	m.Treatment, m.Outcome, m.Cluster = f.Numbers(0), f.Numbers(1), f.Codes(2)
	for i := range m.Mediators {
		m.Mediators[i].Values = f.Numbers(3 + i)
	}
	for i := range o.Covariates {
		c, err := f.Covariates(first + i)
		if err != nil {
			return nil, err
		}
		m.Covariates = append(m.Covariates, c...)
	}
	r, err := effect.Mediate(m, o.MediateOptions)
	if err != nil {
		return nil, Explain(err)
	}
	return &Mediation{r, r.Warnings, f.Bad}, nil
}

// Sections lays the path model out.
func (m *Mediation) Sections(l locale.Lang) []Section {
	cells := func(name string, p effect.Part) []string {
		return []string{name, figure(l, p.Estimate), figure(l, p.SE), figure(l, p.BCa[0]), figure(l, p.BCa[1]), small(l, p.P)}
	}
	head := []string{"effect", "se", "low", "high", "p"}
	sum := Section{Head: heads(l, append([]string{"part"}, head...)...), Rows: [][]string{
		cells(l.T("lab.head.total"), m.Total), cells(l.T("lab.head.direct"), m.Direct), cells(l.T("lab.head.indirect"), m.Indirect),
	}}
	paths := Section{Title: l.T("lab.title.paths"), Head: heads(l, append([]string{"through"}, head...)...)}
	for _, p := range m.Paths {
		paths.Rows = append(paths.Rows, cells(strings.Join(p.Through, " → "), p.Part))
	}
	arrows := Section{Title: l.T("lab.title.arrows"), Head: heads(l, append([]string{"arrow"}, head...)...)}
	for _, c := range m.Coefficients {
		from, to := c.From, c.To
		if from == "" {
			from = l.T("lab.head.treatment")
		}
		if to == "" {
			to = l.T("lab.head.outcome")
		}
		arrows.Rows = append(arrows.Rows, cells(from+" → "+to, c.Part))
	}
	counts := Section{Rows: pairs(l, "share", l.Percent(m.Share, 1), "n", l.Number(float64(m.N), 0), "draws", l.Number(float64(m.Draws), 0))}
	assumed := Section{Title: l.T("lab.title.assumptions")}
	for _, a := range m.Assumptions {
		assumed.Rows = append(assumed.Rows, []string{"· " + l.T("lab.assumption."+string(a))})
	}
	return []Section{sum, paths, arrows, counts, assumed}
}
