package interop

import (
	"context"
	"encoding/xml"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/wire"
)

// theirScan is what sslscan writes, as far as it tests what scan tests.
type theirScan struct {
	Protocols []struct {
		Type    string `xml:"type,attr"`
		Version string `xml:"version,attr"`
		Enabled string `xml:"enabled,attr"`
	} `xml:"ssltest>protocol"`
	Heartbleed []struct {
		Vulnerable string `xml:"vulnerable,attr"`
	} `xml:"ssltest>heartbleed"`
	Suites []struct {
		Version string `xml:"sslversion,attr"`
		ID      string `xml:"id,attr"`
	} `xml:"ssltest>cipher"`
	Groups []struct {
		Version string `xml:"sslversion,attr"`
		ID      string `xml:"id,attr"`
	} `xml:"ssltest>group"`
	Certificates []struct {
		Subject string `xml:"subject"`
		Key     struct {
			Type string `xml:"type,attr"`
			Bits string `xml:"bits,attr"`
		} `xml:"pk"`
	} `xml:"ssltest>certificates>certificate"`
}

// sslscanNames are its names of versions.
var sslscanNames = map[string]string{"tls1.3": "TLS 1.3", "tls1.2": "TLS 1.2", "tls1.1": "TLS 1.1", "tls1.0": "TLS 1.0", "ssl3": "SSL 3.0", "ssl2": "SSL 2.0",
	"TLSv1.3": "TLS 1.3", "TLSv1.2": "TLS 1.2", "TLSv1.1": "TLS 1.1", "TLSv1.0": "TLS 1.0", "SSLv3": "SSL 3.0"}

// agreeing are the rows on which both look, by how their names begin.
var agreeing = []string{"openssl: as installed", "openssl: TLS 1.0 to 1.3", "openssl: nothing encrypted", "openssl: NULL, ARIA", "openssl: TLS 1.3 alone",
	"openssl: brainpool", "nginx: intermediate", "nginx: of yesterday", "Apache: in", "HAProxy: TLS 1.0", "GnuTLS: TLS 1.0", "GnuTLS: what", "NSS: TLS 1.2",
	"Node: TLS 1.2", "crypto/tls: as", "vitrine: as", "stunnel: TLS 1.2"}

// Scan and sslscan find the same, where they look for the same.
func TestScanAgreesWithSSLScan(t *testing.T) {
	sslscan := programs.Need(t, "sslscan", "sslscan")
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range scanRows() {
		if !slices.ContainsFunc(agreeing, func(name string) bool { return strings.HasPrefix(row.name, name) }) {
			continue
		}
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			at, _ := row.open(ctx, t, material)
			out, err := exec.CommandContext(ctx, sslscan, "--no-colour", "--sni-name="+serverName, "--xml=-", at.Address).Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var theirs theirScan
			if err := xml.Unmarshal(out, &theirs); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			r, err := (&scan.Prober{Timeout: 20 * time.Second}).Scan(ctx, at, scan.Options{Roots: material.pool, ConfigurationOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			ours, other := ourLines(r), theirs.lines()
			for name, want := range other {
				d := differenceAt("sslscan", row.name, name)
				switch {
				case ours[name] != want && d == nil:
					t.Errorf("%s\n  scan says    %s\n  sslscan says %s", name, ours[name], want)
				case d == nil:
				case ours[name] == want: // on a quiet machine it misses less
					t.Logf("%s: both agree this time, though else %s", name, d.why)
				default:
					d.prove(ctx, t, at)
				}
			}
			if len(other) == 0 || other["versions"] == "" {
				t.Errorf("sslscan says nothing:\n%s", out)
			}
		})
	}
}

// ourLines are what both look for.
func ourLines(r *scan.Report) map[string]string {
	lines := map[string]string{}
	var spoken []string
	for _, v := range r.Versions {
		if !v.Offered {
			continue
		}
		spoken = append(spoken, v.Version)
		var suites []string
		for _, s := range v.Suites {
			suites = append(suites, s.Name)
		}
		lines["suites of "+v.Version] = listed(suites, " ")
		lines["groups of "+v.Version] = strings.Join(scanGroups(r, v.Version), " ")
	}
	lines["versions"] = listed(spoken, " ")
	var bits []string
	for _, c := range r.Chains {
		bits = append(bits, strings.TrimSuffix(strings.TrimPrefix(c.Key, "RSA, "), " bits"))
	}
	lines["key"] = listed(bits, " ")
	return lines
}

func (s theirScan) lines() map[string]string {
	lines := map[string]string{}
	var spoken, bits []string
	suites, groups := map[string][]string{}, map[string][]string{}
	for _, p := range s.Protocols {
		if p.Enabled == "1" {
			spoken = append(spoken, sslscanNames[p.Type+p.Version])
		}
	}
	for _, of := range s.Suites {
		suites[sslscanNames[of.Version]] = append(suites[sslscanNames[of.Version]], scan.SuiteName(wire.CipherSuite(hexNumber(of.ID))))
	}
	for _, of := range s.Groups {
		groups[sslscanNames[of.Version]] = append(groups[sslscanNames[of.Version]], scan.GroupName(wire.NamedGroup(hexNumber(of.ID))))
	}
	for v, names := range suites {
		lines["suites of "+v] = listed(names, " ")
	}
	for v, names := range groups {
		lines["groups of "+v] = listed(names, " ")
	}
	for _, c := range s.Certificates {
		if c.Key.Type == "RSA" { // of a curve it says the strength, scan the name
			bits = append(bits, c.Key.Bits)
		}
	}
	lines["versions"] = listed(spoken, " ")
	if len(bits) > 0 {
		lines["key"] = listed(bits, " ")
	}
	return lines
}

func hexNumber(s string) uint64 {
	n, _ := strconv.ParseUint(s, 0, 16) // what is none is no name that scan knows
	return n
}
