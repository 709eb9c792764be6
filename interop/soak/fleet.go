package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
)

var (
	fleettime  = flag.Duration("fleettime", 10*time.Second, "how long each phase of the section fleet lasts")
	fleetrate  = flag.Int("fleetrate", 3000, "how many handshakes a second the section fleet tries while all is well")
	fleetcalm  = flag.Int("fleetcalm", 500, "how many it makes while something is wrong")
	fleetstore = flag.String("fleetstore", "redis", "the store of the section fleet: "+engineNames())
)

// campaign is how much a fleet has to bear.
type campaign struct {
	store   string        // a name of engines
	workers int           // clients
	rate    int           // connections a second of them all
	calm    int           // in trouble
	wait    time.Duration // for the store
	over    time.Duration
	brief   bool // for go test: the troubles that are over soon
}

// runFleet runs three proxies on one store, and gives the store and the proxies all kinds of trouble.
func runFleet(ctx context.Context, r *report) error {
	return campaignOn(ctx, r, campaign{store: *fleetstore, workers: 15, rate: *fleetrate, calm: *fleetcalm, wait: 20 * time.Millisecond, over: *fleettime})
}

// A custom is how a fleet keeps sessions, and what clients come with.
type custom struct {
	name     string
	settings string // of sessions, in the configuration
	visitors []visitorKind
	once     bool // a ticket is taken once alone
}

// The names of customs.
const (
	sealedTickets = "tickets and IDs"
	singleUse     = "single use"
)

var customs = []custom{
	{sealedTickets, "session-ids: true", visitorKinds, false},
	{singleUse, "single-use: true, session-ids: true", visitorKinds, true},
}

func campaignOn(ctx context.Context, r *report, c campaign) error {
	dir, err := os.MkdirTemp("", "soak")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "vitrine")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/vitrine-tls/vitrine/cmd/vitrine").CombinedOutput(); err != nil {
		return fmt.Errorf("building vitrine: %w\n%s", err, out)
	}
	for _, how := range customs {
		if err := fleetBy(ctx, r, c, how, dir, program); err != nil {
			return fmt.Errorf("%s: %w", how.name, err)
		}
	}
	return nil
}

// fleet is three proxies, their store, and clients.
type fleet struct {
	*report
	campaign campaign
	custom   custom
	engine   engine
	members  []*member
	crowd    *crowd
}

// fleetBy runs a fleet through all phases.
func fleetBy(ctx context.Context, r *report, c campaign, how custom, dir, program string) (err error) {
	f := &fleet{report: r, campaign: c, custom: how}
	if f.engine, err = openEngine(c.store, filepath.Join(dir, "store")); err != nil {
		return err
	}
	defer f.engine.kill()
	if err := f.engine.start(); err != nil {
		return err
	}
	ca, err := devca.New(loadName)
	if err != nil {
		return err
	}
	if err := fleetFiles(dir, ca); err != nil {
		return err
	}
	services, err := startServices()
	if err != nil {
		return err
	}
	defer services.stop()
	var addresses []string
	for i := range 3 {
		m, err := newMember(dir, program, i, f, services.web.Addr().String())
		if err != nil {
			return err
		}
		defer m.stop()
		if err := m.start(ctx); err != nil {
			return err
		}
		f.members, addresses = append(f.members, m), append(addresses, m.address)
	}
	f.crowd = newCrowd(ca.Pool(), how.visitors, c.workers, c.rate, addresses)
	during, stop := context.WithCancel(ctx)
	done := f.crowd.run(during)
	err = f.phases(ctx)
	stop()
	<-done
	for _, text := range f.crowd.reasons() {
		f.Logf("failure: %s", text)
	}
	return errors.Join(err, ctx.Err())
}

// fleetFiles writes what all members have: a certificate, and the key of the fleet.
func fleetFiles(dir string, ca *devca.CA) error {
	pair, err := ca.Issue(devca.Leaf{Names: []string{loadName}, Key: devca.ECDSA})
	if err != nil {
		return err
	}
	text, err := pemOf(pair)
	if err != nil {
		return err
	}
	var key [32]byte
	rand.Read(key[:])
	return errors.Join(os.WriteFile(filepath.Join(dir, "pair.pem"), text, 0o600),
		os.WriteFile(filepath.Join(dir, "fleet.key"), []byte(hex.EncodeToString(key[:])+"\n"), 0o600))
}
