package explain

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// The values that RFC 8448 publishes: what explain shows is not only consistent
// with itself.
func TestPublishedSecrets(t *testing.T) {
	c := collect(t, readTape(t, "rfc8448-simple.txt"), nil).Connection(About{})
	for name, want := range map[string]string{
		"handshake_secret":                    "1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac",
		"server_handshake_traffic_secret":     "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38",
		"client_application_traffic_secret_0": "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5",
		"resumption_psk":                      "4ecd0eb6ec3b4d87f5d6028f922ca4c5851a277fd41311c9e62d2c9492e1c4f3",
	} {
		if s := c.handshakes[0].latest[name]; s == nil || s.Value.String() != want {
			t.Errorf("%s is %v, RFC 8448 says %s", name, s, want)
		} else if s.Check.Result != Agrees {
			t.Errorf("%s: %s", name, s.Check.What)
		}
	}
	if got, want := c.Checks, (Checks{Secrets: 16, Keys: 4, Records: 7, Proofs: 3, Failures: []string{}}); !equalChecks(got, want) {
		t.Errorf("checks are %+v, want %+v", got, want)
	}
}

func equalChecks(a, b Checks) bool {
	return slices.Equal(a.Failures, b.Failures) && a.Secrets == b.Secrets && a.Keys == b.Keys && a.Records == b.Records && a.Proofs == b.Proofs
}

func flip(b []byte) []byte {
	b = bytes.Clone(b)
	b[len(b)-1] ^= 1
	return b
}

// Each check must be able to fail: one byte is changed in one event, and the
// account must say so, about that very thing.
func TestEveryCheckCanFail(t *testing.T) {
	secrets := []string{"early_secret", "derived_early", "handshake_secret", "client_handshake_traffic_secret",
		"server_handshake_traffic_secret", "client_finished_key", "server_finished_key", "client_verify_data", "server_verify_data",
		"derived_handshake", "master_secret", "client_application_traffic_secret_0", "server_application_traffic_secret_0",
		"exporter_master_secret", "resumption_master_secret", "resumption_psk"}
	type tamper struct {
		name  string
		alter func(any) any
		want  string // the start of a failure
	}
	var tampers []tamper
	onSecret := func(name string, f func(*trace.Secret)) func(any) any {
		return func(e any) any {
			if s, ok := e.(trace.Secret); ok && s.Name == name {
				f(&s)
				return s
			}
			return e
		}
	}
	for _, name := range secrets {
		tampers = append(tampers, tamper{name + " value", onSecret(name, func(s *trace.Secret) { s.Value = flip(s.Value) }), name + ": "})
		tampers = append(tampers, tamper{name + " input", onSecret(name, func(s *trace.Secret) {
			if len(s.Input) > 0 && s.From != "shared_secret" {
				s.Input = flip(s.Input)
			} else {
				s.Value = s.Value[1:]
			}
		}), name + ": "})
	}
	tampers = append(tampers,
		tamper{"label", onSecret("exporter_master_secret", func(s *trace.Secret) { s.Label = "exp  master" }), "exporter_master_secret: its label"},
		tamper{"parent", onSecret("exporter_master_secret", func(s *trace.Secret) { s.From = "handshake_secret" }), "exporter_master_secret: it is made from"},
		tamper{"nonce", onSecret("resumption_psk", func(s *trace.Secret) { s.Input = flip(s.Input) }), "resumption_psk: no ticket on the wire"},
		tamper{"hash", onSecret("exporter_master_secret", func(s *trace.Secret) { s.Hash = "SHA-3" }), "exporter_master_secret: cannot be re-derived"},
		tamper{"input to the shared secret", onSecret("shared_secret", func(s *trace.Secret) { s.Value = flip(s.Value) }), "handshake_secret: re-derived"},
		tamper{"key", onKeys(func(k *trace.Keys) { k.Key = flip(k.Key) }), "keys of the"},
		tamper{"iv", onKeys(func(k *trace.Keys) { k.IV = flip(k.IV) }), "keys of the"},
		tamper{"secret of keys", onKeys(func(k *trace.Keys) { k.Secret = "no_secret" }), "keys of the"},
		tamper{"wire", onRecord(func(r *trace.Record) { r.Wire = flip(r.Wire) }), "record "},
		tamper{"plain", onRecord(func(r *trace.Record) { r.Plain = flip(r.Plain) }), "record "},
		tamper{"padding", onRecord(func(r *trace.Record) { r.Padding++ }), "record "},
		tamper{"sequence number", onRecord(func(r *trace.Record) { r.Seq++ }), "record "},
		tamper{"epoch", onRecord(func(r *trace.Record) { r.Epoch = 7 }), "record "},
		tamper{"type", onRecord(func(r *trace.Record) { r.Type = wire.ContentAlert }), "record "},
		tamper{"Finished", onMessage(wire.TypeFinished, flip), "Finished: "},
		tamper{"CertificateVerify", onMessage(wire.TypeCertificateVerify, flip), "CertificateVerify: signature"},
		tamper{"ClientHello", onMessage(wire.TypeClientHello, flip), "ClientHello: bytes: record 1 carries other ones"},
		tamper{"ServerHello", onMessage(wire.TypeServerHello, flip), "client_handshake_traffic_secret: H("},
	)
	tape := readTape(t, "rfc8448-simple.txt")
	for _, x := range tampers {
		t.Run(x.name, func(t *testing.T) {
			c := collect(t, tape, x.alter).Connection(About{})
			if !slices.ContainsFunc(c.Checks.Failures, func(f string) bool { return strings.HasPrefix(f, x.want) }) {
				t.Fatalf("no failure starts with %q: %q", x.want, c.Checks.Failures)
			}
			if out := render(t, c, look{Summary: true}); !strings.Contains(out, "✗") || strings.Contains(out, "all agree") {
				t.Errorf("the summary hides it:\n%s", out)
			}
		})
	}
}

