package delivery

import (
	"context"
	"slices"

	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/org"
	"attune/internal/record"
)

// Sources of an enrolment.
const (
	ByPlan    = "plan"
	ByDraw    = "draw"
	ByPerson  = "person"
	ByManager = "manager"
	ByRule    = "rule"
)

// seat names a person's place in an offering.
type seat struct {
	person   org.PersonID
	offering OfferingID
}

// Enrol gives people places, or puts them on the waiting list, with a
// statement for each. Who has that place already keeps it, and nothing is
// written; a session that would be overfull refuses all.
//
// People wait in the order of At; those of the same moment in that of their
// identifiers, which are random.
func Enrol(ctx context.Context, t *db.Tx, all []Enrolment) error {
	if len(all) == 0 {
		return nil
	}
	offerings, sessions, err := offered(ctx, t, all)
	if err != nil {
		return err
	}
	had, err := hadPlaces(ctx, t, all)
	if err != nil {
		return err
	}
	var changed []Enrolment
	var filled []SessionID
	seen := map[seat]bool{}
	for _, e := range all {
		if e.Status == "" {
			e.Status = Enrolled
		}
		if e.At.IsZero() {
			e.At = t.Now
		}
		k := seat{e.Person, e.Offering}
		if err := check(e, offerings, sessions); err != nil {
			return err
		}
		if seen[k] {
			return fault.New(fault.Invalid, "delivery.enrol.twice")
		}
		seen[k] = true
		if was, ok := had[k]; ok && was.Status == e.Status && was.Session == e.Session {
			continue
		}
		changed = append(changed, e)
		if e.Status == Enrolled && e.Session != "" {
			filled = append(filled, e.Session)
		}
	}
	if err := place(ctx, t, changed, offerings); err != nil {
		return err
	}
	return refuseOverfull(ctx, t, filled)
}

// check reports what is wrong with an enrolment.
func check(e Enrolment, offerings map[OfferingID]Offering, sessions map[SessionID]Session) error {
	o, ok := offerings[e.Offering]
	if !ok {
		return fault.New(fault.NotFound, "delivery.offering.unknown")
	}
	if e.Status != Enrolled && e.Status != Waiting {
		return fault.New(fault.Invalid, "delivery.enrol.status")
	}
	if e.Session == "" {
		if o.Dated {
			return fault.New(fault.Invalid, "delivery.enrol.no_session")
		}
		return nil
	}
	s, ok := sessions[e.Session]
	if !ok || s.Offering != e.Offering {
		return fault.New(fault.NotFound, "delivery.session.unknown")
	}
	if !s.CancelledAt.IsZero() {
		return fault.New(fault.Conflict, "delivery.session.cancelled")
	}
	return nil
}

