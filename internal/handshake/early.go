package handshake

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// Early data (0-RTT): what is decided of it, and which keys protect it. An attacker that
// has recorded it can send it again, so a server takes it only where nothing has changed since
// the session was made, and once. RFC 8446 §2.3, §4.2.10, §8.

// MaxEarlyData is the most early data that a server takes, or passes over for the sake of a ticket.
const MaxEarlyData = 16 << 20

// Early is how a server takes early data.
type Early struct {
	Max    uint32        // bytes on one connection; tickets say so
	Window time.Duration // that the ticket's age may be off by
	// Wanted: the application waits for early data on this connection. Without it none is
	// taken, as nobody would read it, but tickets still allow it.
	Wanted    bool
	Protocols []string // for which it is taken; "" stands for none agreed
	Replay    Replay
}

// Replay sees to it that a ticket brings early data once.
type Replay interface {
	// Permit notes a ticket that allows early data. On an error the ticket allows none.
	Permit(ctx context.Context, ticket [sha256.Size]byte, until time.Time) error
	// Claim returns nil to one caller for each ticket, wherever the callers are.
	Claim(ctx context.Context, ticket [sha256.Size]byte, until time.Time) error
}

// EarlyData is what became of early data on a connection.
type EarlyData uint8

const (
	EarlyNone     EarlyData = iota // none was announced
	EarlyRefused                   // the server did not take it
	EarlyAccepted                  // it did
)

func (e EarlyData) String() string { return [...]string{"none", "refused", "accepted"}[e] }

// early is the state of early data in a handshake.
type early struct {
	offered  bool // client: it is announced, and its keys are those that we write with
	asking   bool // server: VerifyConnection is asked before there are keys
	approved bool // server: it was
	putOff   bool // server: the application, over QUIC, has a say first
	secret   [maxHash]byte
	exporter [maxHash]byte
}

// allows reports whether tickets of this connection allow early data.
func (e *Early) allows(protocol string) bool {
	return e != nil && e.Max > 0 && slices.Contains(e.Protocols, protocol)
}

// putOffEarly leaves the decision for later, when the application has seen the session. Over
// QUIC it may decline.
func (s *State) putOffEarly() bool {
	s.early13.putOff = s.Config.QUIC != nil && s.Config.QUIC.Waits()
	return s.early13.putOff
}

// decideEarlyNow makes up for what putOffEarly has put off, before the server's answer.
func (s *State) decideEarlyNow(ctx context.Context) error {
	if !s.early13.putOff {
		return nil
	}
	s.early13.putOff = false
	if err := s.decideEarly(ctx); err != nil {
		return err
	}
	return beginEarly(s, ctx)
}

// decideEarly is the server's decision. It comes after all others on the ClientHello, since
// it depends on them. What is refused is passed over.
func (s *State) decideEarly(ctx context.Context) error {
	if !s.asked(wire.ExtEarlyData) {
		return nil
	}
	why, skew := s.refusesEarly(ctx)
	if why == "" {
		s.Result.EarlyData, s.early13.asking = EarlyAccepted, true
		err := s.approve()
		s.early13.asking, s.early13.approved = false, true
		s.choseEarly(wire.Server, "accepted", fmt.Sprintf("the session allows it, nothing has changed since, this is the first time, and the age of the ticket is off by %v", skew))
		return err
	}
	s.refuseEarly(wire.Server, why)
	most := uint32(0)
	if s.Config.Early != nil {
		most = s.Config.Early.Max
	}
	if s.resumed != nil { // whose ticket may be of a time when more was allowed
		most = max(most, min(s.resumed.MaxEarlyData, MaxEarlyData))
	}
	s.records.SkipEarlyData(int(most))
	return nil
}

// refusesEarly says why the server does not take early data; empty if it does. Whether it
// is new is asked last: the answer can be had only once.
func (s *State) refusesEarly(ctx context.Context) (why string, skew time.Duration) {
	e, c := s.Config.Early, s.resumed
	switch {
	case e == nil || e.Max == 0:
		return "this server takes none", 0
	case !e.Wanted:
		return "the application does not wait for any here", 0
	case s.declinesEarly():
		return "the application declines it", 0
	case c == nil:
		return "no session is resumed", 0
	case s.pskIndex != 0:
		return "the session resumed is not the first one offered", 0
	case c.MaxEarlyData == 0:
		return "the ticket does not allow it", 0
	case c.MaxEarlyData > e.Max && s.Config.QUIC == nil:
		return fmt.Sprintf("the ticket allows %d bytes, and this server takes %d", c.MaxEarlyData, e.Max), 0
	case s.retry:
		return "we ask for another ClientHello", 0
	case c.Suite != s.Result.Suite.ID:
		return "the cipher suite is another than the session's", 0
	case c.ALPN != s.Result.ALPN:
		return fmt.Sprintf("the application protocol is %q, and the session's is %q", s.Result.ALPN, c.ALPN), 0
	case !e.allows(s.Result.ALPN):
		return fmt.Sprintf("it is not taken for the application protocol %q", s.Result.ALPN), 0
	}
	if skew = s.skew(); skew.Abs() > e.Window {
		return fmt.Sprintf("the age of the ticket is off by %v, so the ClientHello may have been recorded; at most %v are allowed", skew, e.Window), skew
	}
	// A ClientHello whose age is right now is too old when the window has passed twice, and
	// what skew rounds off.
	if err := e.Replay.Claim(ctx, s.pskTicket, s.Config.Time().Add(2*e.Window+time.Second)); err != nil {
		return "whether it is sent for the first time is not known, or it is not: " + err.Error(), skew
	}
	return "", skew
}

