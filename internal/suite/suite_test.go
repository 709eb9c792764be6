package suite

import (
	"bytes"
	"cmp"
	"crypto/cipher"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
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

// kinds are the key exchanges of names.
var kinds = map[string]string{
	"": "none any", "RSA": "RSA RSA", "RSA_PSK": "RSA_PSK RSA", "PSK": "PSK PSK",
	"DHE_RSA": "DHE RSA", "DHE_DSS": "DHE DSS", "DHE_PSK": "DHE_PSK PSK", "PSK_DHE": "DHE_PSK PSK", "DH_anon": "DH_anon anonymous",
	"ECDHE_RSA": "ECDHE RSA", "ECDHE_ECDSA": "ECDHE ECDSA", "ECDHE_PSK": "ECDHE_PSK PSK", "ECDH_anon": "ECDH_anon anonymous",
}

// ofOurParts matches the names of suites that are made of our parts.
var ofOurParts = regexp.MustCompile(`^TLS_(?:(\w+)_WITH_)?(AES_(?:128|256)_(?:GCM|CCM_8|CCM|CBC)|CHACHA20_POLY1305|3DES_EDE_CBC|DES_CBC|RC4_128|NULL)(?:_(MD5|SHA|SHA256|SHA384))?$`)

// Every suite that IANA has of our parts is there, under its number, its name
// and the name that OpenSSL has for it, and no other is.
func TestRegistry(t *testing.T) {
	text, err := os.ReadFile("testdata/registry.txt")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for line := range strings.Lines(string(text)) {
		var id wire.CipherSuite
		var name, openSSL string
		if strings.HasPrefix(line, "#") {
			continue
		}
		if _, err := fmt.Sscanf(line, "%x %s %s", &id, &name, &openSSL); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		m := ofOurParts.FindStringSubmatch(name)
		ours := m != nil && kinds[m[1]] != ""
		s := ByID(id)
		if (s != nil) != ours {
			t.Errorf("%04x %s: of our parts is %v, the row is %v", uint16(id), name, ours, s)
		}
		if s == nil {
			continue
		}
		found++
		if s.Name != name || cmp.Or(s.OpenSSLName, "-") != openSSL {
			t.Errorf("%04x is %s (%s) here, and %s (%s) in the registry", uint16(id), s.Name, s.OpenSSLName, name, openSSL)
		}
	}
	if found != len(All()) {
		t.Errorf("of %d suites %d are in the registry", len(All()), found)
	}
}

// The parts agree with the name, which is how IANA says what a suite is.
func TestPartsFollowName(t *testing.T) {
	for _, s := range All() {
		m := ofOurParts.FindStringSubmatch(s.Name)
		if m == nil {
			t.Errorf("%v is made of parts that are not known", s)
			continue
		}
		kx, bulk, hash := m[1], m[2], m[3]
		if got := fmt.Sprint(s.KeyExchange, " ", s.Auth); got != kinds[kx] {
			t.Errorf("%v has key exchange and authentication %q, want %q", s, got, kinds[kx])
		}
		if got := strings.ToUpper(strings.ReplaceAll(s.Cipher.Name, "-", "_")); got != bulk {
			t.Errorf("%v has the cipher %s", s, s.Cipher.Name)
		}
		prf := map[string]*Hash{"": SHA256, "MD5": SHA256, "SHA": SHA256, "SHA256": SHA256, "SHA384": SHA384}[hash]
		if s.Hash != prf {
			t.Errorf("%v has the hash %s", s, s.Hash.Name)
		}
		if s.MAC != nil {
			mac := map[string]*Hash{"MD5": MD5, "SHA": SHA1, "SHA256": SHA256, "SHA384": SHA384}[hash]
			if s.MAC.Hash != mac || s.MAC.Len != mac.Size || s.MAC.Name != "HMAC-"+mac.Name {
				t.Errorf("%v has the MAC %s of %d bytes", s, s.MAC.Name, s.MAC.Len)
			}
		}
		aead := regexp.MustCompile("GCM|CCM|CHACHA").MatchString(bulk)
		if s.IsAEAD() != aead {
			t.Errorf("%v: IsAEAD is %v", s, s.IsAEAD())
		}
		if forward := kx == "" || strings.Contains(kx, "DH"); s.ForwardSecret() != forward {
			t.Errorf("%v: ForwardSecret is %v", s, s.ForwardSecret())
		}
	}
}

// The versions follow from the name too.
func TestVersions(t *testing.T) {
	for _, s := range All() {
		lowest, highest := wire.SSL30, wire.TLS12
		isPSK := strings.Contains(s.Name, "PSK")
		switch {
		case !strings.Contains(s.Name, "_WITH_"):
			lowest, highest = wire.TLS13, wire.TLS13
		case s.IsAEAD(), s.MAC.Len > 20 && !isPSK:
			lowest = wire.TLS12
		case isPSK, strings.Contains(s.Name, "ECDH"):
			lowest = wire.TLS10
		case strings.Contains(s.Name, "WITH_DES"):
			highest = wire.TLS11
		}
		for _, v := range []wire.Version{wire.SSL20, wire.SSL30, wire.TLS10, wire.TLS11, wire.TLS12, wire.TLS13} {
			if got, want := s.Allows(v), lowest <= v && v <= highest; got != want {
				t.Errorf("%v in %v: %v", s, v, got)
			}
		}
	}
}

// A row's numbers are those of the cipher it builds.
func TestCiphersBuild(t *testing.T) {
	for _, s := range All() {
		c := s.Cipher
		if s.IsAEAD() != (c.AEAD != nil) {
			t.Errorf("%v has the cipher %s and the MAC %v", s, c.Name, s.MAC)
		}
		key, longer := make([]byte, c.KeyLen), make([]byte, c.KeyLen+1)
		want := Cipher{Name: c.Name, KeyLen: c.KeyLen, Bits: 8 * c.KeyLen, AEAD: c.AEAD, Block: c.Block, Stream: c.Stream}
		var err, tooLong error
		switch {
		case c.AEAD != nil:
			var a cipher.AEAD
			a, err = c.AEAD(key)
			_, tooLong = c.AEAD(longer)
			want.TagLen = a.Overhead()
			if want.FixedIVLen = a.NonceSize(); c.ExplicitNonceLen > 0 {
				want.FixedIVLen, want.ExplicitNonceLen = 4, a.NonceSize()-4
			}
		case c.Block != nil:
			var b cipher.Block
			b, err = c.Block(key)
			_, tooLong = c.Block(longer)
			want.BlockLen, want.ExplicitNonceLen = b.BlockSize(), b.BlockSize()
			want.Bits = cmp.Or(map[int]int{8: 56, 24: 112}[c.KeyLen], want.Bits)
		case c.Stream != nil:
			_, err = c.Stream(key)
			_, tooLong = c.Stream(longer)
		default:
			tooLong = errors.New("NULL takes no key")
		}
		if err != nil || tooLong == nil || fmt.Sprintf("%+v", *c) != fmt.Sprintf("%+v", want) {
			t.Errorf("%v: %+v, want %+v; errors %v and %v", s, *c, want, err, tooLong)
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
			if name == "" {
				continue
			}
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

// What is a default has forward secrecy, an AEAD with a whole tag, a certificate,
// and elliptic curves; what is not says why.
func TestDefaults(t *testing.T) {
	sound := regexp.MustCompile("^TLS_(ECDHE_(RSA|ECDSA)_WITH_)?(AES_[0-9]+_GCM|CHACHA20)")
	for _, s := range All() {
		if s.Default != sound.MatchString(s.Name) {
			t.Errorf("%v: Default is %v", s, s.Default)
		}
		if s.Default == (s.WhyNot != "") || s.Default && len(s.Switches) > 0 {
			t.Errorf("%v: Default is %v, WhyNot is %q, and it needs %v", s, s.Default, s.WhyNot, s.Switches)
		}
	}
}

// What is dangerous needs every switch that its parts do, and says for each why.
func TestSwitches(t *testing.T) {
	for _, s := range All() {
		var want []string
		for _, c := range []struct{ name, part, attack string }{
			{"NullCiphers", "_NULL", "nothing is encrypted"}, {"Anonymous", "anon", "can be the peer"}, {"DES", "WITH_DES", "56 bits"},
			{"RC4", "RC4", "NOMORE"}, {"TripleDES", "3DES", "Sweet32"}, {"MD5", "MD5", "MD5"}, {"RSAKeyExchange", "TLS_RSA_", "Bleichenbacher"},
		} {
			if !strings.Contains(s.Name, c.part) {
				continue
			}
			if want = append(want, c.name); !strings.Contains(s.WhyNot, c.attack) {
				t.Errorf("%v: %q does not say %q", s, s.WhyNot, c.attack)
			}
		}
		if !slices.Equal(s.Switches, want) {
			t.Errorf("%v needs the switches %v, want %v", s, s.Switches, want)
		}
	}
	if s := ByName("ADH-RC4-MD5"); strings.Count(s.WhyNot, "; ") != 2 {
		t.Errorf("%v: %s", s, s.WhyNot)
	}
}

// rank orders suites as All says, the strongest highest.
func rank(s *Suite) int {
	n := 0
	for _, good := range []bool{
		s.Cipher != null,
		s.Auth != AuthAnon,
		s.Cipher.Bits >= 128 && s.Cipher != rc4128,
		s.ForwardSecret() || s.Cipher == null, // which has no past to read
		s.IsAEAD() && s.Cipher.TagLen == 16,
		s.IsAEAD(),
	} {
		n *= 2
		if good {
			n++
		}
	}
	return n
}

func TestOrder(t *testing.T) {
	all := All()
	for i, s := range all[1:] {
		if rank(all[i]) < rank(s) {
			t.Errorf("%v stands before %v", all[i], s)
		}
	}
	all[0] = nil
	if All()[0] == nil {
		t.Error("All hands out the table itself")
	}
}
