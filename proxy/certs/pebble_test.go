package certs

import (
	"crypto"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	stdtls "crypto/tls"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/vitrine-tls/vitrine/certcheck/fetch"
	"github.com/vitrine-tls/vitrine/certstore"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/tls"
)

// pebble is an ACME authority of Let's Encrypt's for tests.
type pebble struct {
	directory, ca string // its URL, and a file with what its server is trusted by
	admin         string
	client        *http.Client
}

func free(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// startPebble runs one that looks for names at these ports of this machine, and whose
// certificates hold for a number of seconds.
func startPebble(t *testing.T, tlsPort, httpPort, lasts int) *pebble {
	t.Helper()
	programs.SkipIfOff(t)
	path, err := exec.LookPath("pebble")
	if err != nil {
		programs.Missing(t, "pebble is not installed (go install github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.3)")
	}
	dir := t.TempDir()
	authority, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	own, err := authority.Issue(devca.Leaf{Names: []string{"127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	p := &pebble{ca: filepath.Join(dir, "ca.pem")}
	replace(t, p.ca, authority.PEM())
	replace(t, filepath.Join(dir, "cert.pem"), certPEM(own.Leaf))
	replace(t, filepath.Join(dir, "key.pem"), keyPEM(t, own.PrivateKey.(crypto.Signer)))
	listen, admin := fmt.Sprintf("127.0.0.1:%d", free(t)), fmt.Sprintf("127.0.0.1:%d", free(t))
	settings, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": listen, "managementListenAddress": admin, "certificate": filepath.Join(dir, "cert.pem"), "privateKey": filepath.Join(dir, "key.pem"),
		"httpPort": httpPort, "tlsPort": tlsPort, "keyAlgorithm": "ecdsa", "retryAfter": map[string]int{"authz": 1, "order": 1},
		"profiles": map[string]any{"default": map[string]any{"description": "test", "validityPeriod": lasts}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	replace(t, filepath.Join(dir, "pebble.json"), settings)
	cmd := exec.Command(path, "-config", filepath.Join(dir, "pebble.json"), "-dnsserver", startDNS(t))
	cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0")
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		log.Close()
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("%s", text[max(0, len(text)-4000):])
		}
	})
	p.directory, p.admin = "https://"+listen+"/dir", "https://"+admin
	p.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &stdtls.Config{RootCAs: authority.Pool()}, DisableKeepAlives: true}}
	for limit := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		answer, err := p.client.Get(p.directory)
		if err == nil {
			answer.Body.Close()
			return p
		}
		if time.Now().After(limit) {
			t.Fatalf("pebble does not answer: %v", err)
		}
	}
}

// roots are those that pebble's certificates come from.
func (p *pebble) roots(t *testing.T) *x509.CertPool {
	t.Helper()
	answer, err := p.client.Get(p.admin + "/roots/0")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	pool := x509.NewCertPool()
	if err != nil || !pool.AppendCertsFromPEM(text) {
		t.Fatalf("%q, %v", text, err)
	}
	return pool
}

// startDNS answers every question for an address with this machine's, over TCP as pebble
// asks. RFC 1035 §4.2.2.
func startDNS(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(func() { l.Close(); all.Wait() })
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				answerDNS(c)
			})
		}
	})
	return l.Addr().String()
}

func answerDNS(c net.Conn) {
	for {
		var length [2]byte
		if _, err := io.ReadFull(c, length[:]); err != nil {
			return
		}
		question := make([]byte, binary.BigEndian.Uint16(length[:]))
		var m dnsmessage.Message
		if _, err := io.ReadFull(c, question); err != nil || m.Unpack(question) != nil || len(m.Questions) != 1 {
			return
		}
		m.Response, m.Authoritative, m.Additionals = true, true, nil
		if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
			m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 1}, Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}}}
		}
		answer, err := m.Pack()
		if err != nil {
			return
		}
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}

// serve takes connections by what src returns, and asks each client for a certificate, so
// that an authority gets through only where it is answered by itself.
func serve(t *testing.T, l net.Listener, src *Source) {
	t.Helper()
	own := &tls.Config{GetCertificate: src.GetCertificate, GetConfigForClient: src.GetConfigForClient, ClientAuth: tls.RequireAnyClientCert}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s := tls.Server(c, own)
			s.Handshake()
			s.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
}

// shown is the certificate that a client gets.
func shown(t *testing.T, address, name string, pool *x509.CertPool) (*x509.Certificate, error) {
	t.Helper()
	client, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := client.Issue(devca.Leaf{Names: []string{"client"}, Client: true})
	if err != nil {
		t.Fatal(err)
	}
	c, err := tls.Dial("tcp", address, &tls.Config{RootCAs: pool, ServerName: name, Certificates: []tls.Certificate{cert}})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0], nil
}

