package content

import (
	"math"
)

// Method is a way of teaching. Its prior says what it tends to gain.
type Method string

// The methods. Their names begin with By because several kinds of activity
// bear the same word.
const (
	ByReading    Method = "reading"
	ByLecture    Method = "lecture"    // on video or in a room
	ByRetrieval  Method = "retrieval"  // answering from memory, and being told
	BySimulation Method = "simulation" // a branching scene
	ByExercise   Method = "exercise"   // practice with feedback, alone
	ByRolePlay   Method = "role_play"  // behaviour modelling: see it done, do it, be told
	ByWorkshop   Method = "workshop"
	ByCoaching   Method = "coaching"
	ByCase       Method = "case_study"
)

// MethodNames lists the methods from what is read alone to what needs others.
var MethodNames = []Method{ByReading, ByLecture, ByRetrieval, BySimulation, ByExercise, ByCase, ByWorkshop, ByRolePlay, ByCoaching}

// Format is whether people must come together.
type Format string

const (
	Online Format = "online" // at one's own pace
	Dated  Format = "dated"  // in sessions with seats
)

// Effect is what a method was found to gain.
type Effect struct {
	D         float64 // standardised mean difference, in standard deviations of the outcome
	Source    string  // author and year; listed in full at Methods
	Confirmed bool    // read in the source's abstract or tables; otherwise quoted from memory, or carried over from another outcome
}

// Prior is what is believed of a method before any cohort was measured.
type Prior struct {
	Method    Method
	Kind      Kind    // the activity it is usually given as
	Knowledge Effect  // on what people know
	Skill     Effect  // on what they can do, above all with other people
	Style     Effect  // on how they go about work: innovation, persistence
	Dose      float64 // hours of focused time that the effect is taken to stand for
	Format    Format
	Seats     int     // of a dated one; 0: no limit
	Cost      float64 // per person, in the company's currency, until a course states its own
}

// gapShare is what one standard deviation is of the gap to the ceiling: at a
// first baseline of S = 55 with σ = 15 points and a ceiling of 95, 15/40.
const gapShare = 0.375

