package session

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// Session is what resuming a connection needs. The same value serves clients
// and servers; fields that a version or a side has no use for stay zero.
type Session struct {
	Version wire.Version
	Suite   wire.CipherSuite
	// Secret is the master secret (TLS 1.2 and before, 48 bytes) or the
	// resumption PSK (TLS 1.3, as long as the suite's hash). 1 to 255 bytes.
	Secret []byte `json:"-"`

	// ExtendedMasterSecret says that Secret is bound to its handshake. A
	// session is resumed only where both agree on it. RFC 7627 §5.3.
	ExtendedMasterSecret bool
	EncryptThenMAC       bool // RFC 7366

	// ALPN is the protocol that was agreed; empty for none. At most 255 bytes.
	ALPN string
	// ServerName is the name the client asked for; empty for none.
	ServerName string
	// Group and SignatureScheme are those of the full handshake, for display;
	// 0 where there was none.
	Group           wire.NamedGroup
	SignatureScheme wire.SignatureScheme

	// CreatedAt and Lifetime are kept to the millisecond, rounded down.
	CreatedAt time.Time
	Lifetime  time.Duration
	// AgeAdd hides the ticket's age on the wire. RFC 8446 §4.6.1.
	AgeAdd uint32
	// MaxEarlyData is how many bytes of 0-RTT data the ticket allows; 0 for none.
	MaxEarlyData uint32

	// PeerChain is the peer's certificates in DER, leaf first; at most 16.
	// It is what was shown, not what was verified: verify it again.
	PeerChain [][]byte
	// PeerKey is the peer's raw public key, a SubjectPublicKeyInfo in DER, where it has
	// shown that in place of a chain; then there is no PeerChain. RFC 7250.
	PeerKey []byte
	// Delegated is the delegated credential that came with PeerChain, as in its extension;
	// nil mostly. RFC 9345.
	Delegated []byte
	OCSP      []byte // the response that was stapled to the leaf, in DER
	// IssuerOCSP are those stapled to the certificates after the leaf, in their order; an
	// empty one, or none at the end, for a certificate without. At most 15.
	IssuerOCSP [][]byte
	SCTs       [][]byte // signed certificate timestamps, RFC 6962 §3.3

	// PSK is the pre-shared key that the session began with; nil for none. Whether that is
	// still good is for its owner to say, at each resumption.
	PSK *PSK

	// Extra is the application's own data.
	Extra [][]byte
	// Binding is the digest of the rules the session was made under; see [Binding]. A
	// client's is that of what the server was shown, zero where it had not asked.
	Binding [32]byte
}

// PSK names a pre-shared key, and tells it from another of that name.
type PSK struct {
	Identity []byte // 0 to 65535 bytes
	// Hint is what the server gave a client up to TLS 1.2; empty for none.
	Hint   []byte
	Digest [32]byte // by [Binding], of the key and what goes with it
}

// Expiry is the moment from which the session must not be resumed.
func (s *Session) Expiry() time.Time { return s.CreatedAt.Add(s.Lifetime) }

// Staples are the OCSP responses beside PeerChain, leaf first; nil for none.
func (s *Session) Staples() [][]byte {
	if len(s.OCSP) == 0 && len(s.IssuerOCSP) == 0 {
		return nil
	}
	return append([][]byte{s.OCSP}, s.IssuerOCSP...)
}

// String describes the session without its secret.
func (s Session) String() string {
	return fmt.Sprintf("session(%v %v for %q, created %s, valid for %v)",
		s.Version, s.Suite, s.ServerName, s.CreatedAt.UTC().Format(time.RFC3339), s.Lifetime)
}

// Format prints [Session.String] for every verb, so that no verb shows the secret.
func (s Session) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// LogValue keeps the secret out of logs.
func (s Session) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Binding digests the rules that a session depends on, given as any number of
// parts: SHA-256 over each part after its length in 8 bytes, so that no two
// different lists of parts run together to the same input.
func Binding(parts ...[]byte) [32]byte {
	var room [256]byte // enough for most, so that nothing is allocated
	in := room[:0]
	for _, p := range parts {
		in = append(binary.BigEndian.AppendUint64(in, uint64(len(p))), p...)
	}
	return sha256.Sum256(in)
}