// offered returns the offerings and sessions that enrolments speak of. The
// sessions stay locked, so that two enrolments cannot take one seat.
func offered(ctx context.Context, t *db.Tx, all []Enrolment) (map[OfferingID]Offering, map[SessionID]Session, error) {
	var oids []OfferingID
	var sids []SessionID
	offerings, sessions := map[OfferingID]Offering{}, map[SessionID]Session{}
	for _, e := range all {
		if _, ok := offerings[e.Offering]; !ok {
			offerings[e.Offering] = Offering{}
			oids = append(oids, e.Offering)
		}
		if _, ok := sessions[e.Session]; !ok && e.Session != "" {
			sessions[e.Session] = Session{}
			sids = append(sids, e.Session)
		}
	}
	clear(offerings)
	clear(sessions)
	err := chunks(oids, func(part []OfferingID) error {
		marks, args := listed(1, part)
		rows, err := db.Rows(ctx, t, scanOffering, `SELECT `+offeringColumns+` FROM offering WHERE id IN (`+marks+`)`, args...)
		for _, o := range rows {
			offerings[o.ID] = o
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	slices.Sort(sids) // one order of locking for everybody
	err = chunks(sids, func(part []SessionID) error {
		marks, args := listed(1, part)
		rows, err := db.Rows(ctx, t, scanSession, `SELECT `+sessionColumns+` FROM session s WHERE s.id IN (`+marks+`) ORDER BY s.id `+t.ForUpdate(), args...)
		for _, s := range rows {
			sessions[s.ID] = s
		}
		return err
	})
	return offerings, sessions, err
}

// hadPlaces returns the places that the people have in those offerings so far.
func hadPlaces(ctx context.Context, t *db.Tx, all []Enrolment) (map[seat]Enrolment, error) {
	had := map[seat]Enrolment{}
	var people []org.PersonID
	seen := map[org.PersonID]bool{}
	for _, e := range all {
		if !seen[e.Person] {
			seen[e.Person] = true
			people = append(people, e.Person)
		}
	}
	err := chunks(people, func(part []org.PersonID) error {
		marks, args := listed(1, part)
		rows, err := db.Rows(ctx, t, scanEnrolment, `SELECT `+enrolmentColumns+` FROM enrolment e WHERE e.person_id IN (`+marks+`)`, args...)
		for _, e := range rows {
			had[seat{e.Person, e.Offering}] = e
		}
		return err
	})
	return had, err
}

// place writes places and their statements.
func place(ctx context.Context, t *db.Tx, changed []Enrolment, offerings map[OfferingID]Offering) error {
	people := make([]org.PersonID, len(changed))
	args := make([]any, 0, 7*len(changed))
	for i, e := range changed {
		people[i] = e.Person
		args = append(args, e.Person, e.Offering, db.OrNull(e.Session), e.Status, e.Source, e.Reason, db.Millis(e.At))
	}
	as, err := pseudonyms(ctx, t, people)
	if err != nil {
		return err
	}
	// Who waited keeps their place in the line, and who changes session the day they enrolled.
	err = t.Many(ctx, `INSERT INTO enrolment (person_id, offering_id, session_id, status, source, reason, at)`, 7, args, `
		ON CONFLICT (person_id, offering_id) DO UPDATE SET
			session_id = excluded.session_id, status = excluded.status, source = excluded.source, reason = excluded.reason,
			at = CASE WHEN enrolment.status IN ('enrolled', 'waiting') THEN enrolment.at ELSE excluded.at END, begun_at = NULL, done_at = NULL`)
	if err != nil {
		return err
	}
	facts := make([]record.Statement, len(changed))
	for i, e := range changed {
		extra := map[string]any{"status": e.Status, "source": e.Source}
		if e.Session != "" {
			extra["session"] = "session/" + string(e.Session)
		}
		facts[i] = record.Statement{
			Actor: as[e.Person], Verb: record.Registered, Object: "offering/" + string(e.Offering),
			Context: "programme/" + string(offerings[e.Offering].Programme), Extra: extra,
		}
	}
	_, err = record.AppendAll(ctx, t, facts)
	return err
}

// refuseOverfull is a fault where a session has more people than seats.
func refuseOverfull(ctx context.Context, t *db.Tx, sessions []SessionID) error {
	slices.Sort(sessions)
	return chunks(slices.Compact(sessions), func(part []SessionID) error {
		marks, args := listed(1, part)
		over, err := db.Rows(ctx, t, db.One[SessionID], `
			SELECT s.id FROM session s
			WHERE s.id IN (`+marks+`) AND s.seats < (SELECT count(*) FROM enrolment e WHERE e.session_id = s.id AND e.status = 'enrolled')`, args...)
		if err == nil && len(over) > 0 {
			return fault.New(fault.Conflict, "delivery.session.full")
		}
		return err
	})
}

const enrolmentColumns = `e.person_id, e.offering_id, e.session_id, e.status, e.source, e.reason, e.at, e.begun_at, e.done_at`

func scanEnrolment(s db.Scanner) (e Enrolment, err error) {
	return e, s.Scan(&e.Person, &e.Offering, db.Null(&e.Session), &e.Status, &e.Source, &e.Reason, (*db.Ms)(&e.At), (*db.Ms)(&e.BegunAt), (*db.Ms)(&e.DoneAt))
}

// Enrolments returns every place of a programme, cancelled and exempt ones
// too, by offering and person.
func Enrolments(ctx context.Context, t *db.Tx, programme ProgrammeID) ([]Enrolment, error) {
	return db.Rows(ctx, t, scanEnrolment, `
		SELECT `+enrolmentColumns+` FROM enrolment e JOIN offering o ON o.id = e.offering_id
		WHERE o.programme_id = $1 ORDER BY e.offering_id, e.person_id`, programme)
}

// EnrolmentsOf returns every place of a person, latest first.
func EnrolmentsOf(ctx context.Context, t *db.Tx, who org.PersonID) ([]Enrolment, error) {
	return db.Rows(ctx, t, scanEnrolment, `SELECT `+enrolmentColumns+` FROM enrolment e WHERE e.person_id = $1 ORDER BY e.at DESC, e.offering_id`, who)
}

// Cancel takes a person out of an offering that they have not finished. It
// returns who moved up from the waiting list.
func Cancel(ctx context.Context, t *db.Tx, who org.PersonID, offering OfferingID, reason string) ([]Enrolment, error) {
	return give(ctx, t, []org.PersonID{who}, offering, Cancelled, reason)
}

// Excuse frees a person from an offering, for a reason that is kept. It
// returns who moved up from the waiting list. The person need not have been
// enrolled.
func Excuse(ctx context.Context, t *db.Tx, who org.PersonID, offering OfferingID, source, reason string) ([]Enrolment, error) {
	if reason == "" {
		return nil, fault.New(fault.Invalid, "delivery.exempt.reason")
	}
	if _, err := FindOffering(ctx, t, offering); err != nil {
		return nil, err
	}
	// Written as waiting for nothing first, so that give finds a place to change.
	if _, err := t.Exec(ctx, `
		INSERT INTO enrolment (person_id, offering_id, status, source, reason, at) VALUES ($1, $2, 'waiting', $3, '', $4)
		ON CONFLICT DO NOTHING`, who, offering, source, db.Millis(t.Now)); err != nil {
		return nil, err
	}
	return give(ctx, t, []org.PersonID{who}, offering, Exempt, reason)
}

// Release takes leavers out of everything they have not finished, and returns
// who moved up into their seats.
func Release(ctx context.Context, t *db.Tx, people []org.PersonID) ([]Enrolment, error) {
	return give(ctx, t, people, "", Cancelled, "left")
}

// give ends the unfinished places of people, in one offering or, where none is
// named, in all, and fills the seats from the waiting lists.
func give(ctx context.Context, t *db.Tx, people []org.PersonID, only OfferingID, to EnrolmentStatus, reason string) ([]Enrolment, error) {
	if len(people) == 0 {
		return nil, nil
	}
	type given struct {
		Enrolment
		as        org.Pseudonym
		programme ProgrammeID
	}
	var all []given
	err := chunks(people, func(part []org.PersonID) error {
		marks, args := listed(2, part)
		rows, err := db.Rows(ctx, t, func(s db.Scanner) (g given, err error) {
			return g, s.Scan(&g.Person, &g.Offering, db.Null(&g.Session), &g.Status, &g.as, &g.programme)
		}, `
			SELECT e.person_id, e.offering_id, e.session_id, e.status, p.pseudonym, o.programme_id
			FROM enrolment e JOIN person p ON p.id = e.person_id JOIN offering o ON o.id = e.offering_id
			WHERE e.person_id IN (`+marks+`) AND ($1 = '' OR e.offering_id = $1)
			  AND e.status IN ('enrolled', 'waiting') AND e.done_at IS NULL`, append([]any{string(only)}, args...)...)
		all = append(all, rows...)
		return err
	})
	if err != nil || len(all) == 0 {
		return nil, err
	}
	verb := record.Left
	if to == Exempt {
		verb = record.Waived
	}
	var freed []SessionID
	var facts []record.Statement
	args := make([]any, 0, 6*len(all))
	for _, g := range all {
		if g.Session != "" && g.Status == Enrolled {
			freed = append(freed, g.Session)
		}
		args = append(args, g.Person, g.Offering, to, "", reason, db.Millis(t.Now))
		facts = append(facts, record.Statement{
			Actor: g.as, Verb: verb, Object: "offering/" + string(g.Offering), Context: "programme/" + string(g.programme),
			Extra: map[string]any{"was": g.Status},
		})
	}
	err = t.Many(ctx, `INSERT INTO enrolment (person_id, offering_id, status, source, reason, at)`, 6, args, `
		ON CONFLICT (person_id, offering_id) DO UPDATE SET status = excluded.status, reason = excluded.reason, session_id = NULL`)
	if err != nil {
		return nil, err
	}
	if _, err := record.AppendAll(ctx, t, facts); err != nil {
		return nil, err
	}
	return moveUp(ctx, t, freed)
}

// moveUp gives the free seats of sessions that are still to come to those who
// have waited longest, passing over who has left or is in another session at
// that time.
func moveUp(ctx context.Context, t *db.Tx, sessions []SessionID) ([]Enrolment, error) {
	slices.Sort(sessions)
	sessions = slices.Compact(sessions)
	var moved []Enrolment
	for len(sessions) > 0 {
		var first []Enrolment
		err := chunks(sessions, func(part []SessionID) error {
			marks, args := listed(2, part)
			rows, err := db.Rows(ctx, t, scanEnrolment, `
				SELECT `+enrolmentColumns+` FROM (
					SELECT w.*, s.seats - (SELECT count(*) FROM enrolment x WHERE x.session_id = s.id AND x.status = 'enrolled') AS free,
						row_number() OVER (PARTITION BY w.session_id ORDER BY w.at, w.person_id) AS place
					FROM enrolment w
					JOIN session s ON s.id = w.session_id
					JOIN person p ON p.id = w.person_id
					WHERE w.session_id IN (`+marks+`) AND w.status = 'waiting' AND p.left_at IS NULL
					  AND s.cancelled_at IS NULL AND s.starts_at > $1
					  AND NOT EXISTS (
						SELECT 1 FROM enrolment b JOIN session q ON q.id = b.session_id
						WHERE b.person_id = w.person_id AND b.status = 'enrolled' AND q.cancelled_at IS NULL
						  AND q.starts_at < s.ends_at AND q.ends_at > s.starts_at)
				) AS e
				WHERE e.place <= e.free ORDER BY e.at, e.person_id`, append([]any{db.Millis(t.Now)}, args...)...)
			first = append(first, rows...)
			return err
		})
		if err != nil {
			return nil, err
		}
		// One seat a person and pass, because two may lie at the same time.
		once := map[org.PersonID]bool{}
		var now []Enrolment
		for _, e := range first {
			if !once[e.Person] {
				once[e.Person] = true
				e.Status = Enrolled
				now = append(now, e)
			}
		}
		if len(now) == 0 {
			break
		}
		if err := Enrol(ctx, t, now); err != nil {
			return nil, err
		}
		moved = append(moved, now...)
	}
	return moved, nil
}

// CancelSession calls a session off. Its people wait for the offering's other
// sessions, where seats are free they get them at once; who moved is returned.
func CancelSession(ctx context.Context, t *db.Tx, id SessionID) ([]Enrolment, error) {
	s, err := FindSession(ctx, t, id)
	if err != nil {
		return nil, err
	}
	if !s.CancelledAt.IsZero() {
		return nil, nil
	}
	if _, err := t.Exec(ctx, `UPDATE session SET cancelled_at = $2 WHERE id = $1`, id, db.Millis(t.Now)); err != nil {
		return nil, err
	}
	people, err := db.Rows(ctx, t, scanEnrolment, `
		SELECT `+enrolmentColumns+` FROM enrolment e
		WHERE e.session_id = $1 AND e.status IN ('enrolled', 'waiting') AND e.done_at IS NULL ORDER BY e.at, e.person_id`, id)
	if err != nil {
		return nil, err
	}
	others, err := db.Rows(ctx, t, scanSession, `
		SELECT `+sessionColumns+` FROM session s
		WHERE s.offering_id = $1 AND s.cancelled_at IS NULL AND s.starts_at > $2 ORDER BY s.starts_at, s.id`, s.Offering, db.Millis(t.Now))
	if err != nil {
		return nil, err
	}
	if len(others) == 0 {
		var gone []org.PersonID
		for _, e := range people {
			gone = append(gone, e.Person)
		}
		_, err := give(ctx, t, gone, s.Offering, Cancelled, "session_cancelled")
		return nil, err
	}
	var ids []SessionID
	for i := range people {
		people[i].Status, people[i].Session = Waiting, others[i%len(others)].ID
	}
	for _, o := range others {
		ids = append(ids, o.ID)
	}
	if err := Enrol(ctx, t, people); err != nil {
		return nil, err
	}
	return moveUp(ctx, t, ids)
}
