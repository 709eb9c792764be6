package handshake

import (
	"crypto/sha256"
	stdtls "crypto/tls"
	"sync"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// maxHash is the longest hash of any suite, in bytes.
const maxHash = 48

// Offer is a ClientHello as the server reads it.
type Offer struct {
	Hello       *wire.ClientHello
	Versions    []wire.Version
	Suites      []wire.CipherSuite
	Groups      []wire.NamedGroup
	Schemes     []wire.SignatureScheme
	CertSchemes []wire.SignatureScheme // empty: Schemes rule
	ALPN        [][]byte
	Shares      []wire.KeyShareEntry
	PSKModes    []wire.PSKMode
	PSKs        wire.OfferedPSKs
	ServerName  string
	Cookie      []byte
	Ticket      []byte
	Points      []uint8
	// ServerTypes and ClientTypes are the types of certificate that the client takes, and
	// shows; empty where it has not said. RFC 7250.
	ServerTypes, ClientTypes []wire.CertificateType
	// CertCompressions are those by which it takes certificates. RFC 8879.
	CertCompressions []wire.CertificateCompression
	// Delegated are the schemes that it takes of delegated credentials. RFC 9345.
	Delegated []wire.SignatureScheme
	// Renegotiated is the client's verify_data of the handshake before, empty in
	// the first. RFC 5746 §3.2.
	Renegotiated []byte
	// MaxFragmentLength and SizeLimit are the limits asked for, 0 for none.
	MaxFragmentLength wire.MaxFragmentLength
	SizeLimit         uint16
	TicketRequest     wire.TicketRequest // if it has asked, RFC 9149

	Raw []byte // the message, for the binders
}

func (o *Offer) reset() {
	*o = Offer{
		Versions: o.Versions[:0], Groups: o.Groups[:0], Schemes: o.Schemes[:0], CertSchemes: o.CertSchemes[:0],
		ServerTypes: o.ServerTypes[:0], ClientTypes: o.ClientTypes[:0], CertCompressions: o.CertCompressions[:0], Delegated: o.Delegated[:0],
		ALPN: o.ALPN[:0], Shares: o.Shares[:0], PSKModes: o.PSKModes[:0],
		PSKs: wire.OfferedPSKs{Identities: o.PSKs.Identities[:0], Binders: o.PSKs.Binders[:0]},
	}
}

// again forgets what was read of a hello, to read one again.
func (o *Offer) again() {
	raw, hello := o.Raw, o.Hello
	o.reset()
	o.Raw, o.Hello = raw, hello
}

// State is a handshake under way. It comes from a pool, and goes back with
// every secret wiped: all that stays of it is the Result.
type State struct {
	Role   wire.Role
	Config *Config
	Hooks  *trace.Hooks
	Result *Result
	Offer  Offer // server

	records Records
	profile *Profile
	flow    []Step
	at      int

	transcript transcript
	hello      wire.ClientHello // ours, or the client's
	answer     wire.ServerHello // ours, or the server's
	shares     []ownShare       // client: the key shares on offer
	sessionID  [32]byte
	sessionLen int
	greaseSeed [5]byte
	order      []uint8 // client: of the rows in extensions; nil for theirs
	ech        *ech    // nil for none
	cookie     []byte
	firstHello []byte // server: the first ClientHello, for comparison after a retry
	retryGroup wire.NamedGroup
	retry      bool
	ccsSent    bool
	answered   bool // the client has answered a CertificateRequest
	heard      bool // a message of the peer has been taken
	late       bool // this is a handshake after the handshake
	exported   bool // what is made or judged is an exported authenticator, RFC 9261
	// previous is what an earlier handshake on this connection has agreed on; nil
	// in the first.
	previous       *Result
	requestContext []byte // of a CertificateRequest after the handshake
	// statusBy is the extension by which a CertificateStatus is announced, 0 for none: a
	// server then sends it, a client may get it.
	statusBy wire.ExtensionType

	certificate *stdtls.Certificate // ours
	delegated   []byte              // server: the credential that goes with it
	// compressedFrom is the side whose certificate came compressed last.
	compressedFrom wire.Role
	// inflated is the Certificate inside the message at hand, for the trace.
	inflated      []byte
	scheme        wire.SignatureScheme
	request       *request         // a CertificateRequest, received
	share         []byte           // room for the server's, in TLS 1.3
	serverShare   []byte           // what the server's key exchange message carries
	ephemeral     ephemeral        // up to TLS 1.2: the server's key
	dh            *kex.DH          // client: the server's group
	hint          []byte           // client: for the pre-shared key
	offered       *ClientSession   // client: on offer
	psks          []pskOffer       // client, TLS 1.3: on offer, in the order of the identities
	key           pskOffer         // TLS 1.3: the PSK that the server picked, if psk()
	resumed       *session.Session // taken up by the server; in TLS 1.3 it is behind key
	newID         []byte           // the session ID under which this session is kept
	wantTicket    bool             // TLS 1.2: NewSessionTicket follows
	ticketsSent   int              // in TLS 1.3
	ticketOptions TicketOptions
	newTicket     *ClientSession // TLS 1.2 client: what arrived
	newTicketLife uint32         // in seconds, as the server says
	withoutDH     bool           // psk_ke: the PSK alone, without a key exchange
	beside        bool           // there is a certificate beside the PSK, RFC 9973
	noted         ownHello       // client: in ownHellos, if it has a node
	pskIndex      int
	pskTicket     [sha256.Size]byte // digest of the ticket that pskIndex is

	shared                 []byte // premaster or (EC)DHE result
	early                  [maxHash]byte
	handshake              [maxHash]byte
	master                 [maxHash]byte
	clientHS               [maxHash]byte
	serverHS               [maxHash]byte
	clientApp              [maxHash]byte
	serverApp              [maxHash]byte
	digest                 [64]byte
	verify                 [64]byte
	keyBlock               [256]byte
	clientKeys, serverKeys record.Params

	early13 early // early data

	sealing, opening Room
	nonce            [1]byte // of the ticket being sent, TLS 1.3

	reader  wire.Reader // of one extension at a time
	bound   bound
	growing growing

	msg   messages // parsed into, or to send: one at a time
	out   []byte   // the message being sent, as bytes
	arena []byte   // the bodies of the extensions being sent
	sign  []byte   // what is being signed or verified
}

// Room is memory for what a Host makes of a ticket, which goes from handshake to
// handshake. Release wipes it.
type Room struct {
	Session session.Session
	Blob    []byte // what Session is written to, or read from
	Ticket  []byte
}

// Sealing is the room of SealTicket.
func (s *State) Sealing() *Room { return &s.sealing }

// Opening is the room of OpenTicket. While a session is taken up, what it is read from
// stays in there: another one is read elsewhere.
func (s *State) Opening() *Room {
	if s.resumed != nil {
		return new(Room)
	}
	return &s.opening
}

// wiped is r for the next handshake.
func (r *Room) wiped() Room {
	clear(r.Blob[:cap(r.Blob)])
	return Room{Blob: r.Blob[:0], Ticket: r.Ticket[:0]}
}

func (r *Room) size() int { return max(cap(r.Blob), cap(r.Ticket)) }

// ownShare is a key share that the client has on offer.
type ownShare struct {
	group   wire.NamedGroup
	private *kex.Private
}

// request is a CertificateRequest as the client reads it.
type request struct {
	context     []byte
	schemes     []wire.SignatureScheme
	types       []wire.ClientCertificateType
	authorities [][]byte
	staples     []wire.ExtensionType // that are asked for with the certificate
	// compressions are those by which the server takes certificates.
	compressions []wire.CertificateCompression
}

var states = sync.Pool{New: func() any { return new(State) }}

var noHooks trace.Hooks

// New starts a handshake that fills in result. hooks may be nil.
func New(role wire.Role, c *Config, hooks *trace.Hooks, records Records, result *Result) *State {
	s := states.Get().(*State)
	s.Role, s.Config, s.Hooks, s.Result, s.records = role, c, hooks, result, records
	if hooks == nil {
		s.Hooks = &noHooks
	}
	s.flow, s.at = helloFlow, 0
	result.QUIC = c.QUIC != nil
	s.unsettle()
	return s
}

// Release settles the Result, wipes the State and gives it back. It must not be used again.
func (s *State) Release() {
	s.Settle()
	s.forgetOwnHello()
	fat := s.fat()
	clear(s.shared[:cap(s.shared)])
	t := s.transcript
	t.reset()
	offer := s.Offer
	offer.reset()
	clear(s.shares[:cap(s.shares)])
	s.dropPSKs(everyPSK)
	s.key.wipe()
	s.ech.wipe()
	clear(s.out)
	clear(s.sign)
	sealing, opening := s.sealing.wiped(), s.opening.wiped()
	hello := wire.ClientHello{CipherSuites: s.hello.CipherSuites[:0], CompressionMethods: s.hello.CompressionMethods[:0], Extensions: s.hello.Extensions[:0]}
	answer, encrypted, entries := s.answer.Extensions[:0], s.msg.encrypted.Extensions[:0], s.msg.cert.Entries[:0]
	shares, psks, shared, hint, out, arena, sign, share := s.shares[:0], s.psks[:0], s.shared[:0], s.hint[:0], s.out[:0], s.arena[:0], s.sign[:0], s.share[:0]
	*s = State{} // in place: as a value of several fields it would first be made on the stack, which would have to grow
	s.transcript, s.Offer, s.hello = t, offer, hello
	s.answer.Extensions, s.msg.encrypted.Extensions, s.msg.cert.Entries = answer, encrypted, entries
	s.shares, s.psks, s.shared, s.hint, s.out, s.arena, s.sign, s.share = shares, psks, shared, hint, out, arena, sign, share
	s.sealing, s.opening = sealing, opening
	if !fat {
		states.Put(s)
	}
}

// fat reports that a peer has made s grow beyond what handshakes need: it is not
// kept for the next one.
func (s *State) fat() bool {
	const most = 256
	o := &s.Offer
	return max(cap(s.hello.CipherSuites), cap(s.hello.Extensions), cap(s.answer.Extensions), cap(s.msg.encrypted.Extensions), cap(s.msg.cert.Entries),
		cap(o.Groups), cap(o.Schemes), cap(o.Delegated), cap(o.CertSchemes), cap(o.ALPN), cap(o.Shares), cap(o.PSKs.Identities), cap(s.transcript.raw)/most, cap(s.shared)/8, cap(s.hint)/8, s.sealing.size()/most, s.opening.size()/most) > most
}

// Done reports whether the handshake is complete.
func (s *State) Done() bool { return s.profile != nil && s.at == len(s.flow) }

// Limits returns what is agreed on so far.
func (s *State) Limits() *Agreed { return &s.Result.Agreed }

// psk reports that this handshake of TLS 1.3 has a PSK.
func (s *State) psk() bool { return s.key.kind != nil }

// isServer is for what only one side's code may do in a step both walk.
func (s *State) isServer() bool { return s.Role == wire.Server }

func (s *State) context(from wire.Role) wire.Context {
	c := wire.Context{Version: s.Result.Version, From: from}
	if s.Result.Suite != nil {
		c.KeyExchange = s.Result.Suite.KeyExchange
	}
	c.CertificateType = s.Result.CertificateType(from)
	return c
}