// Methods holds the priors. An effect d at a dose of h hours is turned into the
// rate λ in three steps: d standard deviations are d·σ points; they are the
// fraction f = d·σ/(C − S) of the gap to the ceiling, where σ/(C − S) is taken
// as 15/40; and because the gap closes as 1 − exp(−λh), λ = −ln(1 − f)/h. The
// doses are ours: the meta-analyses give effects per course, seldom hours. All
// of it is a starting point that the first cohort replaces (see Reestimate).
//
// Sources:
//   - Arthur, Bennett, Edens & Bell 2003, J. Applied Psychology 88(2), 234–245:
//     training in organisations, d = 0.63 on learning (k = 234), 0.62 on
//     behaviour (k = 122); lecture on cognitive skill 0.45 (from memory).
//   - Sitzmann, Kraiger, Stewart & Wisher 2006, Personnel Psychology 59(3):
//     web against classroom, +0.15 on declarative and −0.07 on procedural
//     knowledge; 19 % better with control, practice and feedback in long
//     courses, which is d = Φ⁻¹(0.69) = 0.50.
//   - Sitzmann 2011, Personnel Psychology 64(2), 489–528: simulation games
//     against comparison groups, declarative knowledge 11 % and procedural 14 %
//     higher, which is d = Φ⁻¹(0.61) = 0.28 and Φ⁻¹(0.64) = 0.36; the author
//     warns of publication bias.
//   - Rowland 2014, Psychological Bulletin 140(6), 1432–1463: testing against
//     restudy, g = 0.50 (from memory). Pan & Rickard 2018, Psychological
//     Bulletin 144(7): transfer of it, d = 0.40.
//   - Taylor, Russ-Eft & Chan 2005, J. Applied Psychology 90(4), 692–709:
//     behaviour modelling, largest on learning, smaller on behaviour; about 1.2
//     on knowledge and 0.8 on skill (both from memory).
//   - Theeboom, Beersma & van Vianen 2014, J. Positive Psychology 9(1), 1–18:
//     coaching, from g = 0.43 (coping) to 0.74 (goal-directed self-regulation);
//     performance and skills 0.60 (from memory).
//   - A review of 22 studies of case-based learning in the health professions,
//     2025 (PMC11940068): against lectures 0.41 on knowledge, 0.24 on
//     communication, 0.75 on critical thinking.
var Methods = map[Method]*Prior{
	ByReading: {
		Method: ByReading, Kind: Page, Dose: 4, Format: Online, Cost: 0,
		Knowledge: Effect{0.45, "Arthur 2003", false},
		Skill:     Effect{0.23, "Arthur 2003", false}, // half: nothing is practised
		Style:     Effect{0.15, "Arthur 2003", false},
	},
	ByLecture: {
		Method: ByLecture, Kind: Video, Dose: 4, Format: Online, Cost: 5,
		Knowledge: Effect{0.60, "Arthur 2003; Sitzmann 2006", false}, // 0.45 + 0.15
		Skill:     Effect{0.38, "Arthur 2003; Sitzmann 2006", false}, // 0.45 − 0.07
		Style:     Effect{0.20, "Arthur 2003", false},
	},
	ByRetrieval: {
		Method: ByRetrieval, Kind: Quiz, Dose: 2.5, Format: Online, Cost: 2,
		Knowledge: Effect{0.50, "Rowland 2014", false},
		Skill:     Effect{0.20, "Pan & Rickard 2018", false}, // half of 0.40: to recall is not yet to do
		Style:     Effect{0.10, "Pan & Rickard 2018", false},
	},
	BySimulation: {
		Method: BySimulation, Kind: Scene, Dose: 3, Format: Online, Cost: 8,
		Knowledge: Effect{0.28, "Sitzmann 2011", true},
		Skill:     Effect{0.36, "Sitzmann 2011", true},
		Style:     Effect{0.28, "Sitzmann 2011", false},
	},
	ByExercise: {
		Method: ByExercise, Kind: Exercise, Dose: 5, Format: Online, Cost: 10,
		Knowledge: Effect{0.50, "Sitzmann 2006", true},
		Skill:     Effect{0.43, "Sitzmann 2006", false}, // 0.50 − 0.07
		Style:     Effect{0.35, "Sitzmann 2006", false},
	},
	ByCase: {
		Method: ByCase, Kind: Workshop, Dose: 6, Format: Dated, Seats: 25, Cost: 120,
		Knowledge: Effect{0.41, "PMC11940068", true},
		Skill:     Effect{0.24, "PMC11940068", true},
		Style:     Effect{0.75, "PMC11940068", true},
	},
	ByWorkshop: {
		Method: ByWorkshop, Kind: Workshop, Dose: 8, Format: Dated, Seats: 20, Cost: 200,
		Knowledge: Effect{0.63, "Arthur 2003", true},
		Skill:     Effect{0.62, "Arthur 2003", true},
		Style:     Effect{0.62, "Arthur 2003", false},
	},
	ByRolePlay: {
		Method: ByRolePlay, Kind: RolePlay, Dose: 6, Format: Dated, Seats: 12, Cost: 180,
		Knowledge: Effect{1.20, "Taylor 2005", false},
		Skill:     Effect{0.80, "Taylor 2005", false},
		Style:     Effect{0.50, "Taylor 2005", false},
	},
	ByCoaching: {
		Method: ByCoaching, Kind: Coaching, Dose: 5, Format: Dated, Seats: 2, Cost: 400,
		Knowledge: Effect{0.43, "Theeboom 2014", false},
		Skill:     Effect{0.60, "Theeboom 2014", false},
		Style:     Effect{0.74, "Theeboom 2014", true},
	},
}

// On returns the effect on a kind of skill: org.Skill.Kind, "knowledge",
// "skill" or "style".
func (p *Prior) On(kind string) Effect {
	switch kind {
	case "knowledge":
		return p.Knowledge
	case "style":
		return p.Style
	}
	return p.Skill
}

// Rate returns λ for a kind of skill: per hour of focused time, a fraction
// 1 − exp(−λ) of the gap to the ceiling closes.
func (p *Prior) Rate(kind string) float64 {
	return -math.Log1p(-gapShare*p.On(kind).D) / p.Dose
}
