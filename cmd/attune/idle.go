package main

import (
	"context"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// restful notes when requests come, so that memory can be given back to the
// machine in the quiet between them: Go keeps what a burst needed for minutes,
// and a training site is quiet most of the day.
type restful struct {
	next http.Handler
	last atomic.Int64 // UnixNano of the latest request
}

func (h *restful) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.last.Store(time.Now().UnixNano())
	h.next.ServeHTTP(w, r)
}

// quiet is how long no request must have come before memory is given back.
const quiet = 10 * time.Second

// rest gives memory back after each burst of requests, until ctx ends.
func (h *restful) rest(ctx context.Context) {
	h.last.Store(time.Now().UnixNano()) // starting is a burst too
	var freed int64
	tick := time.NewTicker(quiet / 2)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if last := h.last.Load(); last > freed && time.Since(time.Unix(0, last)) > quiet {
				debug.FreeOSMemory()
				freed = time.Now().UnixNano()
			}
		}
	}
}
