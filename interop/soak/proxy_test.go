package main

import (
	"strings"
	"testing"
	"time"
)

// The section proxy in small: the same things happen, to fewer.
func TestTheProxyUnderSiege(t *testing.T) {
	if testing.Short() {
		t.Skip("the command is built, and besieged for seconds")
	}
	var log strings.Builder
	r := &report{section: "proxy", log: &log, began: time.Now()}
	err := besiege(t.Context(), r, siege{slow: 60, hostile: 60, strange: 12, workers: 10, rate: 200, reloads: 10, over: 6 * time.Second})
	if err := r.err(err); err != nil {
		t.Errorf("%v\n%s", err, &log)
	}
	t.Log(log.String())
}
