package record

import (
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"

	"attune/internal/fault"
	"attune/internal/org"

	"github.com/google/uuid"
)

// verbIRIs are the verbs' names in public vocabularies: ADL's, and, where that
// has none, the Tin Can registry's. A verb without one is named under the
// address of this installation.
var verbIRIs = map[Verb]string{
	Answered:    "http://adlnet.gov/expapi/verbs/answered",
	Rated:       "http://id.tincanapi.com/verb/rated",
	Registered:  "http://adlnet.gov/expapi/verbs/registered",
	Attended:    "http://adlnet.gov/expapi/verbs/attended",
	Launched:    "http://adlnet.gov/expapi/verbs/launched",
	Experienced: "http://adlnet.gov/expapi/verbs/experienced",
	Completed:   "http://adlnet.gov/expapi/verbs/completed",
	Started:     "http://adlnet.gov/expapi/verbs/initialized",
	Waived:      "https://w3id.org/xapi/adl/verbs/waived",
}

// Verbs lists the verbs that we write.
var Verbs = []Verb{Answered, Rated, Registered, Attended, Missed, Launched, Experienced, Completed, Started, Left, Waived}

// activityTypes are the public names of the kinds of object, by what stands
// before the "/" in Statement.Object.
var activityTypes = map[string]string{
	"item":     "http://adlnet.gov/expapi/activities/cmi.interaction",
	"activity": "http://adlnet.gov/expapi/activities/lesson",
	"course":   "http://adlnet.gov/expapi/activities/course",
	"offering": "http://adlnet.gov/expapi/activities/course",
	"session":  "http://adlnet.gov/expapi/activities/meeting",
	"test":     "http://adlnet.gov/expapi/activities/assessment",
	"attempt":  "http://adlnet.gov/expapi/activities/attempt",
	"survey":   "http://id.tincanapi.com/activitytype/survey",
	"skill":    "http://adlnet.gov/expapi/activities/objective",
}

// foreign is the key of Extra under which a statement from outside is kept whole.
const foreign = "xapi"

// XAPI renders a statement as xAPI 1.0.3, which 2.0 takes too. base is the
// address of this installation without a "/" at its end; objects, extensions
// and accounts are named under it. A statement that came from outside is
// rendered as it came, but for its actor.
func XAPI(s Statement, base string) map[string]any {
	if whole, ok := s.Extra[foreign].(map[string]any); ok {
		out := make(map[string]any, len(whole)+3)
		for k, v := range whole {
			out[k] = v
		}
		out["id"], out["stored"], out["authority"] = string(s.ID), stamp(s.Stored), account(base, "attune")
		return out
	}
	verb := verbIRIs[s.Verb]
	display := string(s.Verb)
	switch {
	case strings.Contains(display, ":"): // a foreign verb is its own name
		verb, display = display, display[strings.LastIndexAny(display, "/#:")+1:]
	case verb == "":
		verb = base + "/xapi/verbs/" + display
	}
	out := map[string]any{
		"id":        string(s.ID),
		"actor":     account(base, string(s.Actor)),
		"verb":      map[string]any{"id": verb, "display": map[string]any{"en": display}},
		"object":    activity(base, s.Object),
		"timestamp": stamp(s.At),
		"stored":    stamp(s.Stored),
		"authority": account(base, "attune"),
		"version":   "1.0.0",
	}
	result := map[string]any{}
	if s.Success != nil {
		result["success"] = *s.Success
	}
	if s.Score != nil {
		result["score"] = map[string]any{"scaled": *s.Score}
	}
	if s.Duration > 0 {
		result["duration"] = isoDuration(s.Duration)
	}
	if s.Response != "" {
		result["response"] = s.Response
	}
	if s.Verb == Completed {
		result["completion"] = true
	}
	if len(s.Extra) > 0 {
		ext := make(map[string]any, len(s.Extra))
		for k, v := range s.Extra {
			ext[base+"/xapi/extensions/"+url.PathEscape(k)] = v
		}
		result["extensions"] = ext
	}
	if len(result) > 0 {
		out["result"] = result
	}
	context := map[string]any{"platform": "Attune"}
	if s.Context != "" {
		context["contextActivities"] = map[string]any{"parent": []any{activity(base, s.Context)}}
	}
	out["context"] = context
	return out
}

func account(base, name string) map[string]any {
	return map[string]any{"objectType": "Agent", "account": map[string]any{"homePage": base, "name": name}}
}

