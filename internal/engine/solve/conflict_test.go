package solve

import (
	"slices"
	"testing"
)

// office is a small instance: people of one position and site, one skill, self-paced offering 0.
func office(people int) *Instance {
	in := &Instance{
		Alpha: 0.7, Beta: 0.3, SigmaS: 10, SigmaI: 10, Innovation: -1,
		Skills: []string{"service"}, Formats: []string{"online", "workshop"}, Fit: [][]float32{{1, 1}},
		Positions: []Position{{ID: "clerk", Weights: []float32{1}, Ceiling: []float32{95}}},
		Sites:     []string{"shop"}, Teams: []Team{{ID: "team", Away: 1}}, Units: []Unit{{ID: "unit", Budget: -1}},
		Groups: []Group{{ID: "group"}}, Budget: -1,
		Offerings: []Offering{
			{ID: "online", Hours: 2, Rates: []float32{0.1}},
			{ID: "workshop", Format: 1, Hours: 3, Cost: 100, Rates: []float32{0.1}},
		},
		Sessions: []Session{
			{ID: "online", Offering: 0, Site: -1, Seats: -1},
			{ID: "monday", Offering: 1, Site: 0, Seats: 10, Meetings: []Meeting{{540, 720}}},
			{ID: "tuesday", Offering: 1, Site: 0, Seats: 5, Meetings: []Meeting{{1440 + 540, 1440 + 720}}},
		},
	}
	for range people {
		p := &in.People
		p.Position, p.Site, p.Team, p.Unit = append(p.Position, 0), append(p.Site, 0), append(p.Team, 0), append(p.Unit, 0)
		p.Group, p.Profile = append(p.Group, 0), append(p.Profile, 0)
		p.Hours, p.Attention = append(p.Hours, 8), append(p.Attention, 480)
		p.Proficiency = append(p.Proficiency, 50)
	}
	return in
}

