package flags

import (
	"reflect"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/tls"
)

// beyondAll are the switches that --legacy all leaves alone: they take a
// protection away, and allow nothing that is not possible without them.
var beyondAll = []string{"NoExtendedMasterSecret", "NoEncryptThenMAC", "FallbackSCSV"}

// legacyFields are the switches of tls.Legacy, by their fields' names.
func legacyFields() []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[tls.Legacy]()) {
		names = append(names, f.Name)
	}
	return names
}

func LegacyWords(fields []string) []string {
	var words []string
	for _, f := range fields {
		words = append(words, report.LegacyWord(f))
	}
	return words
}

// allow sets switches by their fields' names.
func allow(l *tls.Legacy, fields ...string) {
	for _, f := range fields {
		reflect.ValueOf(l).Elem().FieldByName(f).SetBool(true)
	}
}

// missing are those of fields that are off.
func missing(l *tls.Legacy, fields []string) []string {
	return slices.DeleteFunc(slices.Clone(fields), func(f string) bool {
		return reflect.ValueOf(l).Elem().FieldByName(f).Bool()
	})
}

// parseLegacy sets what the words of --legacy name: a switch as a word or as
// the field, or all.
func parseLegacy(l *tls.Legacy, words []string) error {
	fields := legacyFields()
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "-", "")) }
	for _, word := range words {
		if strings.EqualFold(word, "all") {
			allow(l, slices.DeleteFunc(legacyFields(), func(f string) bool { return slices.Contains(beyondAll, f) })...)
			continue
		}
		i := slices.IndexFunc(fields, func(f string) bool { return plain(f) == plain(word) })
		if i < 0 {
			return report.Usagef("--legacy %q is not a switch; choose from\n  %s", word, strings.Join(append(LegacyWords(fields), "all"), "\n  "))
		}
		allow(l, fields[i])
	}
	return nil
}
