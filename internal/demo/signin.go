package demo

import (
	"context"

	"attune/internal/auth"
	"attune/internal/db"
	"attune/internal/org"
)

// Password is that of every sign-in of the sample company, which holds nobody
// real.
const Password = "attune-demo"

// SignIn is a sign-in of the sample company.
type SignIn struct {
	Login string
	Role  auth.Role
	back  int // the person, counted from the last by employee number; those are in nobody's lead
}

// SignIns lists one for each role.
var SignIns = []SignIn{
	{"manager", auth.TrainingManager, 1},
	{"trainer", auth.Trainer, 2},
	{"lead", auth.TeamManager, lead},
	{"employee", auth.Employee, 0},
	{"agent", auth.Agent, 3},
	{"brand", auth.BrandOfficer, 4},
	{"admin", auth.Administrator, 5},
}

// lead stands for the person who leads the team of the employee.
const lead = -1

// signIns adds them.
func (s *story) signIns(ctx context.Context, t *db.Tx) error {
	for _, x := range SignIns {
		p := s.people[len(s.people)-1-max(0, x.back)]
		if x.back == lead {
			for _, o := range s.people {
				if o.ID == p.Manager {
					p = o
					break
				}
			}
		}
		if err := auth.AddAccount(ctx, t, auth.Account{
			ID: auth.AccountID(org.NewID()), Login: x.Login, Person: string(p.ID),
			Roles: []auth.Role{x.Role}, Lang: p.Lang,
		}, Password); err != nil {
			return err
		}
	}
	return nil
}