// Every way in which what is asked for cannot be had is named, with a smallest
// set of those concerned; whatever else is asked for is met.
func TestConflictsAreNamed(t *testing.T) {
	everyone := func(n int) (all []int32) {
		for i := range n {
			all = append(all, int32(i))
		}
		return all
	}
	for _, tt := range []struct {
		name     string
		people   int
		change   func(in *Instance)
		want     Conflict
		unplaced int
	}{
		{"sixteen people, fifteen places", 16, func(in *Instance) {
			in.Mandates = []Mandate{{Offering: 1, Deadline: 10000}}
		}, Conflict{Rule: RuleSeats, People: everyone(16), Offerings: []int32{1}, Sessions: []int32{1, 2}, Team: -1, Unit: -1, Group: -1, At: -1, Need: 16, Have: 15}, 1},
		{"six must have been there by Monday night, and four more are locked to it", 20, func(in *Instance) {
			in.Sessions[1].Seats = 9
			in.Mandates = []Mandate{{Offering: 1, Deadline: 1440, People: everyone(6)}}
			for i := range int32(4) {
				in.Locked = append(in.Locked, Choice{10 + i, 1, 1})
			}
		}, Conflict{Rule: RuleSeats, People: []int32{0, 1, 2, 3, 4, 5, 10, 11, 12, 13}, Offerings: []int32{1}, Sessions: []int32{1}, Team: -1, Unit: -1, Group: -1, At: -1, Need: 10, Have: 9}, 1},
		{"deadline before any session", 3, func(in *Instance) {
			in.Mandates = []Mandate{{Offering: 1, Deadline: 600, People: []int32{1}}}
		}, Conflict{Rule: RuleDeadline, People: []int32{1}, Offerings: []int32{1}, Sessions: []int32{1, 2}, Team: -1, Unit: -1, Group: -1, At: 600}, 1},
		{"prerequisites in a circle", 3, func(in *Instance) {
			in.Offerings = append(in.Offerings, Offering{ID: "other", Format: 1, Hours: 2, Rates: []float32{0.1}, Prerequisites: []int32{1}})
			in.Offerings[1].Prerequisites = []int32{2}
			in.Mandates = []Mandate{{Offering: 1, Deadline: 10000, People: []int32{2}}}
		}, Conflict{Rule: RulePrerequisite, People: []int32{2}, Offerings: []int32{1, 2}, Team: -1, Unit: -1, Group: -1, At: -1}, 1},
		{"budget below the mandatory", 5, func(in *Instance) {
			in.Budget = 420
			in.Mandates = []Mandate{{Offering: 1, Deadline: 10000}}
		}, Conflict{Rule: RuleMoney, People: everyone(5), Offerings: []int32{1}, Team: -1, Unit: -1, Group: -1, At: -1, Need: 500, Have: 420}, 1},
		{"a unit's budget below the mandatory", 5, func(in *Instance) {
			in.Units[0].Budget = 250
			in.Mandates = []Mandate{{Offering: 1, Deadline: 10000, People: []int32{0, 1, 2}}}
		}, Conflict{Rule: RuleMoney, People: []int32{0, 1, 2}, Offerings: []int32{1}, Team: -1, Unit: 0, Group: -1, At: -1, Need: 300, Have: 250}, 1},
		{"floor too high", 4, func(in *Instance) { in.Groups[0].Floor = 100 },
			Conflict{Rule: RuleFloor, Team: -1, Unit: -1, Group: 0, At: -1, Need: 100, Have: 4 * 0.07 * 45 * (1 - 0.6065306597126334)}, 0},
		{"locked and forbidden", 3, func(in *Instance) {
			in.Locked = []Choice{{1, 1, 2}}
			in.Forbidden = []Choice{{1, 1, -1}}
		}, Conflict{Rule: RuleLocked, People: []int32{1}, Offerings: []int32{1}, Sessions: []int32{1, 2}, Team: -1, Unit: -1, Group: -1, At: -1}, 1},
		{"not held at the site", 3, func(in *Instance) {
			in.Sites = append(in.Sites, "depot")
			in.Sessions[1].Site, in.Sessions[2].Site = 1, 1
			in.Mandates = []Mandate{{Offering: 1, Deadline: 10000, People: []int32{0}}}
		}, Conflict{Rule: RuleSite, People: []int32{0}, Offerings: []int32{1}, Team: -1, Unit: -1, Group: -1, At: -1}, 1},
		{"more hours than the person has", 3, func(in *Instance) {
			in.People.Hours[2] = 4
			in.Mandates = []Mandate{{Offering: 0, Deadline: 10000}, {Offering: 1, Deadline: 10000}}
		}, Conflict{Rule: RuleHours, People: []int32{2}, Offerings: []int32{0, 1}, Team: -1, Unit: -1, Group: -1, At: -1, Need: 5, Have: 4}, 1},
		{"more minutes than attention lasts", 3, func(in *Instance) {
			in.People.Attention[2] = 120
			in.Mandates = []Mandate{{Offering: 1, Deadline: 10000}}
		}, Conflict{Rule: RuleAttention, People: []int32{2}, Offerings: []int32{1}, Sessions: []int32{1, 2}, Team: -1, Unit: -1, Group: -1, At: -1, Need: 180, Have: 120}, 1},
		{"two places at once", 3, func(in *Instance) {
			in.Offerings = append(in.Offerings, Offering{ID: "other", Format: 1, Hours: 2, Rates: []float32{0.1}})
			in.Sessions[2].Offering, in.Sessions[2].Meetings = 2, []Meeting{{600, 720}}
			in.Locked = []Choice{{0, 1, 1}, {0, 2, 2}}
		}, Conflict{Rule: RuleClash, People: []int32{0}, Offerings: []int32{1, 2}, Team: -1, Unit: -1, Group: -1, At: -1}, 1},
		{"more of a team away than may be", 5, func(in *Instance) {
			in.Teams[0].Away = 0.4
			in.Mandates = []Mandate{{Offering: 1, Deadline: 10000}}
		}, Conflict{Rule: RuleCover, People: everyone(5), Offerings: []int32{1}, Sessions: []int32{1, 2}, Team: 0, Unit: -1, Group: -1, At: -1, Need: 5, Have: 4}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := office(tt.people)
			tt.change(in)
			p, err := Solve(t.Context(), in, Options{Gap: 0.001, Work: 300_000, Seed: 1, Workers: 1})
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Conflicts) != 1 {
				t.Fatalf("conflicts %+v, unplaced %v, warnings %v", p.Conflicts, p.Unplaced, p.Warnings)
			}
			got := p.Conflicts[0]
			if got.Rule != tt.want.Rule || !slices.Equal(got.People, tt.want.People) || !slices.Equal(got.Offerings, tt.want.Offerings) || !slices.Equal(got.Sessions, tt.want.Sessions) ||
				got.Team != tt.want.Team || got.Unit != tt.want.Unit || got.Group != tt.want.Group || got.At != tt.want.At ||
				got.Need != tt.want.Need || got.Have < tt.want.Have-1e-9 || got.Have > tt.want.Have*1.001+1e-9 {
				t.Errorf("conflict\n%+v, want\n%+v", got, tt.want)
			}
			if len(p.Unplaced) != tt.unplaced {
				t.Errorf("unplaced %v", p.Unplaced)
			}
			if p.Objective <= 0 {
				t.Errorf("nothing else is planned either")
			}
		})
	}
}
