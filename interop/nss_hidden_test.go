package interop

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	vitrine "github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// publicName is what everybody sees of clients that encrypt their hello.
const publicName = "public.localhost"

// site is a server's certificate for both names, and where NSS's programs have it.
type site struct {
	cert vitrine.Certificate
	ca   *devca.CA
	db   string
	dir  string
}

func newSite(t *testing.T) *site {
	t.Helper()
	for _, program := range []string{"tstclnt", "selfserv", "certutil", "pk12util", "openssl"} {
		programs.Need(t, program, nss.Package)
	}
	ca, err := devca.New(serverName, publicName)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(devca.Leaf{Names: []string{serverName, publicName}, Delegation: true})
	if err != nil {
		t.Fatal(err)
	}
	s := &site{cert: cert, ca: ca, dir: t.TempDir()}
	s.db = "sql:" + s.dir
	key, err := devca.MarshalKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"ca.pem": block("CERTIFICATE", ca.Cert.Raw), "leaf.pem": block("CERTIFICATE", cert.Certificate[0]), "leaf.key": block("PRIVATE KEY", key),
	} {
		if err := os.WriteFile(filepath.Join(s.dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range [][]string{
		{"certutil", "-N", "-d", s.db, "--empty-password"},
		{"certutil", "-A", "-d", s.db, "-n", "ca", "-t", "CT,,", "-i", "ca.pem"},
		{"openssl", "pkcs12", "-export", "-in", "leaf.pem", "-inkey", "leaf.key", "-name", "leaf", "-passout", "pass:x", "-out", "leaf.p12"},
		{"pk12util", "-i", "leaf.p12", "-d", s.db, "-W", "x"},
	} {
		cmd := exec.Command(step[0], step[1:]...)
		cmd.Dir = s.dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(step, " "), err, out)
		}
	}
	return s
}

// visit has tstclnt connect to a server of ours, and returns what each side saw.
func (s *site) visit(t *testing.T, config *vitrine.Config, args ...string) (vitrine.ConnectionState, vitrine.State, string) {
	t.Helper()
	config = config.Clone()
	config.Certificates = []vitrine.Certificate{s.cert}
	var cmd *exec.Cmd
	conn, said := welcome(t, config, func(port string) *exec.Cmd {
		cmd = exec.CommandContext(t.Context(), "tstclnt", append([]string{"-4", "-h", serverName, "-p", port, "-d", s.db, "-v", "-V", "tls1.3:tls1.3", "-Q"}, args...)...)
		return cmd
	})
	if !cmd.ProcessState.Success() {
		t.Errorf("tstclnt ended with %v:\n%s", cmd.ProcessState, said)
	}
	return conn.ConnectionState(), conn.State(), said
}

