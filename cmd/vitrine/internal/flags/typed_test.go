package flags

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// Names are understood as people type them.
func TestVersionsAsTyped(t *testing.T) {
	for want, names := range map[wire.Version][]string{
		wire.SSL30: {"ssl3.0", "SSLv3", "ssl3", "3.0", "SSL 3.0"},
		wire.TLS10: {"tls1.0", "TLSv1", "tls1", "1.0", "tls10", "tls1_0"},
		wire.TLS11: {"tls1.1", "TLSv1.1", "1.1", "tls1_1"},
		wire.TLS12: {"tls1.2", "TLSv1.2", "1.2", "tls12", "TLS 1.2"},
		wire.TLS13: {"tls1.3", "TLSv1.3", "1.3", "tls13", "tls-1.3"},
		0:          {"", "1", "2", "ssl2", "tls1.4", "tls", "v", "ssl1.2", "1.22"},
	} {
		for _, name := range names {
			got, err := ParseVersion("min", name)
			if got != want || want == 0 && report.ExitCode(err) != report.ExitUsage {
				t.Errorf("ParseVersion(%q) = %v, %v; want %v", name, got, err, want)
			}
		}
	}
}

func TestListsAsTyped(t *testing.T) {
	f := TLS{
		Suites: []string{"AES128-SHA:TLS_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-SHA"},
		groups: []string{"nistp256:P-384", "secp521r1", "PRIME256v1", "x25519mlkem768", "X448"}, schemes: []string{"ed448:rsa_pss_pss_sha256", "RSA-PKCS1-SHA1"}, legacy: []string{"all"}, prefer: "server",
	}
	var config tls.Config
	if err := f.Apply(&config); err != nil {
		t.Fatal(err)
	}
	if want := []uint16{0x2f, 0x1301, 0xc013}; !slices.Equal(config.CipherSuites, want) {
		t.Errorf("suites %#x, want %#x", config.CipherSuites, want)
	}
	if want := []tls.CurveID{23, 24, 25, 23, 0x11ec, 0x1e}; !slices.Equal(config.CurvePreferences, want) {
		t.Errorf("groups %v, want %v", config.CurvePreferences, want)
	}
	if want := []tls.SignatureScheme{tls.Ed448, tls.PSSKeyWithSHA256, tls.PKCS1WithSHA1}; !slices.Equal(config.SignatureSchemes, want) {
		t.Errorf("schemes %v, want %v", config.SignatureSchemes, want)
	}
}

func TestSchemesAsTyped(t *testing.T) {
	for name, want := range map[string]int{"": 0, "all": 17, "ed25519,all": 18, "mldsa44,ML-DSA-87": 2, "ed449": -1, "rsa_pkcs1_sha1": -1} {
		f := TLS{schemes: strings.FieldsFunc(name, func(r rune) bool { return r == ',' })}
		var config tls.Config
		err := f.Apply(&config)
		if want < 0 && report.ExitCode(err) != report.ExitUsage || want >= 0 && (err != nil || len(config.SignatureSchemes) != want) {
			t.Errorf("--sigalgs %q: %v, %v", name, config.SignatureSchemes, err)
		}
	}
}

func TestTimeoutsAsTyped(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"5": 5 * time.Second, "0.5": time.Second / 2, "300ms": 300 * time.Millisecond, "1m30s": 90 * time.Second, "-1s": -time.Second,
		"": 1, "soon": 1, "5 s": 1, "1e99": 1, "9000h": 1,
	} {
		limit := Timeout{1}
		if err := limit.Set(in); limit.Duration != want || (err != nil) != (want == 1) {
			t.Errorf("%q is %v, %v; want %v", in, limit, err, want)
		}
	}
}
