package main

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/tls"
)

// The section proxy in small: the same things happen, to fewer.
func TestTheProxyUnderSiege(t *testing.T) {
	if programs.Brief() {
		t.Skip("the command is built, and besieged for seconds: VITRINE_INTEROP=require has it run")
	}
	var log strings.Builder
	r := &report{section: "proxy", log: &log, began: time.Now()}
	err := besiege(t.Context(), r, siege{slow: 60, hostile: 60, strange: 12, workers: 10, rate: 200, reloads: 10, over: 6 * time.Second})
	if err := r.err(err); err != nil {
		t.Errorf("%v\n%s", err, &log)
	}
	t.Log(log.String())
}

// A proxy without a descriptor left refuses or lets wait, keeps what it has, and takes connections again
// once there are some.
func TestTheProxyRunsOutOfDescriptors(t *testing.T) {
	if programs.Brief() {
		t.Skip("the command is built: VITRINE_INTEROP=require has it run")
	}
	ca, err := devca.New(loadName)
	if err != nil {
		t.Fatal(err)
	}
	services, err := startServices()
	if err != nil {
		t.Fatal(err)
	}
	defer services.stop()
	b := &besieged{ca: ca, storm: &storm{client: tls.Config{RootCAs: ca.Pool(), ServerName: loadName}}}
	if b.proxy, err = newProxyChild(t.Context(), t.TempDir(), services, b.rotate); err != nil {
		t.Fatal(err)
	}
	b.proxy.files = 256
	defer b.proxy.kill()
	if err := b.proxy.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.addrs = []string{b.proxy.address("web")}
	early, err := b.connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer early.Close()
	if err := exchangeLine(early); err != nil {
		t.Fatal(err)
	}
	var crowd []net.Conn
	for range 200 {
		if c, err := b.dial(t.Context()); err == nil { // else it is refused at once, which is what it should be
			crowd = append(crowd, c)
		}
	}
	if err := exchangeLine(early); err != nil {
		t.Errorf("a connection that was there before suffers: %v", err)
	}
	for _, c := range crowd {
		c.Close()
	}
	late := time.Now().Add(20 * time.Second)
	for err = b.ask(t.Context()); err != nil && time.Now().Before(late); err = b.ask(t.Context()) {
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		t.Errorf("no connection is taken again: %v", err)
	}
}
