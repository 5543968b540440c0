package main

import (
	"bufio"
	"context"
	"os"
	"strings"

	"attune/internal/audit"
	"attune/internal/auth"
	"attune/internal/db"
	"attune/internal/fault"
	"attune/internal/org"
)

// accountCmd manages sign-ins where nobody can sign in yet.
type accountCmd struct {
	Add accountAddCmd `cmd:"" help:"Add a sign-in. The password is read from standard input."`
}

type accountAddCmd struct {
	Login  string      `arg:"" help:"What the person types to sign in."`
	Role   []auth.Role `help:"What they do: training_manager, trainer, team_manager, employee, agent, brand_officer, administrator." default:"administrator"`
	Person string      `help:"Their employee number, if they are one."`
}

// Run adds the account.
func (a *accountAddCmd) Run(ctx context.Context, c *cli) error {
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil && line == "" {
		return fault.Wrap(err, fault.Invalid, "account.password.none")
	}
	d, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Write(ctx, func(t *db.Tx) error {
		acc := auth.Account{ID: auth.AccountID(org.NewID()), Login: a.Login, Roles: a.Role, Lang: terminalLang()}
		if a.Person != "" {
			p, err := org.FindByNumber(ctx, t, a.Person)
			if err != nil {
				return err
			}
			acc.Person, acc.Lang = string(p.ID), p.Lang
		}
		if err := auth.AddAccount(ctx, t, acc, strings.TrimRight(line, "\r\n")); err != nil {
			return err
		}
		return audit.Write(ctx, t, "command line", "account.add", "account/"+string(acc.ID), map[string]any{"login": acc.Login, "roles": acc.Roles})
	})
}