// NSS takes a delegated credential, and verifies that its certificate's key has signed it.
func TestNSSDelegatedCredential(t *testing.T) {
	s := newSite(t)
	key, err := newKey(keyP384)
	if err != nil {
		t.Fatal(err)
	}
	d, err := vitrine.Delegate(&s.cert, key, time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	holder := new(vitrine.Delegates)
	holder.Set(d)
	config := &vitrine.Config{Delegation: vitrine.Delegation{Get: holder.For}}
	if _, state, said := s.visit(t, config, "-B"); state.ServerSignature != wire.ECDSAP384SHA384 || !strings.Contains(said, "Received a Delegated Credential") {
		t.Errorf("we signed with %v:\n%s", state.ServerSignature, said)
	}
	if _, state, said := s.visit(t, config); state.ServerSignature != wire.ECDSAP256SHA256 || strings.Contains(said, "Delegated") {
		t.Errorf("to a client that did not ask we signed with %v:\n%s", state.ServerSignature, said)
	}
}

// NSS's client hides its name from all but our server, which has the key.
func TestNSSClientHello(t *testing.T) {
	s := newSite(t)
	key, err := vitrine.GenerateECHKey(publicName, vitrine.ECHKeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	list, err := vitrine.ECHConfigList(key)
	if err != nil {
		t.Fatal(err)
	}
	config := &vitrine.Config{EncryptedClientHelloKeys: []vitrine.EncryptedClientHelloKey{key}}
	for name, groups := range map[string][]vitrine.CurveID{"at once": nil, "after a HelloRetryRequest": {vitrine.CurveP521}} {
		t.Run(name, func(t *testing.T) {
			config := config.Clone()
			config.CurvePreferences = groups
			state, _, said := s.visit(t, config, "-N", base64.StdEncoding.EncodeToString(list))
			if !state.ECHAccepted || state.ServerName != serverName {
				t.Errorf("accepted %v, for %q:\n%s", state.ECHAccepted, state.ServerName, said)
			}
		})
	}
	if state, _, _ := s.visit(t, config, "-i", "100"); state.ECHAccepted || state.ServerName != serverName {
		t.Errorf("noise was taken for a hello: %v for %q", state.ECHAccepted, state.ServerName)
	}
}

// NSS's server opens what our client has encrypted, and tells one with another key what to use.
func TestNSSServerHello(t *testing.T) {
	s := newSite(t)
	key, err := vitrine.GenerateECHKey(publicName, vitrine.ECHKeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	list, err := vitrine.ECHConfigList(key)
	if err != nil {
		t.Fatal(err)
	}
	address := s.serve(t, "-X", nssECHKey(t, key.PrivateKey, list))
	config := &vitrine.Config{RootCAs: s.ca.Pool(), ServerName: serverName, EncryptedClientHelloConfigList: list}
	for name, groups := range map[string][]vitrine.CurveID{"at once": nil, "after a HelloRetryRequest": {vitrine.X448, vitrine.CurveP256}} {
		t.Run(name, func(t *testing.T) {
			config := config.Clone()
			config.CurvePreferences = groups
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			conn, err := (&vitrine.Dialer{Config: config}).DialContext(ctx, "tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if !conn.(*vitrine.Conn).ConnectionState().ECHAccepted {
				t.Error("the encrypted hello was not accepted")
			}
		})
	}
	other, err := vitrine.GenerateECHKey(publicName, vitrine.ECHKeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	config.EncryptedClientHelloConfigList, err = vitrine.ECHConfigList(other)
	if err != nil {
		t.Fatal(err)
	}
	_, err = vitrine.Dial("tcp", address, config)
	rejected, is := errors.AsType[*vitrine.ECHRejectionError](err)
	if !is || !bytes.Equal(rejected.RetryConfigList, list) {
		t.Errorf("a client with another key is told %v", err)
	}
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// serve starts selfserv, to the end of the test, and returns its address.
func (s *site) serve(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	r := &run{ctx: ctx, dir: s.dir, peer: nss}
	p, port, err := r.startOnPort(nssListening, "selfserv", append([]string{"-d", s.db, "-e", "leaf", "-v", "-V", "tls1.3:tls1.3"}, args...)...)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel() // by which it is killed
		<-p.done
	})
	return "127.0.0.1:" + strconv.Itoa(port)
}

// nssECHKey is a key as selfserv takes it: a private key in NSS's own form of PKCS #8, with
// its length, and the configs.
func nssECHKey(t *testing.T, private, list []byte) string {
	t.Helper()
	key, err := ecdh.X25519().NewPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	type algorithm struct{ Is, Curve asn1.ObjectIdentifier }
	inner, err := asn1.Marshal(struct {
		Version int
		Private []byte
		Public  asn1.BitString `asn1:"explicit,tag:1"`
	}{1, private, asn1.BitString{Bytes: key.PublicKey().Bytes(), BitLength: 256}})
	if err != nil {
		t.Fatal(err)
	}
	der, err := asn1.Marshal(struct {
		Version   int
		Algorithm algorithm
		Key       []byte
	}{0, algorithm{asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}, asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 15, 1}}, inner})
	if err != nil {
		t.Fatal(err)
	}
	all := append(binary.BigEndian.AppendUint16(nil, uint16(len(der))), der...)
	return base64.StdEncoding.EncodeToString(append(all, list...))
}
