//go:build unix

package main

import (
	"runtime"
	"syscall"
	"time"

	"attune/internal/lab"
)

// usage is what this process has used so far.
func usage() lab.Usage {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return lab.Usage{}
	}
	peak := int64(r.Maxrss)
	if runtime.GOOS != "darwin" && runtime.GOOS != "ios" { // which count bytes; the others kilobytes
		peak *= 1024
	}
	return lab.Usage{CPU: time.Duration(r.Utime.Nano() + r.Stime.Nano()), Peak: peak}
}
