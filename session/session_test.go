package session

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// full has every field set to something that is not its zero value.
func full() *Session {
	return &Session{
		Version: wire.TLS13, Suite: wire.TLS_AES_128_GCM_SHA256, Secret: []byte("top-secret-value"),
		ExtendedMasterSecret: true, EncryptThenMAC: true, ALPN: "h2", ServerName: "example.com",
		Group: wire.GroupX25519, SignatureScheme: wire.Ed25519,
		CreatedAt: time.UnixMilli(1_700_000_000_123), Lifetime: 36*time.Hour + 5*time.Millisecond,
		AgeAdd: 0xdeadbeef, MaxEarlyData: 1 << 14,
		PeerChain: [][]byte{{1, 2, 3}, {4}}, OCSP: []byte("ocsp"), IssuerOCSP: [][]byte{nil, []byte("of a root")}, SCTs: [][]byte{{5, 6}},
		Extra: [][]byte{[]byte("extra"), nil}, Binding: Binding([]byte("host")),
		PSK:       &PSK{Identity: []byte("client 1"), Hint: []byte("which?"), Digest: Binding([]byte("key"))},
		Delegated: []byte("for a day"),
	}
}

func mustAppend(t testing.TB, s *Session) []byte {
	t.Helper()
	b, err := s.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBlobRoundTrip(t *testing.T) {
	v := reflect.ValueOf(*full())
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; name == "PeerKey" {
			continue // which comes in place of PeerChain, below
		}
		if v.Field(i).IsZero() {
			t.Errorf("the test leaves %s at zero, so it proves nothing about it", v.Type().Field(i).Name)
		}
	}
	for name, s := range map[string]*Session{
		"full":    full(),
		"raw key": {Secret: []byte{1}, CreatedAt: time.UnixMilli(0), PeerKey: []byte("a key")},
		"minimal": {Secret: []byte{1}, CreatedAt: time.UnixMilli(0)},
		"before 1970": {Secret: []byte{1}, CreatedAt: time.UnixMilli(-5),
			Lifetime: time.Duration(maxLifetime) * time.Millisecond},
		"earliest":                {Secret: []byte{1}, CreatedAt: time.UnixMilli(-maxCreated - 1)},
		"latest":                  {Secret: []byte{1}, CreatedAt: time.UnixMilli(maxCreated)},
		"of a key without a name": {Secret: []byte{1}, CreatedAt: time.UnixMilli(0), PSK: new(PSK)},
	} {
		if b := mustAppend(t, s); s.blobLen() != len(b) {
			t.Errorf("%s: %d bytes were foreseen, and there are %d", name, s.blobLen(), len(b))
		}
		got, err := Parse(mustAppend(t, s))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(got, s) {
			t.Errorf("%s: got %#v\nwant %#v", name, *got, *s)
		}
	}
}

