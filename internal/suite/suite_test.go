package suite

import (
	"bytes"
	"crypto/tls"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

var update = flag.Bool("update", false, "rewrite testdata/suites.txt")

// Any change of a suite, of the order or of a default shows in the diff of
// the snapshot.
func TestSnapshot(t *testing.T) {
	var b bytes.Buffer
	for _, s := range All() {
		mac := "-"
		if s.MAC != nil {
			mac = s.MAC.Name
		}
		fmt.Fprintf(&b, "%04x %s %s\n\t%v %v %s %s %s, %v to %v", uint16(s.ID), s.Name, s.OpenSSLName,
			s.KeyExchange, s.Auth, s.Cipher.Name, mac, s.Hash.Name, s.Min, s.Max)
		if s.Default {
			b.WriteString(", default")
		}
		if len(s.Switches) > 0 {
			b.WriteString(", needs " + strings.Join(s.Switches, " and "))
		}
		b.WriteByte('\n')
	}
	const file = "testdata/suites.txt"
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("the suites differ from %s; if that is meant, run with -update:\n%s", file, b.Bytes())
	}
}

// Every suite that wire names is a row, and no other.
func TestEverySuiteOfWire(t *testing.T) {
	for n := range 1 << 16 {
		id := wire.CipherSuite(n)
		named := strings.HasPrefix(id.String(), "TLS_") && !strings.HasSuffix(id.String(), "_SCSV")
		s := ByID(id)
		if (s != nil) != named {
			t.Errorf("%v: named is %v, row is %v", id, named, s)
		}
		if s != nil && (s.ID != id || s.Name != id.String()) {
			t.Errorf("%v has the row of %v, named %s", id, s.ID, s.Name)
		}
	}
}

// The parts agree with the name, which is how IANA says what a suite is.
func TestPartsFollowName(t *testing.T) {
	for _, s := range All() {
		kx, bulk, ok := strings.Cut(strings.TrimPrefix(s.Name, "TLS_"), "_WITH_")
		if !ok {
			kx, bulk = "", kx
		}
		cut := strings.LastIndexByte(bulk, '_')
		cipher := strings.NewReplacer("-", "_", "ChaCha20_Poly1305", "CHACHA20_POLY1305").Replace(strings.ReplaceAll(s.Cipher.Name, "-", "_"))
		if cipher != bulk[:cut] {
			t.Errorf("%v has the cipher %s", s, s.Cipher.Name)
		}
		wantKX := map[string]string{"": "none any", "RSA": "RSA RSA", "ECDHE_RSA": "ECDHE RSA", "ECDHE_ECDSA": "ECDHE ECDSA"}[kx]
		if got := fmt.Sprint(s.KeyExchange, " ", s.Auth); got != wantKX {
			t.Errorf("%v has key exchange and authentication %q, want %q", s, got, wantKX)
		}
		hash := bulk[cut+1:]
		prf := map[string]*Hash{"SHA": SHA256, "SHA256": SHA256, "SHA384": SHA384}[hash]
		if s.Hash != prf {
			t.Errorf("%v has the hash %s", s, s.Hash.Name)
		}
		if s.MAC != nil {
			mac := map[string]*Hash{"SHA": SHA1, "SHA256": SHA256, "SHA384": SHA384}[hash]
			if s.MAC.Hash != mac || s.MAC.Len != mac.Size {
				t.Errorf("%v has the MAC %s of %d bytes", s, s.MAC.Name, s.MAC.Len)
			}
		}
		if s.IsAEAD() == strings.Contains(bulk, "CBC") {
			t.Errorf("%v: IsAEAD is %v", s, s.IsAEAD())
		}
		if s.ForwardSecret() == (kx == "RSA") {
			t.Errorf("%v: ForwardSecret is %v", s, s.ForwardSecret())
		}
	}
}

