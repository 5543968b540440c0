package content

import (
	"cmp"
	"math"
	"slices"
)

// Need is what a proposal of activities is asked for.
type Need struct {
	Kind     string             // of the skill: knowledge, skill or style
	Gap      float64            // R − S, points of S, mean over the people
	Room     float64            // C − S, points of S: what could be gained at most; 0: Gap
	People   int                // who need it
	Hours    float64            // of a person's time that may go to this skill; 0: 6
	Sessions int                // dated sessions that can be held; 0: 30
	Interest map[Method]float64 // share in [0,1] of people asked who would like to learn that way; absent: not asked
}

// Proposed is one activity of a proposal.
type Proposed struct {
	Method  Method
	Kind    Kind
	Format  Format
	Minutes int
	Rate    float64 // λ per focused hour, the prior of the method
	Gain    float64 // points of S that it is expected to add, after those before it
	Seats   int     // of one session; 0: no limit
	Scarce  bool    // the sessions that can be held do not seat everybody
	Prior   Effect
	Why     []Reason
}

// Reason is one reason for a proposal, as a message.
type Reason struct {
	Key  string
	Args []any
}

// Suggest proposes a mix of activities for a need, in the order they should be
// given, each with its reasons.
//
// The mix begins with what tells and ends with what practises. A method's worth
// is its rate for the kind of skill, raised or lowered by up to 15 % by how
// many people would like it, and by the share of people its seats can hold.
// Half an hour at a time goes to the method that gains most, a method's worth
// falling as 1/(1 + 6·hours/dose) so that no method is all there is; it ends when
// the gap is expected to close, or the hours are used.
func Suggest(n Need) []Proposed {
	if n.Hours == 0 {
		n.Hours = 6
	}
	if n.Sessions == 0 {
		n.Sessions = 30
	}
	if n.Room == 0 {
		n.Room = n.Gap
	}
	if n.Gap <= 0 || n.Room <= 0 || n.Hours <= 0 {
		return nil
	}
	type option struct {
		*Prior
		worth  float64 // per hour
		seated float64 // share of the people that can have a seat
		hours  float64
	}
	var options []*option
	for _, m := range MethodNames {
		p := Methods[m]
		o := &option{Prior: p, seated: 1}
		if p.Format == Dated && p.Seats > 0 && n.People > 0 {
			o.seated = math.Min(1, float64(n.Sessions*p.Seats)/float64(n.People))
		}
		o.worth = p.Rate(n.Kind) * o.seated
		if liked, asked := n.Interest[m]; asked {
			o.worth *= 0.85 + 0.3*math.Max(0, math.Min(1, liked))
		}
		options = append(options, o)
	}
	const slice = 0.5 // hours
	var total float64 // Σ λh
	for used := 0.0; used+slice <= n.Hours+1e-9 && n.Room*(1-math.Exp(-total)) < n.Gap-1e-9; used += slice {
		best := slices.MaxFunc(options, func(a, b *option) int {
			return cmp.Compare(a.worth/(1+6*a.hours/a.Dose), b.worth/(1+6*b.hours/b.Dose))
		})
		best.hours += slice
		total += best.Rate(n.Kind) * best.seated * slice
	}
	var mix []Proposed
	total = 0
	for _, o := range options {
		if o.hours == 0 {
			continue
		}
		rate := o.Rate(n.Kind)
		gain := n.Room * (math.Exp(-total) - math.Exp(-total-rate*o.hours))
		total += rate * o.hours
		p := Proposed{
			Method: o.Method, Kind: o.Kind, Format: o.Format, Minutes: int(60 * o.hours), Rate: rate, Gain: gain,
			Seats: o.Seats, Scarce: o.seated < 1, Prior: o.On(n.Kind),
		}
		p.Why = append(p.Why, Reason{"content.why.kind." + n.Kind, []any{rank(n.Kind, o.Method), len(MethodNames)}})
		source := "content.why.prior"
		if !p.Prior.Confirmed {
			source = "content.why.prior_unconfirmed"
		}
		p.Why = append(p.Why, Reason{source, []any{p.Prior.D, p.Prior.Source}})
		if liked, asked := n.Interest[o.Method]; asked {
			key := "content.why.liked"
			if liked < 0.3 {
				key = "content.why.not_liked"
			}
			p.Why = append(p.Why, Reason{key, []any{int(math.Round(100 * liked))}})
		}
		switch {
		case p.Scarce:
			p.Why = append(p.Why, Reason{"content.why.scarce", []any{n.Sessions * o.Seats, n.People}})
		case o.Format == Dated && n.People > 0:
			p.Why = append(p.Why, Reason{"content.why.seats", []any{(n.People + o.Seats - 1) / o.Seats, o.Seats}})
		default:
			p.Why = append(p.Why, Reason{"content.why.online", []any{n.People}})
		}
		mix = append(mix, p)
	}
	return mix
}

// rank returns the place of a method among all by its rate for a kind of
// skill, from 1.
func rank(kind string, m Method) int {
	place := 1
	for _, other := range MethodNames {
		if Methods[other].Rate(kind) > Methods[m].Rate(kind) {
			place++
		}
	}
	return place
}
