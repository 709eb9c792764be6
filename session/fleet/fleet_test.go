package fleet

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"os/exec"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/session/internal/storetest"
	"github.com/vitrine-tls/vitrine/tls"
)

func identity(t *testing.T) (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"fleet.test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, _ := x509.ParseCertificate(der)
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// fleetOf are members on one store, and a client that goes to them in turn.
type fleetOf struct {
	t       *testing.T
	configs []*tls.Config
	client  *tls.Config
	next    int
}

func start(t *testing.T, url string, settings Settings, max uint16, tickets bool) *fleetOf {
	certificate, pool := identity(t)
	f := &fleetOf{t: t}
	ctx, stop := context.WithCancel(context.Background())
	settings.Store, settings.Keys = url, [][32]byte{{1}}
	settings.Timeout = 100 * time.Millisecond // the machine may be busy with other tests
	var running []chan struct{}
	var all []*Sessions
	for range 3 {
		s, err := Open(ctx, settings, Options{})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.Run(ctx)
		}()
		c := &tls.Config{Certificates: []tls.Certificate{certificate}, MaxVersion: max, SessionTicketsDisabled: !tickets}
		s.Apply(c)
		f.configs, running, all = append(f.configs, c), append(running, done), append(all, s)
	}
	t.Cleanup(func() {
		stop()
		for i, s := range all {
			<-running[i]
			s.Close()
		}
	})
	f.client = &tls.Config{RootCAs: pool, ServerName: "fleet.test", ClientSessionCache: tls.NewLRUClientSessionCache(8)}
	return f
}

// connect shakes hands with the next member, and reports whether the session was resumed.
func (f *fleetOf) connect() bool {
	f.t.Helper()
	f.next++
	a, b := net.Pipe()
	server := tls.Server(a, f.configs[f.next%len(f.configs)])
	done := make(chan error, 1)
	go func() {
		defer a.Close()
		err := server.Handshake()
		if err == nil {
			_, err = server.Write([]byte("x"))
		}
		done <- err
	}()
	defer b.Close()
	client := tls.Client(b, f.client)
	if err := client.Handshake(); err != nil {
		f.t.Fatalf("a handshake failed: %v", err)
	}
	if _, err := client.Read(make([]byte, 1)); err != nil {
		f.t.Fatal(err)
	}
	if err := <-done; err != nil {
		f.t.Fatalf("a handshake failed: %v", err)
	}
	return client.ConnectionState().DidResume
}

func (f *fleetOf) resumed(n int) (share float64) {
	yes := 0
	for range n {
		if f.connect() {
			yes++
		}
	}
	return float64(yes) / float64(n)
}

func redisServer(t *testing.T, more ...string) *storetest.Server {
	program := programs.Need(t, "redis-server", "redis-server")
	return storetest.Start(t, func(port string) *exec.Cmd {
		return exec.Command(program, append([]string{"--port", port, "--bind", "127.0.0.1", "--save", ""}, more...)...)
	})
}

// Every connection goes to another member than the one before, and is resumed; whatever becomes of
// the store, no handshake fails, and resumption is back soon.
func TestThreeMembers(t *testing.T) {
	for name, one := range map[string]struct {
		settings Settings
		max      uint16
		tickets  bool
		stored   bool // sessions are looked up in the store
	}{
		"tickets":     {Settings{}, 0, true, false},
		"single use":  {Settings{SingleUse: true}, 0, true, true},
		"session IDs": {Settings{SessionIDs: true}, tls.VersionTLS12, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			server := redisServer(t)
			f := start(t, "redis://"+server.Addr, one.settings, one.max, one.tickets)
			back := func(what string) {
				t.Helper()
				began := time.Now()
				storetest.Eventually(t, "sessions are resumed after "+what, func() bool { return f.resumed(5) == 1 })
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("resumption was back %v after %s", took, what)
				}
			}
			back("the start")
			storetest.Eventually(t, "99 % of 300 connections are resumed", func() bool { return f.resumed(300) >= 0.99 })
			server.Freeze()
			if share := f.resumed(30); !one.stored && share < 0.99 {
				t.Errorf("frozen: %.1f %% are resumed", 100*share)
			}
			server.Thaw()
			back("a freeze")
			server.Kill()
			if share := f.resumed(30); !one.stored && share < 0.99 {
				t.Errorf("killed: %.1f %% are resumed", 100*share)
			}
			server.Start() // with nothing in it
			back("a restart")
			server.Kill()
			stop := storetest.Nonsense(t, server.Addr, "+OK\r\n+OK\r\n*1000000000\r\n")
			f.resumed(30)
			stop()
			server.Start()
			back("nonsense")
		})
	}
}

// A full store gives what it has, and no handshake fails.
func TestFullStore(t *testing.T) {
	server := redisServer(t, "--maxmemory", "2mb", "--maxmemory-policy", "noeviction")
	f := start(t, "redis://"+server.Addr, Settings{SingleUse: true}, 0, true)
	big := make([]byte, 400<<10)
	store, err := openStore("redis://" + server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for i := 0; i < 20 && err == nil; i++ {
		err = store.Put(t.Context(), fmt.Sprint(i), big, time.Now().Add(time.Hour))
	}
	if err == nil {
		t.Fatal("it is not full")
	}
	f.resumed(30)
	for i := range 20 {
		if err := store.Delete(t.Context(), fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	storetest.Eventually(t, "sessions are resumed again", func() bool { return f.resumed(5) == 1 })
}

// Keys that change each second lose no session.
func TestRotationAtLoad(t *testing.T) {
	f := start(t, "redis://"+redisServer(t).Addr, Settings{Rotation: Rotation{Every: 2 * time.Second, Lead: time.Second, Poll: 100 * time.Millisecond}}, 0, true)
	storetest.Eventually(t, "sessions are resumed", func() bool { return f.resumed(5) == 1 })
	seen := map[string]bool{}
	lost := 0
	for end := time.Now().Add(7 * time.Second); time.Now().Before(end); {
		if !f.connect() {
			lost++
		}
		for _, k := range f.configs[0].TicketKeys() {
			if k.Stage.String() == "sealing" {
				seen[k.Name] = true
			}
		}
	}
	if lost != 0 || len(seen) < 3 {
		t.Errorf("%d sessions were lost over %d keys", lost, len(seen))
	}
}
