package vocabulary

import (
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// What the lists name is found, and no list names one thing twice.
func TestWhatIsListedIsFound(t *testing.T) {
	for _, name := range VersionNames() {
		if v, err := Version(name); err != nil || VersionName(v) != name {
			t.Errorf("%s: %v, %v", name, v, err)
		}
	}
	for _, name := range SuiteNames() {
		if _, err := Suite(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range GroupNames() {
		if id, err := Group(strings.ToLower(name)); err != nil || wire.NamedGroup(id).String() != name {
			t.Errorf("%s: %v, %v", name, id, err)
		}
	}
	for _, name := range SchemeNames() {
		if list, err := Schemes(name); err != nil || len(list) == 0 {
			t.Errorf("%s: %v, %v", name, list, err)
		}
	}
	for _, word := range AllLegacyWords() {
		if err := Legacy(new(tls.Legacy), word); err != nil {
			t.Error(err)
		}
	}
}

func TestWhatIsNotKnownIsRefused(t *testing.T) {
	_, version := Version("tls2")
	_, name := Suite("RC5")
	_, group := Group("p-1")
	_, scheme := Schemes("ed449")
	for _, err := range []error{version, name, group, scheme, Legacy(new(tls.Legacy), "ssl4")} {
		if err == nil || !strings.HasPrefix(err.Error(), `"`) {
			t.Errorf("%v", err)
		}
	}
}

// What is dangerous needs its switches, and all of them.
func TestNeeds(t *testing.T) {
	var all []string
	need := func(why string, fields ...string) { all = append(all, fields...) }
	Needs([]*suite.Suite{suite.ByName("RC4-MD5"), suite.ByName("DHE-DSS-AES128-SHA")}, []tls.SignatureScheme{tls.PKCS1WithSHA1}, wire.SSL30, true, need)
	for _, field := range []string{"RC4", "MD5", "RSAKeyExchange", "DSSSigning", "SHA1Signatures", "SSL30"} {
		if !slices.Contains(all, field) {
			t.Errorf("%s is not needed: %q", field, all)
		}
	}
	if len(Missing(&tls.Legacy{RC4: true}, []string{"RC4", "MD5"})) != 1 {
		t.Error("what is on is missing, or what is off is not")
	}
}
