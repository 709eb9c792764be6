package flags

import (
	"github.com/vitrine-tls/vitrine/internal/vocabulary"
	"github.com/vitrine-tls/vitrine/tls"
)

// LegacyWords turns names of fields of tls.Legacy into words of --legacy.
func LegacyWords(fields []string) []string { return vocabulary.LegacyWords(fields) }

// parseLegacy sets what the words of --legacy name.
func parseLegacy(l *tls.Legacy, words []string) error {
	for _, word := range words {
		if err := vocabulary.Legacy(l, word); err != nil {
			return of("legacy", err)
		}
	}
	return nil
}
