package rogue

import (
	"slices"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/wire"
)

func TestMain(m *testing.M) { leak.Main(m) }

// The flows run as they should when nobody misbehaves.
func TestHonest(t *testing.T) {
	for _, f := range Flows {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			s, err := NewStage(f)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				r, err := s.Honest()
				if err != nil {
					t.Fatal(err)
				}
				t.Log(r.Units, r.Bytes)
			}
		})
	}
}

// most is how many deviations of a kind are tried in a flow; interop/soak tries all.
const most = 12

// No deviation makes anybody complete a handshake that is not one.
func TestDeviations(t *testing.T) {
	c := Campaign{Flows: Flows, Kinds: Kinds, Most: most, Patience: 30 * time.Second}
	report, err := c.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range Kinds {
		if report.Played[k.Name] == 0 {
			t.Errorf("%s: none was played", k.Name)
		}
	}
	for _, v := range report.Violations {
		t.Error(v)
	}
	t.Logf("%d runs in %v, the slowest %v: %v", report.Total(), report.Elapsed, report.Slowest, report.Played)
}

// A rogue that mends is not found out by a Finished or a CertificateVerify: where a
// ClientHello gets one more cipher suite on its way, which means nothing, both sides
// complete, though they have seen different handshakes. Only a binder of TLS 1.3,
// which is not mended, tells.
func TestMending(t *testing.T) {
	for _, f := range Flows {
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel()
			s, err := NewStage(f)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Honest(); err != nil {
				t.Fatal(err)
			}
			d := Deviation{Victim: wire.Server, Mend: true, want: completes, edit: replacing(func(_ int, u Unit) []piece {
				p := u.piece()
				if u.String() == wire.TypeClientHello.String() {
					p.body = withSuite(t, f, p.body)
				}
				return []piece{p}
			})}
			for _, mend := range []bool{true, false} {
				d.Mend = mend
				err := s.Play(d)
				if bound := f.Version == wire.TLS13 && f.resumes; f.further != 0 && f.Version == wire.TLS13 {
					continue // no ClientHello is in what follows the handshake
				} else if (err == nil) != (mend && !bound) {
					t.Errorf("mended %v: %v", mend, err)
				}
			}
		})
	}
}

func withSuite(t *testing.T, f *Flow, hello []byte) []byte {
	c := wire.Context{Version: f.Version, From: wire.Client}
	m, err := wire.DecodeMessage(hello, c, nil)
	if err != nil {
		t.Error(err)
		return hello
	}
	h := m.(*wire.ClientHello)
	h.CipherSuites = append(slices.Clone(h.CipherSuites), 0x6a6a)
	return wire.AppendMessage(nil, h, c)
}
