package delivery

import (
	"context"
	"strconv"
	"strings"

	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/org"
)

// listed returns the values of a list, and its placeholders from $first on.
// It is filled up to a power of two with its last value, so that the database
// compiles a few statements and not one for every length.
func listed[S ~string](first int, list []S) (marks string, args []any) {
	n := 1
	for n < len(list) {
		n *= 2
	}
	var b strings.Builder
	args = make([]any, n)
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("$")
		b.WriteString(strconv.Itoa(first + i))
		args[i] = string(list[min(i, len(list)-1)])
	}
	return b.String(), args
}

// maxListed is how many values go into one list. SQLite looks for each $n among
// all before it, so that long lists cost by their square.
const maxListed = 512

// chunks calls do with the list in parts that fit into a statement.
func chunks[S ~string](list []S, do func([]S) error) error {
	for len(list) > 0 {
		n := min(len(list), maxListed)
		if err := do(list[:n]); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

// pseudonyms returns whom the statements about each person speak of.
func pseudonyms(ctx context.Context, t *db.Tx, people []org.PersonID) (map[org.PersonID]org.Pseudonym, error) {
	all := make(map[org.PersonID]org.Pseudonym, len(people))
	type row struct {
		id org.PersonID
		as org.Pseudonym
	}
	err := chunks(people, func(part []org.PersonID) error {
		marks, args := listed(1, part)
		rows, err := db.Rows(ctx, t, func(s db.Scanner) (r row, err error) { return r, s.Scan(&r.id, &r.as) },
			`SELECT id, pseudonym FROM person WHERE id IN (`+marks+`)`, args...)
		for _, r := range rows {
			all[r.id] = r.as
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, p := range people {
		if all[p] == "" {
			return nil, fault.New(fault.NotFound, "delivery.person.unknown")
		}
	}
	return all, nil
}
