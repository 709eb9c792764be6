package policy

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/scan"
)

func TestMain(m *testing.M) { leak.Main(m) }

// sound is a report of a server that keeps Mozilla's intermediate policy.
func sound() *scan.Report {
	now := time.Now()
	return &scan.Report{
		Versions: []scan.VersionReport{
			{Version: "TLS 1.3", Offered: true, Suites: []scan.SuiteReport{{Name: "TLS_AES_128_GCM_SHA256"}}},
			{Version: "TLS 1.2", Offered: true, Order: "server", Suites: []scan.SuiteReport{{Name: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}}},
			{Version: "TLS 1.1"},
		},
		Groups: []scan.GroupReport{{Name: "x25519"}},
		DH:     []scan.DHReport{{Bits: 2048}},
		Chains: []scan.ChainReport{{Subject: "CN=example.test", Key: "RSA, 2048 bits", KeyBits: 2048, NotBefore: now, NotAfter: now.Add(90 * 24 * time.Hour), Trusted: true}},
		HTTP:   &scan.HTTPReport{HSTS: "includeSubDomains; max-age=63072000"},
	}
}

// Each rule tells what breaks it, and nothing else.
func TestEachRuleIsKept(t *testing.T) {
	tests := []struct {
		policy, rule string
		change       func(*scan.Report)
	}{
		{"mozilla-intermediate", "", func(*scan.Report) {}},
		{"mozilla-intermediate", "versions", func(r *scan.Report) { r.Versions[2].Offered = true }},
		{"mozilla-intermediate", "require", func(r *scan.Report) { r.Versions[0] = scan.VersionReport{Version: "TLS 1.3"} }},
		{"mozilla-intermediate", "suites", func(r *scan.Report) { r.Versions[1].Suites[0].Name = "TLS_RSA_WITH_AES_128_GCM_SHA256" }},
		{"mozilla-intermediate", "groups", func(r *scan.Report) { r.Groups[0].Name = "secp521r1" }},
		{"mozilla-intermediate", "min_dh_bits", func(r *scan.Report) { r.DH[0].Bits = 1024 }},
		{"mozilla-intermediate", "min_rsa_bits", func(r *scan.Report) { r.Chains[0].KeyBits = 1024 }},
		{"mozilla-intermediate", "min_ec_bits", func(r *scan.Report) { r.Chains[0].Key, r.Chains[0].KeyBits = "ECDSA, P-224", 224 }},
		{"mozilla-intermediate", "max_validity_days", func(r *scan.Report) { r.Chains[0].NotAfter = r.Chains[0].NotAfter.Add(400 * 24 * time.Hour) }},
		{"mozilla-intermediate", "trusted", func(r *scan.Report) { r.Chains[0].Trusted, r.Chains[0].Problem = false, "expired" }},
		{"mozilla-intermediate", "hsts_seconds", func(r *scan.Report) { r.HTTP.HSTS = "max-age=31536000" }},
		{"mozilla-modern", "versions", func(r *scan.Report) { r.Versions[1].Suites = nil }},
		{"bsi-tr-02102", "groups", func(r *scan.Report) { r.Chains[0].KeyBits, r.DH[0].Bits = 3072, 3072 }},
		{"bsi-tr-02102", "min_rsa_bits", func(r *scan.Report) { r.Groups[0].Name, r.DH[0].Bits = "brainpoolP256r1", 3072 }},
		{"nist-800-52r2", "groups", func(*scan.Report) {}},
		{"pci", "forbid", func(r *scan.Report) { r.Findings = []scan.Finding{{ID: "suites-rc4", Title: "RC4"}} }},
		{"pci", "", func(*scan.Report) {}},
	}
	for _, test := range tests {
		p, err := Load(test.policy)
		if err != nil {
			t.Fatal(err)
		}
		r := sound()
		test.change(r)
		all := p.Check(r)
		if test.rule == "" && len(all) > 0 || test.rule != "" && (len(all) != 1 || all[0].Rule != test.rule || all[0].Found == "" || all[0].Allowed == "") {
			t.Errorf("%s, %s: %v", test.policy, test.rule, all)
		}
	}
}

func TestOrderIsJudged(t *testing.T) {
	p, err := Parse([]byte("order: client\nschemes: [rsa_*]"))
	if err != nil {
		t.Fatal(err)
	}
	r := sound()
	r.Schemes = []scan.SchemeReport{{Name: "ecdsa_sha1"}}
	if all := p.Check(r); len(all) != 2 || all[0].Rule != "order" || all[1].Rule != "schemes" {
		t.Errorf("%v", all)
	}
}

// Every policy of the package reads, and says where it is from.
func TestPoliciesHaveASource(t *testing.T) {
	if len(Names()) < 5 {
		t.Errorf("there are %v", Names())
	}
	for _, name := range Names() {
		p, err := Load(name)
		if err != nil || p.Name != name || !strings.HasPrefix(p.Source, "https://") || p.Title == "" {
			t.Errorf("%s: %v, %+v", name, err, p)
		}
	}
}

// What is misspelt is refused, for it would judge nothing.
func TestWhatIsNoPolicyIsRefused(t *testing.T) {
	for _, s := range []string{"", "suits: [a]", "versions: [TLS 1.4]", "order: mine", "suites: ['[']", "- a", "min_rsa_bits: many", "a: &a [*a, *a]", strings.Repeat("#", maxFile+1)} {
		if p, err := Parse([]byte(s)); err == nil {
			t.Errorf("%.20q is read as %+v", s, p)
		}
	}
	if _, err := Load("../policy"); err == nil {
		t.Error("a path is a policy")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("versions: [TLS 1.2]\nsuites: [TLS_*]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := Parse(b); err == nil {
			p.Check(sound())
		}
	})
}

func TestWhatHasChanged(t *testing.T) {
	before, after := sound(), sound()
	if all := Compare(before, after); len(all) > 0 {
		t.Errorf("%v", all)
	}
	before.Findings = []scan.Finding{{ID: "a", Title: "A"}}
	after.Findings = []scan.Finding{{ID: "b", Title: "B"}}
	after.Versions[2].Offered = true
	after.Versions[1].Suites = nil
	after.Groups[0].Name = "secp256r1"
	var words []string
	for _, c := range Compare(before, after) {
		words = append(words, c.What)
		if c.Worse != (c.What == "new finding: B [b]") {
			t.Errorf("%+v", c)
		}
	}
	for _, want := range []string{"new finding: B [b]", "mended: A [a]", "new: TLS 1.1", "gone: TLS 1.2 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "new: group secp256r1", "gone: group x25519"} {
		if !slices.Contains(words, want) {
			t.Errorf("%q is not among %q", want, words)
		}
	}
}
