package vocabulary

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

var wordStart = regexp.MustCompile(`([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])`)

// LegacyWord turns the name of a field of tls.Legacy into a word: RSAKeyExchange into
// rsa-key-exchange.
func LegacyWord(field string) string {
	return strings.ToLower(wordStart.ReplaceAllString(field, "$1$3-$2$4"))
}

// LegacyWords turns names of fields of tls.Legacy into words.
func LegacyWords(fields []string) []string {
	var words []string
	for _, f := range fields {
		words = append(words, LegacyWord(f))
	}
	return words
}

// AllLegacyWords are what Legacy takes.
func AllLegacyWords() []string { return append(LegacyWords(legacyFields()), "all") }

// beyondAll are the switches that the word all leaves alone: they take a protection away,
// and allow nothing that is not possible without them.
var beyondAll = []string{"NoExtendedMasterSecret", "NoEncryptThenMAC", "FallbackSCSV"}

// legacyFields are the switches of tls.Legacy, by their fields' names.
func legacyFields() []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[tls.Legacy]()) {
		names = append(names, f.Name)
	}
	return names
}

// Legacy sets what a word names: a switch as a word or as the field, or all.
func Legacy(l *tls.Legacy, word string) error {
	if strings.EqualFold(word, "all") {
		Allow(l, slices.DeleteFunc(legacyFields(), func(f string) bool { return slices.Contains(beyondAll, f) })...)
		return nil
	}
	bare := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "-", "")) }
	for _, f := range legacyFields() {
		if bare(f) == bare(word) {
			Allow(l, f)
			return nil
		}
	}
	return fmt.Errorf("%q is not a switch; choose from\n  %s", word, strings.Join(AllLegacyWords(), "\n  "))
}

// Allow sets switches by their fields' names.
func Allow(l *tls.Legacy, fields ...string) {
	for _, f := range fields {
		reflect.ValueOf(l).Elem().FieldByName(f).SetBool(true)
	}
}

// Missing are those of fields that are off.
func Missing(l *tls.Legacy, fields []string) []string {
	return slices.DeleteFunc(slices.Clone(fields), func(f string) bool {
		return reflect.ValueOf(l).Elem().FieldByName(f).Bool()
	})
}

// What a server needs for the suites with DSS, beside what they need by themselves.
const (
	DSSSwitch = "DSSSigning"
	WhyNoDSS  = "a server that signs with DSA takes a time that depends on its key"
)

// Needs calls need for each reason why switches must be on, by their fields' names: for
// suites, for what the peer may sign with, and for the lowest version.
func Needs(suites []*suite.Suite, schemes []tls.SignatureScheme, low wire.Version, server bool, need func(why string, fields ...string)) {
	for _, s := range suites {
		need(s.Name+" is off because "+s.WhyNot, s.Switches...)
		if s.Auth == suite.AuthDSS && server {
			need(WhyNoDSS, DSSSwitch)
		}
	}
	schemeNeeds(schemes, need)
	if low == wire.SSL30 {
		need("SSL 3.0 is off because its padding is not authenticated (POODLE)", "SSL30")
	}
}
