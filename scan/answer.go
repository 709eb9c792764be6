package scan

import (
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// A Kind says how a probe ended.
type Kind string

const (
	// Reached: the stage that was asked for.
	Reached Kind = "reached"
	// Alerted: a fatal alert ended it. It is the last of Answer.Alerts.
	Alerted Kind = "alert"
	// Closed: the server closed the connection without an alert.
	Closed Kind = "closed"
	// Reset: the connection was reset.
	Reset Kind = "reset"
	// TimedOut: nothing came in time.
	TimedOut Kind = "timed out"
	// NotTLS: what came is not TLS.
	NotTLS Kind = "not TLS"
	// Malformed: what came is TLS, but breaks a rule so that it cannot go on.
	Malformed Kind = "malformed"
	// TooMuch: more came than Prober.MaxBytes.
	TooMuch Kind = "too much"
	// Unsupported: the server picked what a probe cannot go on with.
	Unsupported Kind = "unsupported"
	// Unresolved: the name has no address.
	Unresolved Kind = "no address"
	// Refused: nobody listens there.
	Refused Kind = "refused"
	// Unreachable: no connection for another reason.
	Unreachable Kind = "unreachable"
	// StartTLSFailed: the server did not turn to TLS.
	StartTLSFailed Kind = "STARTTLS failed"
)

// Connected reports that there was a connection, on which TLS could begin.
func (k Kind) Connected() bool {
	return k != Unresolved && k != Refused && k != Unreachable && k != StartTLSFailed
}

// A Record is one record that came or went.
type Record struct {
	Type    wire.ContentType
	Version wire.Version
	// Content is what was in it, opened where it was protected; Protected says that.
	Content   []byte
	Protected bool
}

// A Message is one handshake message of the server, header included.
type Message struct {
	Type wire.HandshakeType
	Raw  []byte
	// Context selects the grammar: wire.DecodeMessage(m.Raw, m.Context, nil).
	Context wire.Context
}

// An Answer is what a server did with a probe. It is the caller's.
type Answer struct {
	Target Target
	Probe  Probe
	// End says how it ended, and Err why, where it is not Reached.
	End Kind
	Err error
	// After is how the server ended the conversation during the steps that followed;
	// TimedOut where it only fell silent.
	After Kind

	// Records and Messages are the server's, in their order; Alerts are its alerts.
	Records  []Record
	Messages []Message
	Alerts   []wire.Alert
	// Begin are the first bytes that came, at most 64, where they are not TLS.
	Begin []byte

	// Client is the hello that was sent, the last one.
	Client *wire.ClientHello
	// Retry is a HelloRetryRequest. Server is the ServerHello, nil where none came.
	Retry, Server *wire.ServerHello
	// SSL2 is a ServerHello of SSL 2.0, which ends a probe with Reached.
	SSL2 *SSL2ServerHello
	// Version and Suite are what the server picked; 0 where it did not come to that.
	Version wire.Version
	Suite   wire.CipherSuite
	// Group is that of the key exchange, or what a HelloRetryRequest asks for; 0 for
	// none.
	Group wire.NamedGroup
	ALPN  string
	// Extensions are all that the server has answered, encrypted ones too.
	Extensions wire.Extensions
	// Certificates are the chain in DER, as it was sent. Staple is an OCSP response.
	Certificates [][]byte
	Staple       []byte
	// KeyExchange is the server's, up to TLS 1.2.
	KeyExchange *wire.ServerKeyExchange
	// Scheme is by which the server signed; 0 where it does not say.
	Scheme wire.SignatureScheme
	// Request asks for a certificate of ours.
	Request *wire.CertificateRequest
	// Done is set when the handshake was complete, and Resumed where it went on with a
	// session.
	Done, Resumed bool
	// Sessions are those that can be resumed now.
	Sessions []*Session

	// Began and Took are when the hello was sent, and how long all of it took.
	Began time.Time
	Took  time.Duration

	wire    []chunk
	keyLog  []string
	greeted int // how many bytes of Data are a greeting
	said    []string
}

// Alert is the last fatal alert; false where none came.
func (a *Answer) Alert() (wire.AlertCode, bool) {
	for i := len(a.Alerts) - 1; i >= 0; i-- {
		if x := a.Alerts[i]; fatal(x) {
			return x.Code, true
		}
	}
	return 0, false
}

// Has reports whether the server answered an extension.
func (a *Answer) Has(t wire.ExtensionType) bool { return a.Extensions.Has(t) }

// Data is the application data that the server has sent.
func (a *Answer) Data() []byte {
	var b []byte
	for _, r := range a.Records {
		if r.Type == wire.ContentApplicationData && r.Protected {
			b = append(b, r.Content...)
		}
	}
	return b
}