func activity(base, object string) map[string]any {
	if strings.Contains(object, ":") { // a foreign object is its own name
		return map[string]any{"objectType": "Activity", "id": object}
	}
	a := map[string]any{"objectType": "Activity", "id": base + "/xapi/activities/" + object}
	kind, _, _ := strings.Cut(object, "/")
	if t := activityTypes[kind]; t != "" {
		definition := map[string]any{"type": t}
		if kind == "item" {
			definition["interactionType"] = "choice" // 1.0.3 asks for it with this type
		}
		a["definition"] = definition
	}
	return a
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// isoDuration renders a duration as ISO 8601 in seconds, to the hundredth, as
// xAPI compares them.
func isoDuration(d time.Duration) string {
	return "PT" + strconv.FormatFloat(math.Round(d.Seconds()*100)/100, 'f', -1, 64) + "S"
}

// parseISO reads an ISO 8601 duration without years and months, whose length is
// not fixed.
func parseISO(s string) (time.Duration, bool) {
	rest, ok := strings.CutPrefix(s, "P")
	if !ok || rest == "" {
		return 0, false
	}
	var total float64
	inTime, some := false, false
	for rest != "" {
		if rest[0] == 'T' && !inTime {
			inTime, rest = true, rest[1:]
			continue
		}
		i := strings.IndexFunc(rest, func(r rune) bool { return (r < '0' || r > '9') && r != '.' && r != ',' })
		if i <= 0 {
			return 0, false
		}
		n, err := strconv.ParseFloat(strings.Replace(rest[:i], ",", ".", 1), 64)
		if err != nil {
			return 0, false
		}
		switch unit := rest[i]; {
		case unit == 'W' && !inTime:
			total += n * 7 * 24 * 3600
		case unit == 'D' && !inTime:
			total += n * 24 * 3600
		case unit == 'H' && inTime:
			total += n * 3600
		case unit == 'M' && inTime:
			total += n * 60
		case unit == 'S' && inTime:
			total += n
		default:
			return 0, false
		}
		some, rest = true, rest[i+1:]
	}
	if !some || total > 100*365*24*3600 {
		return 0, false
	}
	return time.Duration(total * float64(time.Second)), true
}

// Agent is how a statement from outside names a person: by one of these.
type Agent struct {
	Mbox     string `json:"mbox"` // mailto:…
	MboxSHA1 string `json:"mbox_sha1sum"`
	OpenID   string `json:"openid"`
	Account  struct {
		HomePage string `json:"homePage"`
		Name     string `json:"name"`
	} `json:"account"`
}

// ParseXAPI reads a statement from outside. It is kept whole in Extra, except
// that nobody's name, address or account stays in it: who says whom an agent
// is here, and whoever it does not know is "unknown"; a statement whose actor
// is unknown is refused. base is as in XAPI.
func ParseXAPI(raw []byte, base string, who func(Agent) (org.Pseudonym, bool)) (Statement, error) {
	var whole map[string]any
	if err := json.Unmarshal(raw, &whole); err != nil {
		return Statement{}, fault.Wrap(err, fault.Invalid, "record.xapi.json")
	}
	var in struct {
		ID    string `json:"id"`
		Actor *Agent `json:"actor"`
		Verb  *struct {
			ID string `json:"id"`
		} `json:"verb"`
		Object *struct {
			ObjectType string `json:"objectType"`
			ID         string `json:"id"`
		} `json:"object"`
		Result struct {
			Score *struct {
				Scaled *float64 `json:"scaled"`
			} `json:"score"`
			Success  *bool  `json:"success"`
			Response string `json:"response"`
			Duration string `json:"duration"`
		} `json:"result"`
		Context struct {
			Activities map[string]json.RawMessage `json:"contextActivities"`
		} `json:"context"`
		Timestamp string `json:"timestamp"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return Statement{}, fault.Wrap(err, fault.Invalid, "record.xapi.json")
	}
	missing := func(name string) (Statement, error) {
		return Statement{}, fault.New(fault.Invalid, "record.xapi.missing", name)
	}
	invalid := func(name string) (Statement, error) {
		return Statement{}, fault.New(fault.Invalid, "record.xapi.invalid", name)
	}
	switch {
	case in.Actor == nil:
		return missing("actor")
	case in.Verb == nil || in.Verb.ID == "":
		return missing("verb")
	case in.Object == nil:
		return missing("object")
	case !isIRI(in.Verb.ID):
		return invalid("verb.id")
	case in.Object.ObjectType != "" && in.Object.ObjectType != "Activity":
		return invalid("object.objectType") // about an agent or another statement: the full store reads those
	case !isIRI(in.Object.ID):
		return invalid("object.id")
	}
	s := Statement{ID: StatementID(in.ID), Response: in.Result.Response, Success: in.Result.Success}
	if in.ID != "" {
		id, err := uuid.Parse(in.ID)
		if err != nil {
			return invalid("id")
		}
		s.ID = StatementID(id.String())
	}
	actor, ok := who(*in.Actor)
	if !ok {
		return Statement{}, fault.New(fault.Invalid, "record.xapi.actor")
	}
	s.Actor = actor
	s.Verb = Verb(in.Verb.ID)
	for short, iri := range verbIRIs {
		if iri == in.Verb.ID {
			s.Verb = short
		}
	}
	if short, ok := strings.CutPrefix(in.Verb.ID, base+"/xapi/verbs/"); ok {
		s.Verb = Verb(short)
	}
	s.Object = strings.TrimPrefix(in.Object.ID, base+"/xapi/activities/")
	if sc := in.Result.Score; sc != nil && sc.Scaled != nil {
		if *sc.Scaled < -1 || *sc.Scaled > 1 {
			return invalid("result.score.scaled")
		}
		s.Score = sc.Scaled
	}
	if in.Result.Duration != "" {
		d, ok := parseISO(in.Result.Duration)
		if !ok {
			return invalid("result.duration")
		}
		s.Duration = d
	}
	if in.Timestamp != "" {
		at, err := time.Parse(time.RFC3339Nano, in.Timestamp)
		if err != nil {
			return invalid("timestamp")
		}
		s.At = at
	}
	s.Context = strings.TrimPrefix(parent(in.Context.Activities["parent"]), base+"/xapi/activities/")
	delete(whole, "stored")
	delete(whole, "authority")
	anonymise(whole, base, who)
	s.Extra = map[string]any{foreign: whole}
	return s, nil
}

// parent returns the identifier of the first parent, which 1.0 wrote as an
// object and later versions as a list.
func parent(raw json.RawMessage) string {
	type ref struct {
		ID string `json:"id"`
	}
	var many []ref
	if json.Unmarshal(raw, &many) == nil && len(many) > 0 {
		return many[0].ID
	}
	var one ref
	if json.Unmarshal(raw, &one) == nil {
		return one.ID
	}
	return ""
}

// anonymise replaces every agent and group within v, wherever it stands, by
// its pseudonym.
func anonymise(v any, base string, who func(Agent) (org.Pseudonym, bool)) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			anonymise(x, base, who)
		}
	case map[string]any:
		for key, x := range v {
			if m, ok := x.(map[string]any); ok && isAgent(key, m) {
				v[key] = nameless(m, base, who)
			} else if list, ok := x.([]any); ok && key == "member" {
				for i := range list {
					if m, ok := list[i].(map[string]any); ok {
						list[i] = nameless(m, base, who)
					}
				}
			} else {
				anonymise(x, base, who)
			}
		}
	}
}

func isAgent(key string, m map[string]any) bool {
	switch key {
	case "actor", "instructor", "team":
		return true
	}
	if m["objectType"] == "Agent" || m["objectType"] == "Group" {
		return true
	}
	for _, id := range []string{"mbox", "mbox_sha1sum", "openid", "account"} {
		if m[id] != nil {
			return true
		}
	}
	return false
}

func nameless(m map[string]any, base string, who func(Agent) (org.Pseudonym, bool)) map[string]any {
	name := org.Pseudonym("unknown")
	var a Agent
	if raw, err := json.Marshal(m); err == nil && json.Unmarshal(raw, &a) == nil {
		if as, ok := who(a); ok {
			name = as
		}
	}
	out := account(base, string(name))
	if list, ok := m["member"].([]any); ok && m["objectType"] == "Group" {
		out["objectType"] = "Group"
		for i := range list {
			if x, ok := list[i].(map[string]any); ok {
				list[i] = nameless(x, base, who)
			}
		}
		out["member"] = list
	}
	return out
}

// isIRI reports whether s is absolute, as identifiers in xAPI must be.
func isIRI(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && !strings.ContainsAny(s, " \t\n<>\"")
}

// String names the statement in a log.
func (s Statement) String() string {
	return fmt.Sprintf("%s %s %s", s.Actor, s.Verb, s.Object)
}