// skew is by how much the age that the client says differs from what it should be. The
// server's AgeAdd counts from CreatedAt: see sendTicket13. RFC 8446 §8.3.
func (s *State) skew() time.Duration {
	says := s.Offer.PSKs.Identities[s.pskIndex].ObfuscatedTicketAge - s.resumed.AgeAdd
	return time.Duration(says)*time.Millisecond - s.Config.Time().Sub(s.resumed.CreatedAt).Truncate(time.Millisecond)
}

// refuseEarly notes that early data was announced and is not taken.
func (s *State) refuseEarly(by wire.Role, why string) {
	s.Result.EarlyData = EarlyRefused
	s.choseEarly(by, "refused", why)
}

// cannotOffer says why the client does not offer early data; empty if it does.
func (s *State) cannotOffer() string {
	c := s.offered
	switch {
	case s.Result.HelloRetry:
		return "the server has asked for another ClientHello"
	case c == nil:
		return "there is no session to resume"
	case !c.isPSK() || !s.offers13():
		return "the session is not of TLS 1.3"
	case c.MaxEarlyData == 0:
		return "the session's ticket does not allow it"
	case s.declinesEarly():
		return "the application declines it"
	case uint64(s.Config.EarlySize) > uint64(c.MaxEarlyData):
		return fmt.Sprintf("there are %d bytes, and the session's ticket allows %d", s.Config.EarlySize, c.MaxEarlyData)
	case c.ALPN != "" && !slices.Contains(s.Config.ALPN, c.ALPN):
		return fmt.Sprintf("the session's application protocol, %q, is not on offer", c.ALPN)
	}
	return ""
}

// declinesEarly: over QUIC the application has looked at the session, and wants no early data.
func (s *State) declinesEarly() bool { return s.Config.QUIC != nil && s.Config.QUIC.DeclinesEarly() }

// beginEarly follows the ClientHello: from here on a client that has announced early data
// writes with its keys, and a server that takes it knows them. RFC 8446 §7.1, §D.4.
func beginEarly(s *State, _ context.Context) error {
	switch {
	case s.isServer() && s.Result.EarlyData == EarlyAccepted:
		return s.earlySecrets(s.Result.Suite.Hash, s.transcript.sum(s.digest[:0]))
	case s.isServer() || s.Config.EarlySize == 0:
		return nil
	case !s.early13.offered:
		s.choseEarly(wire.Client, "", s.cannotOffer())
		return nil
	}
	own := suite.ByID(s.offered.Suite)
	if err := s.earlySecrets(own.Hash, s.transcript.with(own.Hash, nil, s.digest[:0])); err != nil {
		return err
	}
	s.choseEarly(wire.Client, "offered", "the session allows it")
	s.records.InstallOut(s.earlyKeys(own))
	if s.sessionLen == 0 {
		return nil
	}
	s.ccsSent = true
	return s.records.SendChangeCipherSpec()
}

// earlySecrets derives what early data is protected and exported with. The early secret
// is that of the binder.
func (s *State) earlySecrets(h *suite.Hash, digest []byte) error {
	e := &s.early13
	s.expand(h, e.secret[:0], s.early[:h.Size], step13{"client_early_traffic_secret", "early_secret", keys.LabelClientEarlyTraffic, "ClientHello", "RFC 8446 §7.1"}, digest)
	s.expand(h, e.exporter[:0], s.early[:h.Size], step13{"early_exporter_master_secret", "early_secret", keys.LabelEarlyExporter, "ClientHello", "RFC 8446 §7.1"}, digest)
	if err := s.logKey("CLIENT_EARLY_TRAFFIC_SECRET", e.secret[:h.Size]); err != nil {
		return err
	}
	return s.logKey("EARLY_EXPORTER_SECRET", e.exporter[:h.Size])
}

// LabelEarly is the Label of the keys of early data.
const LabelEarly = "early data"