// A Session may be read into again and again: nothing of the one before is left, and
// nothing is allocated for one of the same names.
func TestParseAgain(t *testing.T) {
	detailed := mustAppend(t, full())
	plain := full()
	plain.PeerChain, plain.OCSP, plain.IssuerOCSP, plain.SCTs, plain.Extra, plain.PSK = nil, nil, nil, nil, nil, nil
	other := &Session{Secret: []byte{1}, CreatedAt: time.UnixMilli(0), ServerName: "example.org"}
	again := new(Session)
	for _, want := range []*Session{full(), plain, other, full()} {
		if err := again.Parse(mustAppend(t, want)); err != nil || !reflect.DeepEqual(again, want) {
			t.Errorf("%v: got %#v\nwant %#v", err, *again, *want)
		}
	}
	if again.Parse(detailed[:len(detailed)-1]) == nil {
		t.Error("a blob that is cut is read")
	}
	blob := mustAppend(t, plain)
	if n := testing.AllocsPerRun(10, func() { again.Parse(blob) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestBlobAppendsAfterPrefix(t *testing.T) {
	b, err := full().Append([]byte("prefix"))
	if err != nil {
		t.Fatal(err)
	}
	if want := append([]byte("prefix"), mustAppend(t, full())...); !bytes.Equal(b, want) {
		t.Errorf("Append to a prefix gave %x, want %x", b, want)
	}
}

// TestBlobGolden pins format 3: servers of two releases share stores and ticket
// keys, so a change here needs a new format number.
func TestBlobGolden(t *testing.T) {
	s := &Session{
		Version: wire.TLS12, Suite: wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, Secret: []byte{0xaa, 0xbb},
		ExtendedMasterSecret: true, ALPN: "h2", ServerName: "a.b", Group: wire.GroupP256,
		SignatureScheme: wire.RSAPSSRSAESHA256, CreatedAt: time.UnixMilli(0x0102030405), Lifetime: 3 * time.Second,
		AgeAdd: 7, MaxEarlyData: 8,
	}
	const front = "03" + "003d" + "0303" + "c02f"
	const terms = "0017" + "0804" + "0000000000000bb8" + "00000008" +
		"0000000000000000000000000000000000000000000000000000000000000000" + "026832" + "0003612e62"
	const own = "000102030405" + "00000007" + "02aabb"
	if got, want := fmt.Sprintf("%x", mustAppend(t, s)), front+"01"+terms+own; got != want {
		t.Errorf("blob changed:\n got %s\nwant %s", got, want)
	}
	s.PeerChain, s.OCSP, s.IssuerOCSP, s.SCTs, s.Extra = [][]byte{{9}}, []byte{10}, [][]byte{nil, {13}}, [][]byte{{11}}, [][]byte{{12}}
	const details = "00000400000109" + "0000010a" + "000007" + "000000" + "0000010d" + "000300010b" + "0000040000010c"
	if got, want := fmt.Sprintf("%x", mustAppend(t, s)), front+"05"+terms+own+details; got != want {
		t.Errorf("blob with details changed:\n got %s\nwant %s", got, want)
	}
}

// What differs between two sessions of one host stands behind their terms.
func TestSharedPrefix(t *testing.T) {
	one, two := full(), full()
	two.Secret, two.CreatedAt, two.AgeAdd, two.PeerChain = []byte("other"), time.UnixMilli(7), 7, nil
	a, b := mustAppend(t, one), mustAppend(t, two)
	n := sharedPrefix(a)
	if n < blobHead+61 || n != sharedPrefix(b) || !bytes.Equal(a[:n], b[:n]) {
		t.Errorf("terms of %d and %d bytes:\n%x\n%x", n, sharedPrefix(b), a, b)
	}
	for name, b := range map[string][]byte{
		"empty": nil, "short": {3, 0}, "other format": {2, 0, 0}, "terms cut short": {3, 0, 1},
	} {
		if n := sharedPrefix(b); n != 0 {
			t.Errorf("%s: %d", name, n)
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	for want, change := range map[string]func(*Session){
		"no secret":                func(s *Session) { s.Secret = nil },
		"secret of 256 bytes":      func(s *Session) { s.Secret = make([]byte, 256) },
		"alpn of 256 bytes":        func(s *Session) { s.ALPN = strings.Repeat("x", 256) },
		"server_name of 65536":     func(s *Session) { s.ServerName = strings.Repeat("x", 1<<16) },
		"server_name of 65500":     func(s *Session) { s.ServerName = strings.Repeat("x", 65500) }, // with the other terms
		"negative lifetime":        func(s *Session) { s.Lifetime = -1 },
		"in the year 6429":         func(s *Session) { s.CreatedAt = time.UnixMilli(maxCreated + 1) },
		"17 certificates":          func(s *Session) { s.PeerChain = make([][]byte, 17) },
		"16 OCSP responses":        func(s *Session) { s.IssuerOCSP = make([][]byte, 16) },
		"empty item in peer_chain": func(s *Session) { s.PeerChain = [][]byte{{}} },
		"empty item in scts":       func(s *Session) { s.SCTs = [][]byte{{}} },
		"scts of 65536 bytes":      func(s *Session) { s.SCTs = [][]byte{make([]byte, 1<<16-2)} },
		"blob of":                  func(s *Session) { s.Extra = [][]byte{make([]byte, maxBlob)} },
	} {
		s := full()
		change(s)
		if b, err := s.Append(nil); b != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v and %d bytes", want, err, len(b))
		}
	}
}

func TestParseRefuses(t *testing.T) {
	good := mustAppend(t, full())
	for n := range good {
		if _, err := Parse(good[:n]); err == nil {
			t.Errorf("a blob cut to %d of %d bytes was accepted", n, len(good))
		}
	}
	with := func(at int, v ...byte) []byte {
		b := bytes.Clone(good)
		copy(b[at:], v)
		return b
	}
	chain := func(n int) []byte { // a blob with n certificates in it
		b := mustAppend(t, &Session{Secret: []byte{1}, OCSP: []byte{2}})
		at := len(b) - 3 - 2 - 3 - 4 - 3 // extra, scts, issuer_ocsp, ocsp, peer_chain
		certs := bytes.Repeat([]byte{0, 0, 1, 0xff}, n)
		return bytes.Join([][]byte{b[:at], {0, 0, byte(len(certs))}, certs, b[at+3:]}, nil)
	}
	issuers := func(n int) []byte { // a blob with n staples of issuers in it
		b := mustAppend(t, &Session{Secret: []byte{1}, OCSP: []byte{2}})
		at := len(b) - 3 - 2 - 3 // extra, scts, issuer_ocsp
		return bytes.Join([][]byte{b[:at], {0, 0, byte(3 * n)}, make([]byte, 3*n), b[at+3:]}, nil)
	}
	if s, err := Parse(issuers(maxChain - 1)); err != nil || len(s.IssuerOCSP) != maxChain-1 {
		t.Errorf("15 staples of issuers: %v", err)
	}
	bare := mustAppend(t, &Session{Secret: []byte{1}})
	bare[7] |= flagDetails
	wide := mustAppend(t, &Session{Secret: []byte{1}, ServerName: "x"})
	wide[len(wide)-14]-- // server_name's length, with its last byte left over
	if _, err := Parse(chain(maxChain)); err != nil {
		t.Errorf("16 certificates: %v", err)
	}
	for want, b := range map[string][]byte{
		"format 0":                with(0, 0),
		"format 2":                with(0, 2),
		"format 4":                with(0, 4),
		"unknown flags 0x5f":      with(7, 0x5f),
		"2 raw public keys":       with(7, 31),
		"details that it has not": func() []byte { b := bytes.Clone(bare); b[7] = flagRawKey; return b }(),
		"lifetime in the blob":    with(12, 0xff),
		"details in the blob":     append(bare, make([]byte, 3+3+3+2+3)...),
		"1 bytes after the end":   wide,
		"1 bytes after the blob":  append(bytes.Clone(good), 0),
		"17 certificates":         chain(maxChain + 1),
		"16 OCSP responses":       issuers(maxChain),
		"blob ends inside":        {},
		"at most 1048576":         make([]byte, maxBlob+1),
		"secret is empty":         with(blobHead+69+10, 0),
		"peer_chain is empty in":  bytes.Replace(good, []byte{0, 0, 3, 1, 2, 3}, []byte{0, 0, 0, 0, 0, 0}, 1),
	} {
		if s, err := Parse(b); s != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

func TestNoSecretIsPrinted(t *testing.T) {
	s := full()
	s.Secret = []byte{0x5e, 0xc2, 0xe7}
	keys := NewTicketKeys(nil)
	keys.Set([][32]byte{{0x5e, 0xc2, 0xe7}})
	var out strings.Builder
	for _, v := range []any{s, *s, []*Session{s}, keys} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("text", "value", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("json", "value", v)
		j, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(j)
	}
	for _, form := range []string{"5ec2e7", "5e c2 e7", "94 194 231", "0x5e", "0x5E", "XsLn", "\x5e\xc2\xe7"} {
		if strings.Contains(out.String(), form) {
			t.Errorf("the secret was printed as %q in:\n%s", form, out.String())
		}
	}
	if !strings.Contains(s.String(), `TLS 1.3 TLS_AES_128_GCM_SHA256 for "example.com"`) {
		t.Errorf("String does not say what the session is: %s", s)
	}
}

func TestBinding(t *testing.T) {
	sums := map[[32]byte]string{}
	for name, parts := range map[string][][]byte{
		"nothing": nil, "one empty": {{}}, "two empty": {{}, {}},
		"ab|c": {[]byte("ab"), []byte("c")}, "a|bc": {[]byte("a"), []byte("bc")}, "abc": {[]byte("abc")},
	} {
		sum := Binding(parts...)
		if other, ok := sums[sum]; ok {
			t.Errorf("%q and %q have the same binding", name, other)
		}
		sums[sum] = name
		if sum != Binding(parts...) {
			t.Errorf("%q has two bindings", name)
		}
	}
}

func TestExpiry(t *testing.T) {
	s := full()
	if got := s.Expiry(); !got.Equal(s.CreatedAt.Add(s.Lifetime)) {
		t.Errorf("Expiry is %v", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(mustAppend(f, full()))
	f.Add(mustAppend(f, &Session{Secret: []byte{1}}))
	f.Add(mustAppend(f, &Session{Secret: []byte{1}, Extra: [][]byte{nil}}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Parse(b)
		if err != nil {
			return
		}
		if got := mustAppend(t, s); !bytes.Equal(got, b) {
			t.Errorf("parse then append changed the blob:\n got %x\nfrom %x", got, b)
		}
	})
}
