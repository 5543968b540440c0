package main

import (
	"context"

	"attune/internal/db"
)

type serveCmd struct{}

func (*serveCmd) Run(ctx context.Context, c *cli) error { return nil }

func serve(ctx context.Context, d *db.DB, listen string, workers int) error { return nil }
