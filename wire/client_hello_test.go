package wire

import (
	"slices"
	"testing"
)

func FuzzClientHello(f *testing.F) { fuzzMessage(f, TypeClientHello) }

func TestClientHelloFields(t *testing.T) {
	m := decode[*ClientHello](t, "ClientHello", "rfc8448-3")
	if m.LegacyVersion != TLS12 || len(m.Random) != 32 || m.Random[0] != 0xcb || len(m.SessionID) != 0 {
		t.Errorf("version %v, random %x, session ID %x", m.LegacyVersion, m.Random, m.SessionID)
	}
	want := []CipherSuite{TLS_AES_128_GCM_SHA256, TLS_CHACHA20_POLY1305_SHA256, TLS_AES_256_GCM_SHA384}
	if !slices.Equal(m.CipherSuites, want) {
		t.Errorf("suites %v", m.CipherSuites)
	}
	if len(m.CompressionMethods) != 1 || m.CompressionMethods[0] != 0 || m.NoExtensions {
		t.Errorf("compression %v, no extensions %v", m.CompressionMethods, m.NoExtensions)
	}
	if len(m.Extensions) != 9 || m.Extensions[0].Type != ExtServerName || m.Extensions[8].Type != ExtRecordSizeLimit {
		t.Errorf("extensions %v", m.Extensions)
	}
}

// What each real client offers, told from outside: the goldens are theirs.
func TestClientHelloOfRealClients(t *testing.T) {
	for name, want := range map[string]struct {
		host, alpn string
		groups     int
		best       Version
		grease     bool
	}{
		"curl":                {"localhost", "h2", 10, TLS13, false},
		"gnutls":              {"localhost", "", 10, TLS13, false},
		"nss":                 {"localhost", "", 9, TLS13, false},
		"node":                {"localhost", "h2", 10, TLS13, false},
		"chromium":            {"localhost", "h2", 5, TLS13, true},
		"go":                  {"localhost", "h2", 7, TLS13, false},
		"java":                {"", "", 10, TLS13, false},
		"openssl-tls12-ecdsa": {"localhost", "h2", 5, TLS12, false},
		"openssl-tls10":       {"", "", 5, TLS10, false},
	} {
		t.Run(name, func(t *testing.T) {
			m := decode[*ClientHello](t, "ClientHello", name)
			var host, alpn string
			var groups []NamedGroup
			best := []Version{m.LegacyVersion}
			for ext, read := range map[ExtensionType]func(*Reader){
				ExtServerName:        func(r *Reader) { host = ReadServerName(r) },
				ExtALPN:              func(r *Reader) { alpn = string(ReadALPN(r, nil)[0]) },
				ExtSupportedGroups:   func(r *Reader) { groups = ReadSupportedGroups(r, nil) },
				ExtSupportedVersions: func(r *Reader) { best = ReadSupportedVersions(r, best[:0]) },
			} {
				if _, err := m.Extensions.Read(ext, read); err != nil {
					t.Errorf("%v: %v", ext, err)
				}
			}
			grease := slices.ContainsFunc(m.CipherSuites, IsGREASE[CipherSuite])
			best = slices.DeleteFunc(best, IsGREASE[Version])
			if host != want.host || alpn != want.alpn || len(groups) != want.groups || slices.Max(best) != want.best || grease != want.grease {
				t.Errorf("host %q, ALPN %q, groups %v, versions %v, GREASE %v", host, alpn, groups, best, grease)
			}
		})
	}
}

// Old hellos end before the extensions; that is not an empty vector.
func TestClientHelloWithoutExtensions(t *testing.T) {
	m := decode[*ClientHello](t, "ClientHello", "openssl-tls10")
	for _, c := range []struct {
		name string
		none bool
		more int
	}{{"absent", true, 0}, {"empty", false, 2}} {
		m.Extensions, m.NoExtensions = nil, c.none
		raw := AppendMessage(nil, m, Context{})
		var again ClientHello
		if err := Decode(&again, raw[HeaderLen:], Context{}, nil); err != nil {
			t.Fatal(err)
		}
		if again.NoExtensions != c.none || len(again.Extensions) != 0 {
			t.Errorf("%s: no extensions = %v, %d of them", c.name, again.NoExtensions, len(again.Extensions))
		}
		if _, err := checkLaws(t, raw, Context{}); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestReparsingClientHelloAllocatesNothing(t *testing.T) {
	body := helloOf(t, 800)
	var m ClientHello
	parse := func() {
		if err := Decode(&m, body, Context{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	parse()
	if n := testing.AllocsPerRun(100, parse); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// helloOf returns curl's ClientHello, padded to size bytes of body.
func helloOf(t testing.TB, size int) []byte {
	t.Helper()
	m := decode[*ClientHello](t, "ClientHello", "curl")
	m.Extensions = slices.DeleteFunc(m.Extensions, func(x Extension) bool { return x.Type == ExtPadding })
	padding := size - len(m.Append(nil, Context{})) - 4
	m.Extensions = append(m.Extensions, Extension{ExtPadding, make([]byte, padding)})
	return m.Append(nil, Context{})
}

func BenchmarkClientHello(b *testing.B) {
	body := helloOf(b, 800)
	b.Run("parse", func(b *testing.B) {
		var m ClientHello
		b.ReportAllocs()
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			if err := Decode(&m, body, Context{}, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parse-with-spans", func(b *testing.B) {
		var m ClientHello
		b.ReportAllocs()
		for b.Loop() {
			if err := Decode(&m, body, Context{}, new(Recorder)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("append", func(b *testing.B) {
		var m ClientHello
		if err := Decode(&m, body, Context{}, nil); err != nil {
			b.Fatal(err)
		}
		var out []byte
		b.ReportAllocs()
		for b.Loop() {
			out = m.Append(out[:0], Context{})
		}
	})
}
