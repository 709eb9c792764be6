package main

import (
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
)

// The section fleet in small: the same proxies and store, and the troubles that are over soon.
func TestTheFleetInTrouble(t *testing.T) {
	if programs.Brief() {
		t.Skip("the command is built, and three of it run for seconds: VITRINE_INTEROP=require has it run")
	}
	programs.Need(t, "redis-server", "redis-server")
	programs.Need(t, "haproxy", "haproxy")
	var log strings.Builder
	r := &report{section: "fleet", log: &log, began: time.Now()}
	// The machine may be busy with other tests: the store may take as long as it ever may.
	err := campaignOn(t.Context(), r, campaign{store: "redis", workers: 10, rate: 150, calm: 150, wait: 100 * time.Millisecond, over: 500 * time.Millisecond, brief: true})
	if err := r.err(err); err != nil {
		t.Errorf("%v\n%s", err, &log)
	}
	t.Log(log.String())
}
