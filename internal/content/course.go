package content

import (
	"context"
	"time"

	"attune/internal/db"
	"attune/internal/fault"
)

// Stale reports whether the course should have been reviewed before now.
func (c *Course) Stale(now time.Time) bool {
	return c.Status == Published && !c.ReviewDue.IsZero() && now.After(c.ReviewDue)
}

// Validate reports the first thing wrong with c.
func (c *Course) Validate() error {
	switch {
	case c.ID == "":
		return fault.New(fault.Invalid, "content.id.empty")
	case c.Title.Empty():
		return fault.New(fault.Invalid, "content.title.empty")
	}
	return nil
}

// AddCourse writes a course down: as a draft, created now, unless it says
// otherwise.
func AddCourse(ctx context.Context, t *db.Tx, c Course) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if c.Status == "" {
		c.Status = Draft
	}
	if c.CreatedAt.IsZero() {
		c.CreatedAt = t.Now
	}
	_, err := t.Exec(ctx, `
		INSERT INTO course (id, title, about, owner_id, status, review_due, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		c.ID, c.Title, c.About, db.OrNull(c.Owner), c.Status, db.Millis(c.ReviewDue), db.Millis(c.CreatedAt))
	return err
}

// ReviseCourse changes the title, description, owner and review date.
func ReviseCourse(ctx context.Context, t *db.Tx, c Course) error {
	if err := c.Validate(); err != nil {
		return err
	}
	n, err := t.Exec(ctx, `UPDATE course SET title = $2, about = $3, owner_id = $4, review_due = $5 WHERE id = $1`,
		c.ID, c.Title, c.About, db.OrNull(c.Owner), db.Millis(c.ReviewDue))
	return found(n, err)
}

const courseColumns = `id, title, about, owner_id, status, review_due, created_at`

func scanCourse(s db.Scanner) (c Course, err error) {
	return c, s.Scan(&c.ID, &c.Title, &c.About, db.Null(&c.Owner), &c.Status, (*db.Ms)(&c.ReviewDue), (*db.Ms)(&c.CreatedAt))
}

// Courses returns every course, retired ones too, oldest first.
func Courses(ctx context.Context, t *db.Tx) ([]Course, error) {
	return db.Rows(ctx, t, scanCourse, `SELECT `+courseColumns+` FROM course ORDER BY created_at, id`)
}

// FindCourse returns one course.
func FindCourse(ctx context.Context, t *db.Tx, id CourseID) (Course, error) {
	return db.Row(ctx, t, scanCourse, `SELECT `+courseColumns+` FROM course WHERE id = $1`, id)
}

// Publish opens a course to programmes. It must have activities, each of them
// valid, and an owner who answers for it until its review date.
func Publish(ctx context.Context, t *db.Tx, id CourseID) error {
	c, err := FindCourse(ctx, t, id)
	if err != nil {
		return err
	}
	activities, err := ActivitiesOf(ctx, t, id)
	if err != nil {
		return err
	}
	switch {
	case len(activities) == 0:
		return fault.New(fault.Invalid, "content.course.no_activity")
	case c.ReviewDue.IsZero():
		return fault.New(fault.Invalid, "content.course.no_review")
	}
	for i := range activities {
		if err := activities[i].Validate(); err != nil {
			return err
		}
	}
	if err := checkItems(ctx, t, activities); err != nil {
		return err
	}
	_, err = t.Exec(ctx, `UPDATE course SET status = 'published' WHERE id = $1`, id)
	return err
}

// Retire closes a course to new programmes. Those who have begun may finish.
func Retire(ctx context.Context, t *db.Tx, id CourseID) error {
	n, err := t.Exec(ctx, `UPDATE course SET status = 'retired' WHERE id = $1`, id)
	return found(n, err)
}

func found(rows int64, err error) error {
	if err == nil && rows == 0 {
		return fault.New(fault.NotFound, "not_found")
	}
	return err
}
