package record

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// protectedCase is one way to protect records, with keys.
type protectedCase struct {
	name string
	p    Params
}

var versions = []wire.Version{wire.SSL30, wire.TLS10, wire.TLS11, wire.TLS12, wire.TLS13}

// cases are all suites in all versions and modes that the table has.
func cases() []protectedCase {
	var all []protectedCase
	for _, s := range append(suite.All(), legacySuites...) {
		for _, v := range versions {
			if !s.Allows(v) {
				continue
			}
			all = append(all, newCase(s, v, false))
			if s.Cipher.Block != nil && v >= wire.TLS10 {
				all = append(all, newCase(s, v, true))
			}
		}
	}
	return all
}

// distinct is cases with one suite for each cipher and MAC.
func distinct() []protectedCase {
	var all []protectedCase
	seen := map[string]bool{}
	for _, c := range cases() {
		name := c.p.Version.String() + " " + c.p.Suite.Cipher.Name
		if m := c.p.Suite.MAC; m != nil {
			name += " " + m.Name
		}
		if c.p.EncryptThenMAC {
			name += " EtM"
		}
		if !seen[name] {
			seen[name] = true
			all = append(all, protectedCase{name, c.p})
		}
	}
	return all
}

func newCase(s *suite.Suite, v wire.Version, etm bool) protectedCase {
	p := Params{Version: v, Suite: s, EncryptThenMAC: etm, Key: bytesOf("key", s.Cipher.KeyLen), IV: bytesOf("iv", s.Cipher.FixedIVLen)}
	if v <= wire.TLS10 {
		p.IV = bytesOf("iv", s.Cipher.BlockLen)
	}
	if s.MAC != nil {
		p.MAC = bytesOf("mac", s.MAC.Len)
	}
	return protectedCase{fmt.Sprintf("%v %v EtM=%v", v, s, etm), p}
}

// hides reports that c's cipher is not NULL.
func (c protectedCase) hides() bool {
	return c.p.Suite.Cipher.AEAD != nil || c.p.Suite.Cipher.Block != nil || c.p.Suite.Cipher.Stream != nil
}

// bytesOf is n bytes that differ for each label.
func bytesOf(label string, n int) []byte {
	var out []byte
	for i := 0; len(out) < n; i++ {
		sum := sha256.Sum256([]byte(fmt.Sprint(label, i)))
		out = append(out, sum[:]...)
	}
	return out[:n]
}

// keyed is a Half with p's keys.
func keyed(p Params) *Half {
	h := new(Half)
	h.SetKeys(p)
	return h
}

func mustSeal(t testing.TB, h *Half, typ wire.ContentType, content []byte, padding int) []byte {
	t.Helper()
	rec, err := h.Seal(nil, typ, wire.TLS12, content, padding)
	if err != nil {
		t.Fatalf("Seal of %d bytes: %v", len(content), err)
	}
	return rec
}

// wantAlert fails unless err is an *Error with that alert.
func wantAlert(t testing.TB, err error, alert wire.AlertCode) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *Error with %v", err, alert)
	}
	if e.Alert != alert {
		t.Fatalf("got %v (%v), want %v", e.Alert, e, alert)
	}
}

func wantContent(t testing.TB, gotType, wantType wire.ContentType, got, want []byte) {
	t.Helper()
	if gotType != wantType || !bytes.Equal(got, want) {
		t.Fatalf("opened %v, %d bytes %.20x...; want %v, %d bytes %.20x...", gotType, len(got), got, wantType, len(want), want)
	}
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		panic(err)
	}
	return b
}
