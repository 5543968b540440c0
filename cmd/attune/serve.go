package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"attune/internal/db"
	"attune/internal/web"
)

type serveCmd struct {
	Listen  string `help:"Address to listen on." default:"127.0.0.1:8080" env:"ATTUNE_LISTEN"`
	Workers int    `help:"Jobs run at once; 0 for none." default:"2" env:"ATTUNE_WORKERS"`
}

// Run serves the company's site.
func (s *serveCmd) Run(ctx context.Context, c *cli) error {
	d, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	return serve(ctx, d, s.Listen, s.Workers)
}

// serve serves the site of a database until ctx ends, then lets open requests
// and jobs finish.
func serve(ctx context.Context, d *db.DB, listen string, workers int) error {
	site, err := web.New(d)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	jobs, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	for range workers {
		running.Go(func() { site.Jobs.Run(jobs) })
	}
	handler := &restful{next: site.Handler()}
	running.Go(func() { handler.rest(jobs) })
	// No WriteTimeout: progress is streamed for as long as it takes.
	srv := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) }}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	fmt.Printf("http://%s\n", l.Addr())
	slog.InfoContext(ctx, "serving", "url", "http://"+l.Addr().String(), "db", d.Engine, "workers", workers)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
		defer cancel()
		if err := srv.Shutdown(grace); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		return srv.Close()
	}
}
