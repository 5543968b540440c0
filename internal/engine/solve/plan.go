package solve

import (
	"sort"
	"time"
)

// Options say when to stop. The first limit reached ends the search with the
// best plan so far; a zero limit does not limit. With Work alone the plan
// depends on the instance and the seed only, whatever the number of workers.
type Options struct {
	Gap      float64        // stop at (Bound−Objective)/Bound below this; 0.001 is 0.1 %
	Work     int64          // stop after so many units of work, each about a microsecond of one core
	Time     time.Duration  // stop after this long
	Seed     uint64         //
	Workers  int            // cores to use; 0 for all
	Progress func(Progress) // called now and then from one goroutine; may be nil
}

// Progress is how far a solve has come.
type Progress struct {
	Phase string  `json:"phase"` // "prices", "bound", "plan", "improve"
	Work  int64   `json:"work"`  // units spent
	Best  float64 `json:"best"`  // objective of the best feasible plan so far; 0 before the first
	Bound float64 `json:"bound"` // no plan can beat this; 0 before the first
	Gap   float64 `json:"gap"`   // (Bound−Best)/Bound; 1 before both are known
	Done  float64 `json:"done"`  // share of the people whose site has been through the phase, when sites are planned one by one
}

// Plan is who attends what, and the proof of how good that is.
type Plan struct {
	Choices []Choice `json:"choices"` // by person, then offering

	Objective float64   `json:"objective"` // Σ E_i less ChangeCost, valued by the exact φ
	Bound     float64   `json:"bound"`     // no plan that meets all rules but those in Conflicts can beat this
	Gap       float64   `json:"gap"`       // (Bound−Objective)/Bound
	Gains     []float32 `json:"gains"`     // E_i by person

	Changes    int     `json:"changes,omitempty"`     // choices added to or dropped from Instance.Prior
	ChangeCost float64 `json:"change_cost,omitempty"` // Changes·Instance.ChangePrice

	Prices   Prices    `json:"prices"`    // those that Bound was computed at
	PersonUB []float32 `json:"person_ub"` // the most a person could be worth at Prices, by person; with Prices this makes up Bound

	Unplaced  []Unplaced `json:"unplaced,omitempty"`  // mandates and locks that cannot be met
	Conflicts []Conflict `json:"conflicts,omitempty"` // why not
	Warnings  []Warning  `json:"warnings,omitempty"`

	Work int64  `json:"work"` // units spent
	Seed uint64 `json:"seed"`
}

// Of returns the choices of one person.
func (p *Plan) Of(person int32) []Choice {
	lo := sort.Search(len(p.Choices), func(i int) bool { return p.Choices[i].Person >= person })
	hi := lo
	for hi < len(p.Choices) && p.Choices[hi].Person == person {
		hi++
	}
	return p.Choices[lo:hi]
}

// Prices say what one more of each scarce thing would bring, in E, at the
// margin. All are ≥ 0, and 0 where there is enough.
type Prices struct {
	Money float64      `json:"money"`           // per unit of currency of Instance.Budget
	Unit  []float64    `json:"unit,omitempty"`  // per unit of currency of the unit's budget
	Seat  []float64    `json:"seat"`            // per seat, by session
	Cover []CoverPrice `json:"cover,omitempty"` // per person more away; those that are not 0, by team and minute
	Floor []float64    `json:"floor,omitempty"` // E given up in all, per E that the group's floor is raised
}

// CoverPrice is what it costs the others when one more of a team is away at a minute.
type CoverPrice struct {
	Team  int32   `json:"team"`
	At    int32   `json:"at"`
	Price float64 `json:"price"`
}

// Rule names a rule of the instance that can stand in a plan's way.
type Rule string

const (
	RuleSeats        Rule = "seats"        // more people must attend the sessions than these seat
	RuleDeadline     Rule = "deadline"     // no session that the person can attend ends by the deadline
	RulePrerequisite Rule = "prerequisite" // prerequisites form a circle, or one cannot be attended (before)
	RuleMoney        Rule = "money"        // what must be attended costs more than the budget
	RuleFloor        Rule = "floor"        // no plan lifts the group so far
	RuleLocked       Rule = "locked"       // locked and forbidden, held or not open to the person
	RuleHours        Rule = "hours"        // what must be attended takes more hours than the person has
	RuleAttention    Rule = "attention"    // it puts more minutes on a day than the person has
	RuleClash        Rule = "clash"        // it needs the person in two places at once
	RuleCover        Rule = "cover"        // it takes more of a team away at once than may be
	RuleSite         Rule = "site"         // no session is held at the person's site
)

// Conflict is a smallest set of demands that cannot be met together: without
// any one of its people or offerings the rest could be.
type Conflict struct {
	Rule      Rule    `json:"rule"`
	People    []int32 `json:"people,omitempty"`
	Offerings []int32 `json:"offerings,omitempty"`
	Sessions  []int32 `json:"sessions,omitempty"`
	Team      int32   `json:"team"`  // −1 unless Rule is about a team
	Unit      int32   `json:"unit"`  // −1 unless it is about a unit's budget
	Group     int32   `json:"group"` // −1 unless it is about a group
	At        int32   `json:"at"`    // the minute, of RuleCover; the deadline, of RuleDeadline; else −1
	Need      float64 `json:"need"`  // people, money, hours, minutes or E asked for
	Have      float64 `json:"have"`  // and there at most
}

// Unplaced is a mandate or lock that the plan does not meet.
type Unplaced struct {
	Person   int32 `json:"person"`
	Offering int32 `json:"offering"`
	Conflict int32 `json:"conflict"` // index in Plan.Conflicts
}

// Warning is something a reader of the plan should know.
type Warning string

// Error makes a Warning an error, so that it can be matched and joined.
func (w Warning) Error() string { return string(w) }

const (
	WarnStopped   Warning = "solve: stopped by its limit before the gap was reached"
	WarnCancelled Warning = "solve: cancelled; this is the best plan so far"
	WarnNodes     Warning = "solve: some people's searches were cut short; the bound is valid but looser"
	WarnUnplaced  Warning = "solve: some demands found no room, though nothing proves that they cannot"
	WarnFloor     Warning = "solve: a floor was not reached, though the bound does not rule it out"
)
