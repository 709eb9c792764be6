package keyprocess

import (
	"bytes"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/tls"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "keys" {
		if err := Serve(os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	leak.Main(m)
}

// start starts a key process that may load pairs.
func start(t *testing.T, pairs ...Pair) *Process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Start(Options{Command: []string{self, "keys"}, Pairs: pairs, Sandbox: "auto", Stderr: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// pair writes a certificate and its key, readable by their owner alone.
func pair(t *testing.T, ca *devca.CA, kind devca.KeyType) Pair {
	t.Helper()
	made, err := ca.Issue(devca.Leaf{Names: []string{"localhost"}, Key: kind})
	if err != nil {
		t.Fatal(err)
	}
	var chain []byte
	for _, der := range made.Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	der, err := devca.MarshalKey(made.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	cert, key := filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	err = errors.Join(os.WriteFile(cert, chain, 0o600), os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	return Pair{cert, key}
}

func authority(t *testing.T) *devca.CA {
	t.Helper()
	ca, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

// handshake connects a client to a server with pair, and returns the client's error.
func handshake(pair tls.Certificate, server, client *tls.Config) error {
	ours, theirs := net.Pipe()
	defer ours.Close()
	server.Certificates, client.ServerName = []tls.Certificate{pair}, "localhost"
	done := make(chan error, 1)
	go func() {
		defer theirs.Close()
		done <- tls.Server(theirs, server).Handshake()
	}()
	err := tls.Client(ours, client).Handshake()
	ours.Close()
	return errors.Join(err, <-done)
}

func TestHandshakesWithKeysElsewhere(t *testing.T) {
	ca := authority(t)
	files := make(map[string]Pair)
	for name, kind := range map[string]devca.KeyType{"ECDSA": devca.ECDSA, "RSA": devca.RSA, "Ed25519": devca.Ed25519, "ML-DSA": devca.MLDSA87} {
		files[name] = pair(t, ca, kind)
	}
	p := start(t, slices.Collect(maps.Values(files))...)
	for name, files := range files {
		got, err := p.Load(files.Cert, files.Key)
		if err != nil {
			t.Fatal(err)
		}
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			client := &tls.Config{RootCAs: ca.Pool()}
			if name == "ML-DSA" {
				if client.SignatureSchemes = []tls.SignatureScheme{tls.MLDSA87}; version < tls.VersionTLS13 {
					continue // which does not have it
				}
			}
			if err := handshake(got, &tls.Config{MaxVersion: version}, client); err != nil {
				t.Errorf("%s, version %x: %v", name, version, err)
			}
		}
		if name != "RSA" {
			continue
		}
		weak := &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}, RootCAs: ca.Pool(), Legacy: tls.Legacy{RSAKeyExchange: true}}
		if err := handshake(got, weak.Clone(), weak.Clone()); err != nil {
			t.Errorf("RSA key exchange: %v", err)
		}
	}
	if text := strings.Join(p.Report(), "; "); text == "" {
		t.Error("the key process does not say what it gave away")
	} else {
		t.Log(text)
	}
}

func TestManyAskAtOnceAndNewKeysAreRead(t *testing.T) {
	ca := authority(t)
	files := pair(t, ca, devca.ECDSA)
	p := start(t, files)
	old, err := p.Load(files.Cert, files.Key)
	if err != nil {
		t.Fatal(err)
	}
	fresh := pair(t, ca, devca.ECDSA)
	if err := errors.Join(os.Rename(fresh.Cert, files.Cert), os.Rename(fresh.Key, files.Key)); err != nil {
		t.Fatal(err)
	}
	next, err := p.Load(files.Cert, files.Key)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(old.Certificate[0], next.Certificate[0]) {
		t.Fatal("the new certificate was not read")
	}
	var group sync.WaitGroup
	for i := range 3 * maxAtOnce {
		group.Go(func() {
			if err := handshake([]tls.Certificate{old, next}[i%2], &tls.Config{}, &tls.Config{RootCAs: ca.Pool()}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

func TestWhatCannotBeLoaded(t *testing.T) {
	ca := authority(t)
	good, other := pair(t, ca, devca.ECDSA), pair(t, ca, devca.ECDSA)
	missing, mixed := Pair{good.Cert, "missing.pem"}, Pair{good.Cert, other.Key}
	p := start(t, good, missing, mixed)
	long := strings.Repeat("x", maxMessage)
	for what, files := range map[string]Pair{
		"another key": mixed, "no file": missing, "a long name": {long, good.Key},
		"a pair that is not the configuration's": other, "a part of two": {other.Cert, good.Key}, "nothing": {},
		"another name of the same": {good.Cert, filepath.Dir(good.Key) + "/./key.pem"},
	} {
		if _, err := p.Load(files.Cert, files.Key); err == nil {
			t.Errorf("%s is loaded", what)
		}
	}
	if _, err := p.Load(good.Cert, good.Key); err != nil {
		t.Errorf("what fails spoils what follows: %v", err)
	}
	if err := p.permit([]Pair{other}); err == nil {
		t.Error("a pair is added after the start")
	}
	if _, err := p.ask(request{Do: doStart, Sandbox: "off"}); err == nil {
		t.Error("it can be started twice")
	}
}

// As many pairs as a large configuration has come in several messages.
func TestManyPairs(t *testing.T) {
	last := pair(t, authority(t), devca.ECDSA)
	var list []Pair
	for i := range 3 * pairsAtOnce {
		list = append(list, Pair{Cert: fmt.Sprint(strings.Repeat("x", 4000), i), Key: last.Key})
	}
	p := start(t, append(list, last)...)
	if _, err := p.Load(last.Cert, last.Key); err != nil {
		t.Error(err)
	}
}

func TestHandshakesFailWhenTheKeyProcessEnds(t *testing.T) {
	ca := authority(t)
	files := pair(t, ca, devca.RSA)
	p := start(t, files)
	got, err := p.Load(files.Cert, files.Key)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if err := handshake(got, &tls.Config{}, &tls.Config{RootCAs: ca.Pool()}); !errors.Is(err, ErrEnded) {
		t.Errorf("without its key a handshake ends with %v", err)
	}
	if _, err := p.Load("a", "b"); !errors.Is(err, ErrEnded) {
		t.Errorf("without its process a load ends with %v", err)
	}
}

// A key process that is asked for more than its bounds, or for nothing that it knows, does not do it.
func TestRequestsAreBounded(t *testing.T) {
	for name, input := range map[string][]byte{
		"a length": binary.BigEndian.AppendUint32(nil, maxMessage+1),
		"no JSON":  append(binary.BigEndian.AppendUint32(nil, 3), "abc"...),
		"a part":   append(binary.BigEndian.AppendUint32(nil, 30), "abc"...),
	} {
		if err := Serve(bytes.NewReader(input), io.Discard); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	h := &holder{}
	for _, q := range []request{{Do: "export"}, {Do: doLoad}, {Do: doSign, Handle: 7}, {Do: doDecrypt, Length: 5}} {
		if _, err := h.do(q); err == nil {
			t.Errorf("%+v is done", q)
		}
	}
}
