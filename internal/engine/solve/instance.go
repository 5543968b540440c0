// Package solve decides who attends which session, so that the summed training
// effect E is as large as hours, attention, money, seats, cover of the shift,
// prerequisites, deadlines and fairness allow, and proves how far from the best
// possible its plan can be at most.
//
// An Instance is the question, a Plan the answer. Solve finds the plan by
// price-directed (Lagrangian) decomposition: every scarce thing has a price, a
// person's own best bundle at those prices is found exactly, and the prices are
// moved until demand meets supply. Whatever the prices, they give a Bound that
// no plan can beat. Package check verifies a plan, its objective and its bound
// without sharing code with the solver.
package solve

// Instance is one planning question. Everything is referred to by its index in
// the table that lists it; −1 stands for "none" or "all", as said at the field.
// Times are whole minutes since 00:00 of the plan's first day, local time, so
// the day of minute t is t/1440. Money is in the company's currency.
//
// The effect of a plan on person i is, in baseline standard deviations,
//
//	E_i  = (Alpha/SigmaS)·Σ_k w_pk·ΔS_ik + (Beta/SigmaI)·ΔS_i,innovation
//	ΔS_ik = max(0, C_pk − S_ik)·(1 − exp(−A_ik))
//	A_ik = Σ_j Rates[j][k]·Hours[j]·Fit[profile of i][format of j]
//
// over the offerings j that i attends, p being i's position. The first sum runs
// over all skills but innovation.
type Instance struct {
	Name string `json:"name"`

	Alpha  float64 `json:"alpha"`   // the company's weight of skill, 0.7 at first
	Beta   float64 `json:"beta"`    // the company's weight of innovation, 0.3 at first
	SigmaS float64 `json:"sigma_s"` // points of S: standard deviation at the first baseline, frozen
	SigmaI float64 `json:"sigma_i"` // the same, of innovation

	Skills     []string    `json:"skills"`     // IDs
	Innovation int32       `json:"innovation"` // index of the skill that is innovation; −1 if none is measured
	Formats    []string    `json:"formats"`    // workshop, online, role play, …
	Fit        [][]float32 `json:"fit"`        // [profile][format]: how well the format suits, times the share of attention it holds; ≥ 0
	Positions  []Position  `json:"positions"`
	Sites      []string    `json:"sites"` // IDs; people of different sites share only money, floors and sessions open to all
	Teams      []Team      `json:"teams"`
	Units      []Unit      `json:"units"`
	Groups     []Group     `json:"groups"`

	People People `json:"people"`

	Offerings []Offering `json:"offerings"`
	Sessions  []Session  `json:"sessions"`
	Budget    float64    `json:"budget"`          // money for the whole plan; −1 for no limit
	Cover     []Cover    `json:"cover,omitempty"` // windows in which fewer may be away than Team.Away says

	Mandates  []Mandate `json:"mandates,omitempty"`
	Locked    []Choice  `json:"locked,omitempty"`    // must be in the plan; Session −1: in any session
	Forbidden []Choice  `json:"forbidden,omitempty"` // must not be; Session −1: in no session
	Held      []Choice  `json:"held,omitempty"`      // done before: meets prerequisites and mandates, is not taken again; Session is ignored

	Prior       []Choice `json:"prior,omitempty"`        // an earlier plan, to be changed little
	ChangePrice float64  `json:"change_price,omitempty"` // E that one choice added to, or dropped from, Prior must be worth
}

// Position is what a job asks for.
type Position struct {
	ID      string    `json:"id"`
	Weights []float32 `json:"weights"` // w_pk by skill; Σ = 1 over all skills but innovation, whose entry is ignored
	Ceiling []float32 `json:"ceiling"` // C_pk by skill, points of S in [0,100]
}

// Team is a group of people of one site that must keep the shift covered.
type Team struct {
	ID   string  `json:"id"`
	Away float32 `json:"away"` // largest share in [0,1] away at once; ⌊Away·size⌋ people, though at least one if Away > 0
}

// Unit is whoever owns a budget.
type Unit struct {
	ID     string  `json:"id"`
	Budget float64 `json:"budget"` // money; −1 for no limit
}

// Group is people who must not be left behind.
type Group struct {
	ID    string  `json:"id"`
	Floor float64 `json:"floor"` // least summed E of the group; 0 for no floor
}

// People holds one column per attribute, each as long as there are people, so
// that a million fit in about 100 MB.
type People struct {
	ID          []string  `json:"id,omitempty"`         // may be empty: then a person is known by index
	Position    []int32   `json:"position"`             //
	Site        []int32   `json:"site"`                 //
	Team        []int32   `json:"team"`                 // −1: in no team
	Unit        []int32   `json:"unit"`                 // −1: in no unit
	Group       []int32   `json:"group"`                // −1: in no group
	Profile     []int32   `json:"profile"`              // row of Fit
	Hours       []float32 `json:"hours"`                // H_i: hours that may go into training
	Attention   []float32 `json:"attention"`            // dated minutes that may fall on one day; 1440 for no limit
	Proficiency []float32 `json:"proficiency"`          // S_ik, points in [0,100], person by person: [i·len(Skills)+k]
	Stratum     []int32   `json:"stratum,omitempty"`    // label within which seats are drawn: position × team × baseline third, say
	Unchanging  []int32   `json:"unchanging,omitempty"` // people whose Prior is kept whatever it is worth
}

// Len is how many people there are.
func (p *People) Len() int { return len(p.Position) }

// Offering is a course, workshop or path that can be attended once.
type Offering struct {
	ID            string    `json:"id"`
	Format        int32     `json:"format"`
	Hours         float32   `json:"hours"`                   // of focused time, counted against People.Hours
	Cost          float32   `json:"cost"`                    // money per person
	Rates         []float32 `json:"rates"`                   // λ_jk by skill, per hour; ≥ 0
	Prerequisites []int32   `json:"prerequisites,omitempty"` // offerings that must be in the plan or held; dated ones end before this one begins
	Positions     []int32   `json:"positions,omitempty"`     // who may attend; empty: everyone
}

// Session is one way to attend an offering: a dated run of it, or, without
// meetings, at one's own pace.
type Session struct {
	ID       string    `json:"id"`
	Offering int32     `json:"offering"`
	Site     int32     `json:"site"`  // −1: open to all sites
	Seats    int32     `json:"seats"` // −1 for no limit
	Meetings []Meeting `json:"meetings,omitempty"`
}

// Meeting is a stretch of time within one day during which those who attend
// are away from their work: [Start, End).
type Meeting struct {
	Start int32 `json:"start"` // minutes since 00:00 of the first day
	End   int32 `json:"end"`
}

// Cover lowers the share of a team that may be away between Start and End.
type Cover struct {
	Team  int32   `json:"team"` // −1: every team
	Start int32   `json:"start"`
	End   int32   `json:"end"`
	Away  float32 `json:"away"` // as Team.Away, but 0 means nobody
}

// Mandate is a course that people must have attended by a deadline.
type Mandate struct {
	Offering int32   `json:"offering"`
	Deadline int32   `json:"deadline"`         // the last meeting ends by this minute; at one's own pace always can
	People   []int32 `json:"people,omitempty"` // empty: everyone
}

// Choice is a person in a session of an offering.
type Choice struct {
	Person   int32 `json:"person"`
	Offering int32 `json:"offering"`
	Session  int32 `json:"session"`
}
