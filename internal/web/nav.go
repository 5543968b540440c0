package web

// Role is what a person comes to the site for. One person may have several.
type Role string

const (
	RoleTraining Role = "training" // training manager
	RoleTrainer  Role = "trainer"  // trainer, author
	RoleManager  Role = "manager"  // team manager
	RoleAgent    Role = "agent"    // service agent
	RoleBrand    Role = "brand"    // brand or risk officer
	RoleAdmin    Role = "admin"    // administrator
	RoleLearner  Role = "learner"  // every employee
)

// NavItem is a place of the navigation. Its name is the message "look.nav."+Key.
type NavItem struct {
	Key   string
	Href  string
	Icon  string
	Press string // the key that goes there after "g"
	Count int    // things waiting there; 0 shows nothing
}

// NavGroup is a run of places under one heading, "look.navgroup."+Key.
type NavGroup struct {
	Key   string
	Loop  bool // the places are stations of the loop, drawn on one thread
	Items []NavItem
}

// Nav returns what the roles see, the most telling role first.
func Nav(roles ...Role) []NavGroup {
	has := map[Role]bool{}
	for _, r := range roles {
		has[r] = true
	}
	var groups []NavGroup
	switch {
	case has[RoleTraining]:
		groups = append(groups, NavGroup{"loop", true, []NavItem{
			{"overview", "/overview", "overview", "o", 0},
			{"needs", "/needs", "needs", "n", 0},
			{"content", "/content", "content", "c", 0},
			{"plan", "/plan", "plan", "p", 0},
			{"delivery", "/delivery", "delivery", "d", 0},
			{"effect", "/effect", "effect", "e", 0},
			{"voice", "/voice", "voice", "v", 0},
			{"people", "/people", "people", "u", 0},
		}})
	case has[RoleTrainer]:
		groups = append(groups, NavGroup{"teach", false, []NavItem{
			{"content", "/content", "content", "c", 0},
			{"delivery", "/delivery", "delivery", "d", 0},
		}})
	}
	if has[RoleManager] {
		groups = append(groups, NavGroup{"team", false, []NavItem{{"team", "/team", "team", "t", 0}}})
	}
	var service []NavItem
	if has[RoleAgent] {
		service = append(service, NavItem{"desk", "/desk", "desk", "s", 0})
	}
	if has[RoleBrand] && !has[RoleTraining] {
		service = append(service, NavItem{"voice", "/voice", "voice", "v", 0})
	}
	if service != nil {
		groups = append(groups, NavGroup{"service", false, service})
	}
	if has[RoleLearner] {
		groups = append(groups, NavGroup{"mine", false, []NavItem{
			{"today", "/today", "today", "h", 0},
			{"learn", "/learn", "learn", "l", 0},
			{"review", "/review", "review", "r", 0},
			{"me", "/me", "me", "m", 0},
		}})
	}
	if has[RoleAdmin] {
		groups = append(groups, NavGroup{"admin", false, []NavItem{{"admin", "/admin", "admin", "a", 0}}})
	}
	return groups
}

// tabs splits the navigation for a phone: what stands in the bar at the
// bottom, and what opens behind "more" where it does not all fit.
func tabs(groups []NavGroup) (bar, more []NavItem) {
	for _, g := range groups {
		bar = append(bar, g.Items...)
	}
	if len(bar) > 5 {
		bar, more = bar[:4], bar[4:]
	}
	return bar, more
}
