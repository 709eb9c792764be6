package flags

import (
	"crypto"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/tls"
)

// external are the flags on how the keys of --psk are used in TLS 1.3.
type external struct {
	hash, context string
	imported      bool
}

func (f *external) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.hash, "psk-hash", "", "the `hash` that the key of --psk goes with in TLS 1.3: sha256 or sha384 (default sha256, as of other programs)")
	flags.BoolVar(&f.imported, "psk-import", false, "derive the key for TLS 1.3 from that of --psk, as the peer must too (RFC 9258)")
	flags.StringVar(&f.context, "psk-context", "", "a `text` that --psk-import puts into the key, the same on both sides; it goes in the clear")
	CompleteFrom(cmd, "psk-hash", []string{"sha256", "sha384"})
}

var pskHashes = map[string]crypto.Hash{"": crypto.SHA256, "sha256": crypto.SHA256, "sha384": crypto.SHA384}

// check refuses what does nothing. for13 says that there are keys, which are for TLS 1.3.
func (f *external) check(for13 bool) error {
	for _, one := range []struct {
		flag string
		set  bool
	}{{"--psk-hash", f.hash != ""}, {"--psk-import", f.imported}, {"--psk-context", f.context != ""}} {
		if one.set && !for13 {
			return report.Usagef("%s is for keys of TLS 1.3; add --min 1.3 and --psk IDENTITY:HEX", one.flag)
		}
	}
	if _, ok := pskHashes[f.hash]; !ok {
		return report.Usagef("--psk-hash %q is not a hash of TLS 1.3's suites; choose sha256 or sha384", f.hash)
	}
	if f.context != "" && !f.imported {
		return report.Usagef("--psk-context does nothing without --psk-import")
	}
	return nil
}

// leastPSK13 is the least size of a key in TLS 1.3, in bytes.
const leastPSK13 = 16

// apply sets the keys for TLS 1.3. Neither side takes anything else.
func (f *external) apply(config *tls.Config, keys map[string][]byte, first preshared) error {
	made := func(identity string) *tls.ExternalPSK {
		return &tls.ExternalPSK{Identity: []byte(identity), Key: keys[identity], Hash: pskHashes[f.hash], Import: f.imported, Context: []byte(f.context)}
	}
	for identity, key := range keys {
		if len(key) < leastPSK13 {
			return report.Usagef("the key of --psk %s has %d bytes; TLS 1.3 needs %d at least, all of them random: openssl rand -hex 32", identity, len(key), leastPSK13)
		}
	}
	config.PSK = tls.PSK{
		External: []tls.ExternalPSK{*made(first.identity)},
		ExternalServer: func(identity []byte) (*tls.ExternalPSK, error) {
			if keys[string(identity)] == nil {
				return nil, nil
			}
			return made(string(identity)), nil
		},
		Required: true,
	}
	return nil
}
