package interop

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/wire"
)

// testsslVersions are its names of versions.
var testsslVersions = map[string]string{"SSLv2": "SSL 2.0", "SSLv3": "SSL 3.0", "TLS1": "TLS 1.0", "TLS1_1": "TLS 1.1", "TLS1_2": "TLS 1.2", "TLS1_3": "TLS 1.3"}

// testsslWeaknesses are its ids of what scan looks for too, and what scan calls it: any of these findings.
var testsslWeaknesses = map[string]string{
	"heartbleed": "heartbleed", "CCS": "ccs-injection", "ticketbleed": "ticketbleed", "ROBOT": "robot", "CRIME_TLS": "compression",
	"BREACH": "breach", "POODLE_SSL": "ssl3", "fallback_SCSV": "no-fallback-scsv", "SWEET32": "suites-64bit suites-des", "FREAK": "suites-export",
	"DROWN": "ssl2", "BEAST": "beast", "LUCKY13": "suites-cbc", "RC4": "suites-rc4", "secure_renego": "reneg-unannounced reneg-insecure",
	"secure_client_renego": "reneg-client", "LOGJAM": "dh-small suites-export", "LOGJAM-common_primes": "dh-1024",
}

// testsslGroups are its names of groups, which are OpenSSL's.
var testsslGroups = map[string]wire.NamedGroup{
	"prime256v1": wire.GroupP256, "secp384r1": wire.GroupP384, "secp521r1": wire.GroupP521, "X25519": wire.GroupX25519, "X448": wire.GroupX448,
}

// testsslRows are the rows on which both look.
var testsslRows = []string{"openssl: TLS 1.0 to 1.3 in the server's order", "nginx: of yesterday", "NSS: SSL 3.0 to TLS 1.0", "GnuTLS: what it has by itself for TLS 1.3",
	"vitrine: as it is", "vitrine: every door open"}

// Scan and testssl.sh find the same, where they look for the same. It takes some minutes for a server, so it runs where
// VITRINE_TESTSSL is set.
func TestScanAgreesWithTestSSL(t *testing.T) {
	if os.Getenv("VITRINE_TESTSSL") == "" {
		t.Skip("testssl.sh takes minutes: set VITRINE_TESTSSL, and -timeout 60m")
	}
	testssl := programs.Need(t, "testssl", "testssl.sh")
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range scanRows() {
		if !slices.Contains(testsslRows, row.name) {
			continue
		}
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
			defer cancel()
			at, _ := row.open(ctx, t, material)
			r, err := (&scan.Prober{Timeout: 20 * time.Second}).Scan(ctx, at, scan.Options{Roots: material.pool})
			if err != nil {
				t.Fatal(err)
			}
			other, text := runTestSSL(ctx, t, testssl, at)
			ours := ourLines(r)
			for id := range testsslWeaknesses {
				ours[id] = weakBy(r, testsslWeaknesses[id])
			}
			ours["groups"] = listed(groupsOnCurves(r), " ")
			compared := 0
			for name, want := range other {
				if ours[name] == want {
					compared++
					continue
				}
				d := differenceAt("testssl.sh", row.name, name)
				if d == nil {
					t.Errorf("%s\n  scan says       %s\n  testssl.sh says %s", name, ours[name], want)
					continue
				}
				d.prove(ctx, t, at)
			}
			if compared < 10 {
				t.Errorf("only %d lines are the same: %v\n%s", compared, other, text)
			}
		})
	}
}

// runTestSSL returns what testssl.sh says, by the names of ours, and all that it writes.
func runTestSSL(ctx context.Context, t *testing.T, testssl string, at scan.Target) (lines map[string]string, text string) {
	t.Helper()
	_, port, err := net.SplitHostPort(at.Address)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "testssl.json")
	cmd := exec.CommandContext(ctx, testssl, "--quiet", "--color", "0", "--warnings", "off", "--ip", "127.0.0.1", "--nodns", "none",
		"-p", "-f", "-U", "--jsonfile", file, "localhost:"+port)
	cmd.Dir = t.TempDir()
	out, _ := cmd.CombinedOutput() // how it ends says what it found
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var all []struct{ ID, Severity, Finding string }
	if err := json.Unmarshal(content, &all); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines = map[string]string{}
	var spoken []string
	for _, f := range all {
		if version, ok := testsslVersions[f.ID]; ok && strings.HasPrefix(f.Finding, "offered") {
			spoken = append(spoken, version)
		}
		if _, ok := testsslWeaknesses[f.ID]; ok && f.Severity != "WARN" {
			lines[f.ID] = "weak"
			if f.Severity == "OK" || f.Severity == "INFO" {
				lines[f.ID] = "not weak"
			}
		}
		if f.ID == "PFS_ECDHE_curves" {
			var names []string
			for _, name := range strings.Fields(f.Finding) {
				names = append(names, scan.GroupName(testsslGroups[name]))
			}
			lines["groups"] = listed(names, " ")
		}
	}
	lines["versions"] = listed(spoken, " ")
	return lines, string(out)
}

// weakBy says whether a scan has one of some findings.
func weakBy(r *scan.Report, ids string) string {
	if slices.ContainsFunc(r.Findings, func(f scan.Finding) bool { return slices.Contains(strings.Fields(ids), f.ID) }) {
		return "weak"
	}
	return "not weak"
}

// groupsOnCurves are those of all versions, without finite fields.
func groupsOnCurves(r *scan.Report) (names []string) {
	for _, version := range []string{"TLS 1.3", "TLS 1.2"} {
		for _, name := range scanGroups(r, version) {
			if !strings.HasPrefix(name, "ffdhe") && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}