func TestTLSALPN01(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	lasts := 3600
	if !programs.Brief() {
		lasts = 30
	}
	p := startPebble(t, l.Addr().(*net.TCPAddr).Port, free(t), lasts)
	news, storage := newTold(), filepath.Join(t.TempDir(), "acme")
	list := []config.Certificate{{ACME: &config.ACME{Names: []string{"www.example.com", "bücher.example"}, Email: "ops@example.com", Directory: p.directory, CA: p.ca, Storage: storage, AgreeToS: true}}}
	src, err := Open(t.Context(), list, Options{Report: news.report, Fetcher: &fetch.Client{}, renewCheck: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { src.Close() }()
	if _, err := src.GetCertificate(hello("www.example.com")); err == nil || !strings.Contains(err.Error(), "not issued") {
		t.Errorf("before the first: %v", err)
	}
	src.Obtain()
	serve(t, l, src)
	for range 2 {
		if e := news.wait(t, Obtained); e.Until.IsZero() {
			t.Errorf("%+v", e)
		}
		news.wait(t, certstore.Reloaded)
	}
	pool := p.roots(t)
	first, err := shown(t, l.Addr().String(), "www.example.com", pool)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := shown(t, l.Addr().String(), "xn--bcher-kva.example", pool); err != nil {
		t.Error(err)
	}
	// Nobody gets an answer to a challenge that is not on, or for another's name.
	for _, name := range []string{"www.example.com", "other.example", ""} {
		c, err := tls.Dial("tcp", l.Addr().String(), &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: []string{ACMEProtocol}})
		if err == nil {
			c.Close()
			t.Errorf("%q: a challenge is answered", name)
		}
	}
	if got := src.NextProtos(); len(got) != 1 || got[0] != ACMEProtocol {
		t.Error(got)
	}

	// Another process has them from the folder.
	again := newTold()
	kept, err := Open(t.Context(), list, Options{Report: again.report})
	if err != nil {
		t.Fatal(err)
	}
	kept.Obtain()
	again.wait(t, certstore.Reloaded)
	kept.Close()

	if programs.Brief() {
		t.Log("renewal is left out")
		return
	}
	for {
		e := news.wait(t, Obtained)
		if e.Names[0] != "www.example.com" {
			continue
		}
		break
	}
	for second := first; second.Equal(first); { // it is loaded just after it was obtained
		if second, err = shown(t, l.Addr().String(), "www.example.com", pool); err != nil {
			t.Fatal(err)
		}
	}
	// A folder that cannot be written ends renewal, and nothing else.
	if err := os.Rename(storage, storage+".away"); err != nil {
		t.Fatal(err)
	}
	replace(t, storage, []byte("no folder"))
	if e := news.wait(t, StoreFailed); e.Err == nil {
		t.Errorf("%+v", e)
	}
	// So does a full disk.
	if err := errors.Join(os.Remove(storage), os.Mkdir(storage, 0o700)); err != nil {
		t.Fatal(err)
	}
	if onFullDisk(t, storage) {
		for !errors.Is(news.wait(t, StoreFailed).Err, syscall.ENOSPC) {
		}
	} else {
		t.Log("only root on Linux can have a full disk")
	}
	if got := leafOf(t, src, hello("www.example.com")); got == nil {
		t.Error("nothing is served")
	}
}

func TestHTTP01(t *testing.T) {
	port := free(t)
	p := startPebble(t, free(t), port, 3600)
	news := newTold()
	listen := fmt.Sprintf("127.0.0.1:%d", port)
	acme := &config.ACME{Names: []string{"www.example.com"}, Directory: p.directory, CA: p.ca, Storage: t.TempDir(), AgreeToS: true, Challenge: "http-01", HTTPListen: listen}
	src, err := Open(t.Context(), []config.Certificate{{ACME: acme}}, Options{Report: news.report})
	if err != nil {
		t.Fatal(err)
	}
	src.Obtain()
	defer src.Close()
	// A new configuration opens beside the old one, on the same address.
	next, err := Open(t.Context(), []config.Certificate{{ACME: acme}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	next.Obtain()
	next.Close()
	news.wait(t, Obtained)
	news.wait(t, certstore.Reloaded)
	if got := leafOf(t, src, hello("www.example.com")); got.VerifyHostname("www.example.com") != nil {
		t.Errorf("%v", got.DNSNames)
	}
	for _, path := range []string{"/", "/.well-known/acme-challenge/", "/.well-known/acme-challenge/..%2f..%2facme", "/.well-known/acme-challenge/x"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listen+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = "www.example.com"
		answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if answer.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s, %q", path, answer.Status, body)
		}
	}
	if p := src.NextProtos(); p != nil {
		t.Errorf("%v with http-01", p)
	}
}