// earlyKeys are those of early data, and how much of it may come under them.
func (s *State) earlyKeys(c *suite.Suite) Keys {
	k := newKeys(s.keyBlock[:], c, s.early13.secret[:c.Hash.Size], "client_early_traffic_secret", LabelEarly)
	if s.isServer() {
		k.Early = s.resumed.MaxEarlyData
	}
	return k
}

// clientKeys are those of the client's part of the handshake.
func (s *State) clientKeys13() Keys {
	return newKeys(s.keyBlock[:], s.Result.Suite, s.clientHS[:s.Result.Suite.Hash.Size], handshakeSecret(wire.Client), "handshake")
}

// halfwayTicket13: a server that takes early data sends its tickets before the client's Finished,
// which it can foretell, since the client shows no certificate. So a client that reads no more
// than its answer has them. RFC 8446 §4.6.1.
func halfwayTicket13(s *State) Need {
	if s.Result.EarlyData != EarlyAccepted {
		return No
	}
	return ticket13NotYet(s)
}

func sendHalfwayTicket13(s *State, ctx context.Context) (wire.Message, error) {
	if s.ticketsSent == 0 {
		s.foretell()
	}
	return sendTicket13(s, ctx)
}

// foretell derives the resumption master secret from what the client's last flight will be.
func (s *State) foretell() {
	h := s.Result.Suite.Hash
	end := wire.AppendMessage(nil, &wire.EndOfEarlyData{}, s.context(wire.Client))
	digest := s.transcript.with(h, end, s.digest[:0])
	finished := wire.Finished{VerifyData: keys.Finished13(h, nil, s.clientHS[:h.Size], digest)}
	end = wire.AppendMessage(end, &finished, s.context(wire.Client))
	digest = s.transcript.with(h, end, s.digest[:0])
	s.resumptionMaster(digest)
}

// endsEarly: the client says where its early data ends. In QUIC its packets do. RFC 8446 §4.5,
// RFC 9001 §8.3.
func endsEarly(s *State) Need {
	return must(s.Result.EarlyData == EarlyAccepted && s.Config.QUIC == nil)
}

func sendEndOfEarlyData(*State, context.Context) (wire.Message, error) {
	return &wire.EndOfEarlyData{}, nil
}

func recvEndOfEarlyData(*State, context.Context, wire.Message) error { return nil }

// endEarly follows EndOfEarlyData: the client's next messages are of the handshake.
func endEarly(s *State, _ context.Context) error {
	if s.isServer() {
		return s.installIn(s.clientKeys13())
	}
	s.records.InstallOut(s.clientKeys13())
	return nil
}

// judgeEarly sees what the server made of our early data, once its EncryptedExtensions are
// read. A server that takes it must have kept what it was sent for. RFC 8446 §4.2.10.
func (s *State) judgeEarly() error {
	switch {
	case !s.early13.offered:
		return nil
	case s.Result.EarlyData == EarlyAccepted && s.Result.ALPN != s.resumed.ALPN:
		return fault(wire.AlertIllegalParameter, fmt.Sprintf("the server takes early data of the application protocol %q for %q", s.resumed.ALPN, s.Result.ALPN), "RFC 8446 §4.2.10", nil)
	case s.Result.EarlyData == EarlyAccepted:
		s.choseEarly(wire.Server, "accepted", "the server says so in its EncryptedExtensions")
		return nil
	case s.resumed != nil: // else it was refused by the ServerHello
		s.dropEarly("the server does not say in its EncryptedExtensions that it takes it")
		if s.Config.QUIC == nil {
			s.records.InstallOut(s.clientKeys13())
		}
	}
	return nil
}

// dropEarly is the end of early data that the server does not take.
func (s *State) dropEarly(why string) {
	s.early13.offered = false
	if s.Config.QUIC != nil {
		s.Config.QUIC.RefusedEarly()
	}
	s.refuseEarly(wire.Server, why)
}

// OffersEarly reports that a client has announced early data, and the server has not answered.
func (s *State) OffersEarly() bool { return s.early13.offered && s.Result.EarlyData == EarlyNone }

// EarlyExporter exports what a server that takes early data shares with its client, before
// that has proved that it is there. RFC 8446 §7.5.
func (s *State) EarlyExporter() func(label string, context []byte, length int) ([]byte, error) {
	h, secret := s.Result.Suite.Hash, s.early13.exporter
	return func(label string, context []byte, length int) ([]byte, error) {
		if length < 0 {
			return nil, &Error{Rule: "keying material of negative length was asked for"}
		}
		out := make([]byte, length)
		if err := keys.Exporter13(h, out, secret[:h.Size], label, context); err != nil {
			return nil, err
		}
		return out, nil
	}
}
