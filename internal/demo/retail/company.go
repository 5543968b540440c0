package retail

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"attune/internal/locale"
)

// Company is the retailer.
type Company struct {
	Name       locale.Text   `json:"name"`
	About      locale.Text   `json:"about"`
	Department locale.Text   `json:"department"` // whose people are trained
	Zone       string        `json:"zone"`       // IANA
	Programmes []locale.Text `json:"programmes"` // names of the first and second cycle's programmes
	Regions    []Region      `json:"regions"`
	Teams      []TeamKind    `json:"teams"`
	Trainers   []Trainer     `json:"trainers"`
	Rooms      []locale.Text `json:"rooms"`
	Experts    []locale.Text `json:"experts"` // who set standards
}

// Region holds the sites of a part of the country.
type Region struct {
	Name  locale.Text   `json:"name"`
	Sites []locale.Text `json:"sites"`
}

// TeamKind is a sort of team; its people have one position. The sorts stand to
// each other as the positions' shares do.
type TeamKind struct {
	Position string      `json:"position"` // Position.Key
	Name     locale.Text `json:"name"`
}

// Trainer teaches dated courses.
type Trainer struct {
	Name     string   `json:"name"`
	External bool     `json:"external"`
	Skills   []string `json:"skills"` // Skill.Key
}

// Unit is a node of the company's tree: the company, a region, a site or a
// team.
type Unit struct {
	Parent   int // index in the list; −1 at the root
	Name     locale.Text
	Site     bool
	Team     bool
	Position string // of a team
}

// Tree lays out a company of so many sites and teams, parents before children.
// Sites are taken from the regions in turn; teams are dealt to the sites in
// turn, the kinds by turns within each site and numbered within kind and site.
// There are at most 60 sites.
func (c *Company) Tree(sites, teams int) []Unit {
	units := []Unit{{Parent: -1, Name: c.Department}}
	region := make([]int, len(c.Regions)) // index of its unit; 0 until it has one
	var at []int                          // the sites' units
	for i := 0; len(at) < sites; i++ {
		found := false
		for r := range c.Regions {
			if i >= len(c.Regions[r].Sites) || len(at) == sites {
				continue
			}
			found = true
			if region[r] == 0 {
				region[r] = len(units)
				units = append(units, Unit{Parent: 0, Name: c.Regions[r].Name})
			}
			at = append(at, len(units))
			units = append(units, Unit{Parent: region[r], Name: c.Regions[r].Sites[i], Site: true})
		}
		if !found {
			break
		}
	}
	for i := 0; i < teams && len(at) > 0; i++ {
		site, round := i%len(at), i/len(at)
		// The start is shifted by the site, so that few teams still cover every kind.
		kind := c.Teams[(round+site)%len(c.Teams)]
		n := round/len(c.Teams) + 1
		units = append(units, Unit{
			Parent: at[site], Team: true, Position: kind.Position,
			Name: locale.Both(fmt.Sprintf("%s%s组", kind.Name.Zh, zhNumber(n)), fmt.Sprintf("%s team %d", kind.Name.En, n)),
		})
	}
	return units
}

// zhNumber writes 1–99 in Chinese.
func zhNumber(n int) string {
	digits := []rune("零一二三四五六七八九")
	switch {
	case n < 10:
		return string(digits[n])
	case n < 20:
		return strings.TrimSuffix("十"+string(digits[n%10]), "零")
	}
	return strings.TrimSuffix(string(digits[n/10])+"十"+string(digits[n%10]), "零")
}

// Names are what people are called.
type Names struct {
	Surnames []Surname
	Given    []string
	Others   []Other // whole names of people who do not write in Han characters, or not as Han do
}

// Surname is a family name with how common it is.
type Surname struct {
	Name   string
	Weight int
}

// Other is a whole name, and the language its bearer reads.
type Other struct {
	Name string
	Lang locale.Lang
}

// otherShare of the people bear one of Others.
const otherShare = 0.03

// Draw returns a name and the language its bearer reads. Namesakes happen, as
// they do.
func (n *Names) Draw(r *rand.Rand) (string, locale.Lang) {
	if r.Float64() < otherShare {
		o := n.Others[r.IntN(len(n.Others))]
		return o.Name, o.Lang
	}
	total := 0
	for _, s := range n.Surnames {
		total += s.Weight
	}
	at := r.IntN(total)
	for _, s := range n.Surnames {
		if at -= s.Weight; at < 0 {
			return s.Name + n.Given[r.IntN(len(n.Given))], locale.Zh
		}
	}
	panic("retail: weights do not add up")
}

// readNames reads the parts of names: surnames after "common", "usual" or
// "rare", given names after "given", and a whole name after its language.
func readNames() (n Names, err error) {
	lines, err := readLines("names.txt")
	if err != nil {
		return n, err
	}
	for _, l := range lines {
		switch l.mark {
		case "common", "usual", "rare":
			w := map[string]int{"common": 12, "usual": 4, "rare": 1}[l.mark]
			for _, s := range strings.Fields(l.rest) {
				n.Surnames = append(n.Surnames, Surname{s, w})
			}
		case "given":
			n.Given = append(n.Given, strings.Fields(l.rest)...)
		case string(locale.Zh), string(locale.En):
			n.Others = append(n.Others, Other{l.rest, locale.Lang(l.mark)})
		default:
			return n, l.fault("a line of no known kind")
		}
	}
	return n, nil
}
