package tls

import (
	"bytes"
	"crypto"
	_ "crypto/sha256" // the hashes of a PSK
	_ "crypto/sha512"
	"fmt"
	"io"
	"log/slog"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/suite"
)

// ExternalPSK is a pre-shared key of TLS 1.3 that both sides have from somewhere else. One
// client and one server should share it, and nobody besides: with it, anyone can be either.
// RFC 9257 §4.
type ExternalPSK struct {
	// Identity names the key, in the clear: 1 to 65535 bytes, with which connections can be
	// linked. RFC 9257 §8.
	Identity []byte
	// Key is the secret, 16 bytes at least and 65535 at most, all of them random: a key made
	// of a password can be guessed by anybody that has heard a handshake. RFC 9257 §6.
	Key []byte
	// Hash is that of the cipher suites that Key is for, crypto.SHA256 or crypto.SHA384; or
	// where it is imported, the one that goes with Key. Most keys are for SHA-256.
	Hash crypto.Hash
	// Import derives a key for TLS 1.3 from this one, for each hash, that proves the
	// Context and the Identity too. The peer must do the same. RFC 9258.
	Import bool
	// Context goes into what is imported, up to 65535 bytes in the clear: what the key was
	// agreed under, and the names of both ends with their roles, where an end may be both.
	// RFC 9258 §5.1, §A.
	Context []byte
}

// String names the key without telling it.
func (p ExternalPSK) String() string {
	how := "external"
	if p.Import {
		how = "imported"
	}
	return fmt.Sprintf("psk(%s %q, %d bytes)", how, p.Identity, len(p.Key))
}

// Format prints [ExternalPSK.String] for every verb, so that none shows the key.
func (p ExternalPSK) Format(f fmt.State, _ rune) { io.WriteString(f, p.String()) }

// LogValue keeps the key out of logs.
func (p ExternalPSK) LogValue() slog.Value { return slog.StringValue(p.String()) }

// Bounds of external PSKs.
const (
	maxExternal    = 8
	minExternalKey = 16
	// maxExternalIDs is for all identities and contexts of a client together: a hello that
	// is much larger is taken by few servers.
	maxExternalIDs = 16 << 10
)

var externalHashes = map[crypto.Hash]*suite.Hash{crypto.SHA256: suite.SHA256, crypto.SHA384: suite.SHA384}

// resolved is p as the handshake has it, or what is wrong with it. Nothing of the key is told.
func (p *ExternalPSK) resolved() (x handshake.ExternalPSK, wrong string) {
	switch h := externalHashes[p.Hash]; {
	case len(p.Identity) == 0 || len(p.Identity) > maxVector:
		return x, fmt.Sprintf("an identity of %d bytes; 1 to %d are possible", len(p.Identity), maxVector)
	case len(p.Key) < minExternalKey || len(p.Key) > maxVector:
		return x, fmt.Sprintf("a key of %d bytes; %d to %d are possible, all of them random: openssl rand -hex 32", len(p.Key), minExternalKey, maxVector)
	case bytes.Count(p.Key, p.Key[:1]) == len(p.Key):
		return x, "a key that is one byte again and again; it must be random: openssl rand -hex 32"
	case h == nil:
		return x, "no hash that TLS 1.3 has for it; set Hash to crypto.SHA256, which most keys are for, or crypto.SHA384"
	case len(p.Context) > 0 && !p.Import:
		return x, "a Context, which does nothing without Import"
	case len(p.Context) > maxVector:
		return x, fmt.Sprintf("a Context of %d bytes; at most %d can be sent", len(p.Context), maxVector)
	default:
		return handshake.ExternalPSK{Identity: p.Identity, Key: p.Key, Hash: h, Imported: p.Import, Context: p.Context}, ""
	}
}

// endpoint is whose Config this is: what a clone was made of to serve the same one is its own.
func (c *Config) endpoint() any {
	switch {
	case c.PSK.Node != "":
		return c.PSK.Node
	case c.origin != nil:
		return c.origin
	}
	return c
}

// sameEndpoint has the clone c be of the endpoint that from is of.
func (c *Config) sameEndpoint(from *Config) {
	c.origin = from
	if from.origin != nil {
		c.origin = from.origin
	}
}

// resolvePSK fills in what is for external PSKs on either side.
func (c *Config) resolvePSK(h *handshake.Config) error {
	p := &c.PSK
	h.NeedsPSK, h.Beside = p.Required || p.WithCertificate, p.WithCertificate
	h.PSKAlone, h.PrefersPSKAlone = c.Legacy.PSKWithoutDH, p.WithoutDH
	h.Node = c.endpoint()
	switch {
	case p.WithoutDH && !c.Legacy.PSKWithoutDH:
		return misuse("PSK.WithoutDH gives up forward secrecy: with a key, all that was sent under it can be read; set Legacy.PSKWithoutDH if you must")
	case p.WithoutDH && p.WithCertificate:
		return misuse("PSK.WithCertificate needs a key exchange, which PSK.WithoutDH leaves out")
	case h.NeedsPSK && !h.Only13():
		return misuse("PSK.Required and PSK.WithCertificate are for TLS 1.3, which MaxVersion leaves out")
	}
	return nil
}

// resolveOffered fills in what a client offers.
func (c *Config) resolveOffered(h *handshake.Config) error {
	p, ids := &c.PSK, 0
	if len(p.External) > maxExternal {
		return misuse("PSK.External has %d keys; at most %d are offered", len(p.External), maxExternal)
	}
	for i := range p.External {
		x, wrong := p.External[i].resolved()
		if wrong != "" {
			return misuse("PSK.External[%d] has %s", i, wrong)
		}
		for k := range i {
			if bytes.Equal(p.External[k].Identity, x.Identity) {
				return misuse("PSK.External has the identity %q twice; a key is for one use alone", x.Identity)
			}
		}
		ids += len(x.Identity) + len(x.Context)
		h.External = append(h.External, x)
	}
	switch {
	case ids > maxExternalIDs:
		return misuse("the identities and contexts in PSK.External have %d bytes; at most %d can be offered", ids, maxExternalIDs)
	case len(p.External) > 0 && !h.Has13():
		return misuse("PSK.External is for TLS 1.3, which MaxVersion leaves out; set PSK.Client for the versions before")
	case len(p.External) == 0 && h.NeedsPSK:
		return misuse("PSK.Required and PSK.WithCertificate need keys; set PSK.External")
	}
	return nil
}

// ExternalPSK asks PSK.ExternalServer.
func (h *host) ExternalPSK(identity []byte) (*handshake.ExternalPSK, error) {
	p, err := h.config.PSK.ExternalServer(bytes.Clone(identity))
	if err != nil || p == nil {
		return nil, err
	}
	x, wrong := p.resolved()
	switch {
	case wrong != "":
		return nil, misuse("what PSK.ExternalServer returned has %s", wrong)
	case !bytes.Equal(x.Identity, identity):
		return nil, misuse("PSK.ExternalServer was asked for %q, and returned the key of %q", identity, x.Identity)
	}
	return &x, nil
}
