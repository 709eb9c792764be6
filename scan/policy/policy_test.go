package policy

import (
	"os"
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
		{"mozilla-intermediate", "certificate_keys", func(r *scan.Report) { r.Chains[0].Key, r.Chains[0].KeyBits = "ECDSA, P-521", 521 }},
		{"mozilla-intermediate", "max_validity_days", func(r *scan.Report) { r.Chains[0].NotAfter = r.Chains[0].NotAfter.Add(400 * 24 * time.Hour) }},
		{"mozilla-intermediate", "trusted", func(r *scan.Report) { r.Chains[0].Trusted, r.Chains[0].Problem = false, "expired" }},
		{"mozilla-intermediate", "hsts_seconds", func(r *scan.Report) { r.HTTP.HSTS = "max-age=31536000" }},
		{"mozilla-intermediate", "forbid", func(r *scan.Report) { r.Findings = []scan.Finding{{ID: "signature-sha1", Title: "SHA-1"}} }},
		{"mozilla-modern", "versions", func(r *scan.Report) {
			r.Versions[1].Suites, r.Chains[0].Key, r.Chains[0].KeyBits = nil, "ECDSA, P-256", 256
		}},
		{"mozilla-modern", "certificate_keys", func(r *scan.Report) { r.Versions = r.Versions[:1] }},
		{"pci", "min_ec_bits", func(r *scan.Report) { r.Chains[0].Key, r.Chains[0].KeyBits = "ECDSA, P-192", 192 }},
		{"bsi-tr-02102", "groups", func(r *scan.Report) { r.Chains[0].KeyBits, r.DH[0].Bits = 3072, 3072 }},
		{"bsi-tr-02102", "min_rsa_bits", func(r *scan.Report) { r.Groups[0].Name, r.DH[0].Bits = "brainpoolP256r1", 3072 }},
		{"nist-800-52r2", "groups", func(*scan.Report) {}},
		{"pci", "forbid", func(r *scan.Report) { r.Findings = []scan.Finding{{ID: "suites-rc4", Title: "RC4"}} }},
		{"pci", "", func(*scan.Report) {}},
		{"pci", "", func(r *scan.Report) { r.Versions = r.Versions[:1] }}, // TLS 1.3 alone
		{"pci", "versions", func(r *scan.Report) { r.Versions[2].Offered = true }},
		{"pci", "forbid", func(r *scan.Report) { r.Findings = []scan.Finding{{ID: "group-weak", Title: "curves"}} }},
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

// What stands on either side of each policy's bounds, as its source draws them.
func TestBoundsArePutWhereTheSourceHasThem(t *testing.T) {
	tests := []struct {
		policy     string
		of         func(*Policy) []string
		in, beyond string
	}{
		{"mozilla-modern", suites, "TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256",
			"TLS_AES_128_CCM_SHA256 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
		{"mozilla-modern", keyGroups, "X25519MLKEM768 x25519 secp256r1 secp384r1", "secp521r1 x448 SecP256r1MLKEM768 ffdhe2048"},
		{"mozilla-intermediate", suites, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384 TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
			"TLS_DHE_RSA_WITH_AES_128_GCM_SHA256 TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256 TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256 TLS_RSA_WITH_AES_128_GCM_SHA256 TLS_ECDHE_ECDSA_WITH_AES_128_CCM"},
		{"mozilla-intermediate", keyGroups, "X25519MLKEM768 x25519 secp256r1 secp384r1", "secp521r1 ffdhe2048"},
		{"bsi-tr-02102", suites, "TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 TLS_AES_128_CCM_SHA256 TLS_ECDHE_ECDSA_WITH_AES_128_CCM TLS_ECDHE_ECDSA_WITH_AES_256_CCM " +
			"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256 TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 TLS_DHE_DSS_WITH_AES_256_CBC_SHA256 " +
			"TLS_DHE_DSS_WITH_AES_128_GCM_SHA256 TLS_DHE_RSA_WITH_AES_128_CCM TLS_DHE_RSA_WITH_AES_256_CCM TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",
			"TLS_CHACHA20_POLY1305_SHA256 TLS_AES_128_CCM_8_SHA256 TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8 TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 " +
				"TLS_RSA_WITH_AES_128_GCM_SHA256 TLS_DHE_RSA_WITH_AES_256_CCM_8 TLS_ECDHE_ECDSA_WITH_ARIA_128_GCM_SHA256"},
		{"bsi-tr-02102", keyGroups, "secp256r1 secp384r1 secp521r1 brainpoolP256r1 brainpoolP512r1 brainpoolP384r1tls13 ffdhe3072 ffdhe4096", "x25519 x448 ffdhe2048 secp224r1"},
		{"nist-800-52r2", suites, "TLS_AES_128_CCM_8_SHA256 TLS_AES_256_GCM_SHA384 TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8 TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA TLS_DHE_RSA_WITH_AES_128_CCM_8 TLS_DHE_DSS_WITH_AES_256_CBC_SHA TLS_ECDH_RSA_WITH_AES_256_GCM_SHA384 TLS_DH_DSS_WITH_AES_128_CBC_SHA",
			"TLS_CHACHA20_POLY1305_SHA256 TLS_RSA_WITH_AES_128_GCM_SHA256 TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256 TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA"},
		{"nist-800-52r2", keyGroups, "secp256r1 secp384r1 secp521r1 ffdhe2048 ffdhe8192", "x25519 brainpoolP256r1 secp256k1"},
		{"pci", func(p *Policy) []string { return p.Versions }, "TLS 1.2,TLS 1.3", "TLS 1.1,TLS 1.0,SSL 3.0,SSL 2.0"},
		{"pci", func(p *Policy) []string { return p.Forbid }, "revoked suites-null suites-des group-weak signature-sha1 suites-anon suites-64bit robot ticket-open", "suites-cbc suites-no-forward-secrecy no-hsts tls11 no-tls13"},
		{"mozilla-intermediate", func(p *Policy) []string { return p.CertificateKeys }, "RSA, 2048 bits;ECDSA, P-256;ECDSA, P-384", "ECDSA, P-521;Ed25519;DSA"},
		{"mozilla-modern", func(p *Policy) []string { return p.CertificateKeys }, "ECDSA, P-256;ECDSA, P-384", "RSA, 2048 bits;ECDSA, P-521;Ed25519"},
	}
	for _, test := range tests {
		p, err := Load(test.policy)
		if err != nil {
			t.Fatal(err)
		}
		for want, names := range map[bool]string{true: test.in, false: test.beyond} {
			for _, name := range split(names) {
				if got := allowed(name, test.of(p)); got != want {
					t.Errorf("%s allows %s: %t", test.policy, name, got)
				}
			}
		}
	}
}

func suites(p *Policy) []string    { return p.Suites }
func keyGroups(p *Policy) []string { return p.Groups }

// split parts a list at what it has of ";", "," and " ", in this order.
func split(list string) []string {
	for _, at := range []string{";", ","} {
		if strings.Contains(list, at) {
			return strings.Split(list, at)
		}
	}
	return strings.Fields(list)
}

// The least sizes that each policy allows, in bits, and the age of HSTS, in seconds.
func TestLeastSizes(t *testing.T) {
	for name, want := range map[string][5]int64{
		"mozilla-modern":       {0, 256, 0, 63072000, 90},
		"mozilla-intermediate": {2048, 256, 2048, 63072000, 366},
		"bsi-tr-02102":         {3000, 250, 3000, 0, 0},
		"nist-800-52r2":        {2048, 224, 2048, 0, 1096},
		"pci":                  {2048, 224, 2048, 0, 0},
	} {
		p, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := [5]int64{int64(p.MinRSABits), int64(p.MinECBits), int64(p.MinDHBits), p.HSTSSeconds, int64(p.MaxValidityDays)}; got != want {
			t.Errorf("%s: RSA, EC, DH, HSTS, days are %v, not %v", name, got, want)
		}
	}
}

// docs/scan.md names the edition of each policy.
func TestEditionsAreDocumented(t *testing.T) {
	docs, err := os.ReadFile("../../docs/scan.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Names() {
		if p, err := Load(name); err != nil || !strings.Contains(string(docs), "| `"+name+"` | "+p.Title+" | "+p.Edition+" |") {
			t.Errorf("docs/scan.md does not have %s, %s, %s", name, p.Title, p.Edition)
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
		if err != nil || p.Name != name || !strings.HasPrefix(p.Source, "https://") || p.Title == "" || p.Edition == "" {
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

// What an earlier scan found and a later one did not is mended or gone only where the later one
// asked for it, and was answered.
func TestWhatGotNoAnswerIsNotGone(t *testing.T) {
	const is, group = "A [heartbleed]", "group x25519"
	for name, c := range map[string]struct {
		change func(before, after *scan.Report)
		want   []string // how each change begins
	}{
		"all was answered":                       {func(_, _ *scan.Report) {}, []string{"mended: " + is, "gone: " + group}},
		"many connections got no answer":         {func(_, r *scan.Report) { r.Unanswered, r.Connections = 9, 40 }, []string{"not known: " + is, "not known: " + group}},
		"one probe got no answer":                {func(_, r *scan.Report) { r.NotAnswered = []string{"a group of TLS 1.3"} }, []string{"not known: " + is, "not known: " + group}},
		"one that had none before either":        {func(b, r *scan.Report) { r.NotAnswered = []string{"x"}; b.NotAnswered = r.NotAnswered }, []string{"mended: " + is, "gone: " + group}},
		"a version that was there, and silence":  {func(b, r *scan.Report) { b.Versions[2].Offered = true; r.Versions[2].Answer = "timed out" }, []string{"not known: " + is, "not known: TLS 1.1", "not known: " + group}},
		"a version that was there, and an alert": {func(b, r *scan.Report) { b.Versions[2].Offered = true; r.Versions[2].Answer = "alert protocol_version" }, []string{"mended: " + is, "gone: TLS 1.1", "gone: " + group}},
		"silence at what was not there":          {func(_, r *scan.Report) { r.Versions[2].Answer = "timed out" }, []string{"mended: " + is, "gone: " + group}},
		"the probe ended early": {func(_, r *scan.Report) {
			r.Weaknesses = []scan.Check{{ID: "heartbleed", Unknown: "the probe ended early"}}
		}, []string{"not known: " + is, "gone: " + group}},
		"it was not asked for":              {func(_, r *scan.Report) { r.NotAsked = []string{"heartbleed"} }, []string{"not known: " + is, "gone: " + group}},
		"it was not asked for, as before":   {func(b, r *scan.Report) { r.NotAsked = []string{"heartbleed"}; b.NotAsked = r.NotAsked }, []string{"mended: " + is, "gone: " + group}},
		"the server does not answer at all": {func(_, r *scan.Report) { *r = scan.Report{Failure: "nobody listens"} }, []string{"from an answer to nobody listens"}},
	} {
		before, after := sound(), sound()
		before.Findings, after.Groups = []scan.Finding{{ID: "heartbleed", Title: "A"}}, nil
		c.change(before, after)
		all := Compare(before, after)
		if len(all) != len(c.want) {
			t.Errorf("%s: %+v", name, all)
			continue
		}
		for i, x := range all {
			if !strings.HasPrefix(x.What, c.want[i]) || x.Unknown != strings.HasPrefix(c.want[i], "not known") || x.Worse != (after.Failure != "") {
				t.Errorf("%s: %+v, want %s", name, x, c.want[i])
			}
		}
	}
	// What the earlier scan could not see is a finding all the same.
	before, after := sound(), sound()
	before.Unanswered, after.Findings = 9, []scan.Finding{{ID: "a", Title: "A"}}
	if all := Compare(before, after); len(all) != 1 || !all[0].Worse || all[0].What != "not known before, a finding: A [a]" {
		t.Errorf("%+v", all)
	}
}

// What a policy forbids is something that a scan can find: a name that is misspelt would forbid nothing.
func TestForbiddenFindingsExist(t *testing.T) {
	kinds := scan.Kinds()
	for _, name := range Names() {
		p, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, pattern := range p.Forbid {
			if !slices.ContainsFunc(kinds, func(k scan.FindingKind) bool { return allowed(k.ID, []string{pattern}) }) {
				t.Errorf("%s forbids %s, which is no finding", name, pattern)
			}
		}
	}
}