// Whatever an account of a connection says that agrees, it must find out when it
// does not: each value, key, record and proof of all accounts is changed once.
func TestWhatAgreesCanDisagree(t *testing.T) {
	files, err := filepath.Glob("testdata/live-*.json")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			whole, about := replay(t, file)
			sound := whole.Connection(about)
			for i, e := range sound.Events {
				want, changed := "", whole.events[i]
				switch x := changed.what.(type) {
				case trace.Secret:
					if e.Secret.Check.Result == Agrees {
						x.Value, want = flip(x.Value), e.Secret.Name+": "
					}
					changed.what = x
				case trace.Keys:
					if len(x.Key) > 0 {
						x.Key = flip(x.Key)
					} else {
						x.MAC = flip(x.MAC)
					}
					changed.what, want = x, "keys of the "+e.Keys.From
				case trace.Record:
					if e.Record.Check.Result == Agrees {
						x.Wire, want = flip(x.Wire), fmt.Sprintf("record %d: ", e.Record.Number)
					}
					changed.what = x
				case trace.Message:
					if len(e.Message.Checks) > 0 && e.Message.Checks[0].Result == Agrees {
						x.Raw, want = flip(x.Raw), e.Message.Name+": "
					}
					changed.what = x
				}
				if want == "" {
					continue
				}
				events := slices.Clone(whole.events)
				events[i] = changed
				part := Collector{events: events}
				failures := part.Connection(about).Checks.Failures
				if !slices.ContainsFunc(failures, func(f string) bool { return strings.HasPrefix(f, want) }) {
					t.Errorf("event %d: no failure starts with %q: %q", i, want, failures)
				}
			}
		})
	}
}

// A renegotiation that is tied to nothing, or to another handshake, is found out.
func TestTieOfRenegotiation(t *testing.T) {
	whole, about := replay(t, "testdata/live-tls12-renegotiation.json")
	tie := whole.Connection(about).handshakes[0].verifyData(wire.Client)
	for i, e := range whole.events {
		if m, ok := e.what.(trace.Message); ok && m.Raw[0] <= byte(wire.TypeServerHello) && bytes.Contains(m.Raw, tie) {
			m.Raw = bytes.ReplaceAll(m.Raw, tie, flipAll(tie))
			whole.events[i].what = m
		}
	}
	failures := whole.Connection(about).Checks.Failures
	for _, want := range []string{"ClientHello: renegotiation_info: it should be", "ServerHello: renegotiation_info: it should be"} {
		if !slices.ContainsFunc(failures, func(f string) bool { return strings.HasPrefix(f, want) }) {
			t.Errorf("no failure starts with %q: %q", want, failures)
		}
	}
}

// A message that fails its check stands out in the ladder.
func TestFailureInLadder(t *testing.T) {
	c := collect(t, readTape(t, "rfc8448-simple.txt"), onMessage(wire.TypeFinished, flip)).Connection(About{})
	found := 0
	for _, f := range c.Flights {
		for _, r := range f.Rungs {
			if r.Name == "Finished" && r.Mood == Bad && strings.Contains(r.Words, "✗") {
				found++
			}
		}
	}
	if found != 2 {
		t.Errorf("of 2 Finished that are wrong, %d stand out", found)
	}
}

func onKeys(f func(*trace.Keys)) func(any) any {
	return func(e any) any {
		if k, ok := e.(trace.Keys); ok {
			f(&k)
			return k
		}
		return e
	}
}

func onRecord(f func(*trace.Record)) func(any) any {
	return func(e any) any {
		if r, ok := e.(trace.Record); ok && r.Epoch > 0 {
			f(&r)
			return r
		}
		return e
	}
}

func onMessage(typ wire.HandshakeType, f func([]byte) []byte) func(any) any {
	return func(e any) any {
		if m, ok := e.(trace.Message); ok && m.Raw[0] == byte(typ) {
			m.Raw = f(m.Raw)
			return m
		}
		return e
	}
}

// What was not there to check is not counted.
func TestChecksAsASentence(t *testing.T) {
	for want, c := range map[string]Checks{
		"1 secret re-derived, 2 records opened again, 3 proofs verified: all agree": {Secrets: 1, Keys: 1, Records: 2, Proofs: 3},
		"2 secrets re-derived: all agree":                                           {Secrets: 2, Keys: 2},
		"2 keys re-derived: all agree":                                              {Keys: 2},
		"1 proof verified, but 1 check disagrees":                                   {Proofs: 1, Failures: []string{"a"}},
		"nothing agrees: 2 checks disagree":                                         {Failures: []string{"a", "b"}},
	} {
		if got := c.Sentence(); got != want {
			t.Errorf("%+v is %q, want %q", c, got, want)
		}
	}
}
