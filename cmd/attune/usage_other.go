//go:build !unix

package main

import "attune/internal/lab"

// usage is not known here.
func usage() lab.Usage { return lab.Usage{} }
