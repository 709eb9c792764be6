package flags

import (
	"github.com/vitrine-tls/vitrine/internal/vocabulary"
	"github.com/vitrine-tls/vitrine/tls"
)

// AllSchemes are those that need no switch, the ones too that are off unless they are named.
func AllSchemes() []tls.SignatureScheme { return vocabulary.AllSchemes() }

// applySchemes sets what the peer may sign with.
func (f *TLS) applySchemes(config *tls.Config) error {
	config.SignatureSchemes = nil
	for _, name := range SplitNames(f.schemes) {
		schemes, err := vocabulary.Schemes(name)
		if err != nil {
			return of("sigalgs", err)
		}
		config.SignatureSchemes = append(config.SignatureSchemes, schemes...)
	}
	return nil
}
