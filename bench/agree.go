package main

import (
	"fmt"
	"time"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/wire"
)

// finiteFields are the groups of the job agree.
var finiteFields = map[string]wire.NamedGroup{"ffdhe2048": wire.GroupFFDHE2048, "ffdhe3072": wire.GroupFFDHE3072}

// agree measures what a server spends on Diffie-Hellman alone: a fresh key and
// the secret with a client's share, for the job's ms milliseconds.
func agree(stack, _ string, j job) (figures, error) {
	if stack != vitrineName {
		return nil, unsupported(stack + " has no " + j.text("group"))
	}
	dh := kex.DHOf(finiteFields[j.text("group")])
	if dh == nil {
		return nil, fmt.Errorf("unknown group %q", j.text("group"))
	}
	peer, err := dh.Generate()
	if err != nil {
		return nil, err
	}
	end := time.Now().Add(time.Duration(j.number("ms")) * time.Millisecond)
	m, n := startMeter(), 0
	for n == 0 || time.Now().Before(end) {
		own, err := dh.Generate()
		if err == nil {
			_, err = own.Finish(peer.Share())
		}
		if err != nil {
			return nil, err
		}
		n++
	}
	f := m.stop()
	f["n"] = float64(n)
	return f, nil
}
