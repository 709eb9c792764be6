package main

import (
	"context"
	"flag"
	"os"
	"regexp"
	"strconv"
)

var scans = flag.Int("scans", 1000, "how often the section scan scans each server")

// figureOf finds what TestScanDoesNoHarm says of one server.
var figureOf = regexp.MustCompile(`(?m)figure: ([^:]+: [^:]+): (.+)$`)

// runScans has each server scanned again and again, while an honest client goes on
// connecting to it: interop's TestScanDoesNoHarm, many times longer.
func runScans(ctx context.Context, r *report) error {
	if err := os.Setenv("VITRINE_SCANS", strconv.Itoa(*scans)); err != nil {
		return err
	}
	out, err := goTool(ctx, "test", "./interop", "-count=1", "-v", "-timeout=24h", "-run=^TestScanDoesNoHarm$")
	r.servers(out)
	return err
}

// servers notes a figure for each server.
func (r *report) servers(out string) {
	all := figureOf.FindAllStringSubmatch(out, -1)
	for _, m := range all {
		r.Figure(m[1], "%s", m[2])
	}
	r.Figure("servers that were scanned", "%d", len(all)).Want(len(all) >= 3, "at least 3")
}