// A row's numbers are those of the cipher it builds.
func TestCiphersBuild(t *testing.T) {
	for _, s := range All() {
		c := s.Cipher
		if (c.AEAD == nil) == (c.Block == nil) || s.IsAEAD() != (c.AEAD != nil) || c.Bits != 8*c.KeyLen {
			t.Errorf("%v: the cipher %s is inconsistent", s, c.Name)
			continue
		}
		if c.Block != nil {
			b, err := c.Block(make([]byte, c.KeyLen))
			if err != nil || b.BlockSize() != c.BlockLen || c.ExplicitNonceLen != c.BlockLen || c.TagLen != 0 || c.FixedIVLen != 0 {
				t.Errorf("%v: block cipher %+v (%v)", s, c, err)
			}
			continue
		}
		a, err := c.AEAD(make([]byte, c.KeyLen))
		if err != nil || a.NonceSize() != c.FixedIVLen+c.ExplicitNonceLen || a.Overhead() != c.TagLen || c.BlockLen != 0 {
			t.Errorf("%v: AEAD %+v (%v)", s, c, err)
		}
		if _, err := c.AEAD(make([]byte, c.KeyLen+1)); err == nil {
			t.Errorf("%v takes a key of %d bytes", s, c.KeyLen+1)
		}
	}
}

func TestHashes(t *testing.T) {
	for _, h := range Hashes {
		if n := h.New(); n.Size() != h.Size || n.BlockSize() != h.BlockSize || h.Crypto.Size() != h.Size || h.Crypto.String() != h.Name {
			t.Errorf("%s: %+v", h.Name, h)
		}
	}
}

func TestByName(t *testing.T) {
	for _, s := range All() {
		for _, name := range []string{s.Name, s.OpenSSLName, strings.ToLower(s.Name), strings.ToLower(s.OpenSSLName)} {
			if got := ByName(name); got != s {
				t.Errorf("ByName(%q) is %v, want %v", name, got, s)
			}
		}
	}
	for _, name := range []string{"", "TLS_", "TLS_NULL_WITH_NULL_NULL", "TLS_FALLBACK_SCSV"} {
		if got := ByName(name); got != nil {
			t.Errorf("ByName(%q) is %v", name, got)
		}
	}
}

// The standard library's suites and versions, where it has the suite too.
func TestAgreesWithStd(t *testing.T) {
	for _, std := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		s := ByID(wire.CipherSuite(std.ID))
		if s == nil {
			continue
		}
		if s.Name != std.Name {
			t.Errorf("%v is named %s by the standard library", s, std.Name)
		}
		for v := wire.TLS10; v <= wire.TLS13; v++ {
			if got, want := s.Allows(v), slices.Contains(std.SupportedVersions, uint16(v)); got != want {
				t.Errorf("%v in %v: %v, in the standard library %v", s, v, got, want)
			}
		}
	}
}

// Nothing without forward secrecy, without AEAD or behind a switch is a
// default, and what is not a default says why.
func TestDefaults(t *testing.T) {
	for _, s := range All() {
		if strong := s.IsAEAD() && s.ForwardSecret(); s.Default != strong {
			t.Errorf("%v: Default is %v", s, s.Default)
		}
		if s.Default == (s.WhyNot != "") {
			t.Errorf("%v: Default is %v and WhyNot is %q", s, s.Default, s.WhyNot)
		}
		if slices.Contains(s.Switches, "RSAKeyExchange") != (s.KeyExchange == wire.KeyExchangeRSA) {
			t.Errorf("%v needs the switches %q", s, s.Switches)
		}
	}
}

func TestOrder(t *testing.T) {
	rank := func(s *Suite) int {
		n := 0
		if s.ForwardSecret() {
			n += 4
		}
		if s.IsAEAD() {
			n += 2
		}
		if s.Min == wire.TLS13 {
			n++
		}
		return n
	}
	all := All()
	if !slices.IsSortedFunc(all, func(a, b *Suite) int { return rank(b) - rank(a) }) {
		t.Error("the suites are not ordered by forward secrecy and then AEAD")
	}
	all[0] = nil
	if All()[0] == nil {
		t.Error("All hands out the table itself")
	}
}
