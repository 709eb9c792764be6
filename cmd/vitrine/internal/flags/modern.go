package flags

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// modern are the flags on how certificates go in TLS 1.3: compressed (RFC 8879), and with
// keys that are delegated (RFC 9345). Both are off by default: what connect offers is what
// programs with this library offer, and a client inflates bytes of a server that has proved nothing.
type modern struct {
	// CompressCertificates sends certificates compressed, and takes them so.
	CompressCertificates bool
	// AcceptDelegated has a client take a delegated credential.
	AcceptDelegated bool
}

var compressHelp = map[Sides]string{
	ClientSide:              "take the server's certificate compressed, and send ours so: by brotli, zstd or zlib (RFC 8879)",
	ServerSide:              "send certificates compressed to clients that take it, and take theirs so: brotli, zstd or zlib (RFC 8879)",
	ClientSide | ServerSide: "have certificates go compressed: by brotli, zstd or zlib (RFC 8879)",
}

func (f *modern) register(cmd *cobra.Command, which Sides) {
	cmd.Flags().BoolVar(&f.CompressCertificates, "compress-certificates", false, compressHelp[which])
	if which&ClientSide != 0 {
		cmd.Flags().BoolVar(&f.AcceptDelegated, "accept-delegated", false, "take a key that the owner of the server's certificate has delegated for some days (RFC 9345)")
	}
}

// delegable are the schemes of keys that connect takes of delegated credentials.
var delegable = []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256, tls.ECDSAWithP384AndSHA384, tls.ECDSAWithP521AndSHA512, tls.Ed25519}

func (f *modern) apply(config *tls.Config) error {
	if f.CompressCertificates {
		config.CertificateCompression = Compressions()
	}
	if !f.AcceptDelegated {
		return nil
	}
	for _, s := range delegable {
		if config.SignatureSchemes == nil || slices.Contains(config.SignatureSchemes, s) {
			config.Delegation.Accept = append(config.Delegation.Accept, s)
		}
	}
	if len(config.Delegation.Accept) == 0 {
		return report.Usagef("--accept-delegated needs a scheme of ECDSA or Ed25519, and --sigalgs lists none; add one, like ecdsa_secp256r1_sha256")
	}
	return nil
}

// applyModern refuses what is for TLS 1.3 where that is off: the library would find it in
// the first handshake, or never.
func (f *TLS) applyModern(config *tls.Config) error {
	if f.high >= wire.TLS13 {
		return f.modern.apply(config)
	}
	for _, one := range []struct {
		set  bool
		flag string
	}{
		{f.CompressCertificates, "--compress-certificates"}, {f.AcceptDelegated, "--accept-delegated"},
		{f.ech.config != "", "--ech-config"}, {len(f.ech.keys) > 0, "--ech-key"},
		{onlyMLDSA(config.SignatureSchemes), "--sigalgs " + strings.Join(f.schemes, ",")},
	} {
		if !one.set {
			continue
		}
		return report.Usagef("%s is for TLS 1.3, which is off; %s", one.flag, f.raise())
	}
	return nil
}

// raise is what to do to have TLS 1.3.
func (f *TLS) raise() string {
	if f.max != "" {
		return "leave --max out, or say --max tls1.3"
	}
	return "leave out what is for " + f.high.String() + " and before"
}

func onlyMLDSA(schemes []tls.SignatureScheme) bool {
	return len(schemes) > 0 && !slices.ContainsFunc(schemes, func(s tls.SignatureScheme) bool {
		return s != tls.MLDSA44 && s != tls.MLDSA65 && s != tls.MLDSA87
	})
}
