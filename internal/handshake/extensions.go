package handshake

import (
	"slices"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// place is where a server's answer to an extension stands. RFC 8446 §4.2.
type place uint8

const (
	nowhere               place = iota // answered by a step of its own, or not at all
	inServerHello                      // TLS 1.2
	inEncryptedExtensions              // TLS 1.3
	inBoth                             // whichever the version has
)

// extension is one row: everything the handshake does about an extension. A
// nil column means that this does not happen.
type extension struct {
	Type wire.ExtensionType
	// Answers is where an answer may stand; elsewhere it is refused.
	Answers place
	// Offer appends the body for our ClientHello; false leaves it out.
	Offer func(*State, []byte) ([]byte, bool)
	// Read takes the client's offer.
	Read func(*Offer, *wire.Reader)
	// Answer appends the body of our answer; false leaves it out.
	Answer func(*State, []byte) ([]byte, bool)
	// Accept judges the server's answer.
	Accept func(*State, *wire.Reader) error
}

// extensions are in the order in which our ClientHello has them; pre_shared_key
// must be the last. RFC 8446 §4.2.11.
var extensions []extension

func init() {
	extensions = []extension{
		{wire.ExtServerName, inBoth, offerServerName, readServerName, answerServerName, acceptEmpty},
		{wire.ExtExtendedMasterSecret, inServerHello, offerEMS, readEmpty, answerEMS, acceptEMS},
		{wire.ExtRenegotiationInfo, inServerHello, offerRenegotiation, readRenegotiation, answerRenegotiation, acceptRenegotiation},
		{wire.ExtSupportedGroups, inBoth, offerGroups, readGroups, nil, acceptIgnored},
		{wire.ExtECPointFormats, inServerHello, offerPoints, readPoints, answerPoints, acceptPoints},
		{wire.ExtSessionTicket, inServerHello, offerTicket, readTicket, answerTicket, acceptTicket},
		{wire.ExtEncryptThenMAC, inServerHello, offerEtM, readEmpty, answerEtM, acceptEtM},
		{wire.ExtALPN, inBoth, offerALPN, readALPN, answerALPN, acceptALPN},
		{wire.ExtStatusRequest, inServerHello, offerStatus, wireStatus, answerStatus, acceptStatus},
		{wire.ExtSignatureAlgorithms, nowhere, offerSchemes, readSchemes, nil, nil},
		{wire.ExtSignatureAlgsCert, nowhere, nil, readCertSchemes, nil, nil},
		{wire.ExtSCT, inServerHello, offerSCT, readEmpty, answerSCT, acceptSCT},
		{wire.ExtSupportedVersions, nowhere, offerVersions, readVersions, nil, nil},
		{wire.ExtCookie, nowhere, offerCookie, readCookie, nil, nil},
		{wire.ExtPSKKeyExchangeModes, nowhere, offerPSKModes, readPSKModes, nil, nil},
		{wire.ExtKeyShare, nowhere, offerKeyShares, readKeyShares, nil, nil},
		{wire.ExtPreSharedKey, nowhere, offerPSK, readPSKs, nil, nil},
	}
}

// row returns the row of t, or nil.
func row(t wire.ExtensionType) *extension {
	for i := range extensions {
		if extensions[i].Type == t {
			return &extensions[i]
		}
	}
	return nil
}

// body appends an extension whose body f makes in the arena.
func (s *State) body(x wire.Extensions, t wire.ExtensionType, f func(*State, []byte) ([]byte, bool)) wire.Extensions {
	start := len(s.arena)
	b, ok := f(s, s.arena)
	if !ok {
		return x
	}
	s.arena = b
	return append(x, wire.Extension{Type: t, Data: b[start:len(b):len(b)]})
}

// offerExtensions fills our ClientHello.
func (s *State) offerExtensions(x wire.Extensions) wire.Extensions {
	if s.Config.GREASE {
		x = append(x, wire.Extension{Type: wire.ExtensionType(s.grease(greaseExtension1))})
	}
	for i := range extensions {
		row := &extensions[i]
		if row.Offer == nil {
			continue
		}
		if row.Type == wire.ExtPreSharedKey && s.Config.GREASE {
			x = append(x, wire.Extension{Type: wire.ExtensionType(s.grease(greaseExtension2)), Data: []byte{0}})
		}
		x = s.body(x, row.Type, row.Offer)
	}
	return x
}

// readOffer reads the extensions of a ClientHello that we know.
func (s *State) readOffer() error {
	s.Offer.Suites = s.hello.CipherSuites
	for _, x := range s.hello.Extensions {
		row := row(x.Type)
		if row == nil || row.Read == nil {
			continue
		}
		r := wire.NewReader(x.Data, nil)
		row.Read(&s.Offer, &r)
		if err := r.Finish(x.Type.String()); err != nil {
			return syntax(err)
		}
	}
	return nil
}

// answerExtensions appends our answers to what the client offered.
func (s *State) answerExtensions(x wire.Extensions) wire.Extensions {
	for i := range extensions {
		row := &extensions[i]
		if row.Answer != nil && s.answersIn(row) && s.asked(row.Type) {
			x = s.body(x, row.Type, row.Answer)
		}
	}
	return x
}

// asked reports whether the client sent the extension. The SCSV is as good as
// an empty renegotiation_info. RFC 5746 §3.3.
func (s *State) asked(t wire.ExtensionType) bool {
	return s.hello.Extensions.Has(t) ||
		t == wire.ExtRenegotiationInfo && slices.Contains(s.hello.CipherSuites, wire.TLS_EMPTY_RENEGOTIATION_INFO_SCSV)
}

func (s *State) answersIn(row *extension) bool {
	return row.Answers == s.profile.answers || row.Answers == inBoth
}

// acceptExtensions judges the server's answers: each must have been asked for
// and stand in the right message. known are those that the message's own
// handler deals with. RFC 8446 §4.2, RFC 5246 §7.4.1.4.
func (s *State) acceptExtensions(x wire.Extensions, known ...wire.ExtensionType) error {
	for i := range x {
		if slices.Contains(known, x[i].Type) {
			continue
		}
		row := row(x[i].Type)
		if !s.hello.Extensions.Has(x[i].Type) || row == nil || row.Accept == nil || !s.answersIn(row) {
			return s.misplaced(x[i].Type)
		}
		r := wire.NewReader(x[i].Data, nil)
		if err := row.Accept(s, &r); err != nil {
			return err
		}
		if err := r.Finish(x[i].Type.String()); err != nil {
			return syntax(err)
		}
	}
	return nil
}

// misplaced is the error for an extension that must not stand in a message of
// the server: because nothing asked for it, or because it belongs elsewhere.
func (s *State) misplaced(t wire.ExtensionType) error {
	if !s.hello.Extensions.Has(t) {
		return fault(wire.AlertUnsupportedExtension, "the server answered an extension that we did not send: "+t.String(), "RFC 8446 §4.2", nil)
	}
	return fault(wire.AlertIllegalParameter, "the server put the extension "+t.String()+" into a message it does not belong in", "RFC 8446 §4.2", nil)
}

func readEmpty(*Offer, *wire.Reader)               {}
func acceptEmpty(*State, *wire.Reader) error       { return nil }
func wireStatus(_ *Offer, r *wire.Reader)          { wire.ReadStatusRequest(r) }
func acceptIgnored(_ *State, r *wire.Reader) error { r.Rest("ignored"); return nil }

// server_name, RFC 6066 §3

func offerServerName(s *State, b []byte) ([]byte, bool) {
	if s.Config.ServerName == "" {
		return b, false
	}
	return wire.AppendServerName(b, s.Config.ServerName), true
}

func readServerName(o *Offer, r *wire.Reader) { o.ServerName = wire.ReadServerName(r) }

// A resumed session's name is not answered again.
func answerServerName(s *State, b []byte) ([]byte, bool) { return b, s.resumed == nil }

// extended_master_secret, RFC 7627 §5

func offerEMS(s *State, b []byte) ([]byte, bool) {
	return b, s.offers12() && !s.Config.NoExtendedMasterSecret
}

func answerEMS(s *State, b []byte) ([]byte, bool) { return b, s.Result.ExtendedMasterSecret }

func acceptEMS(s *State, _ *wire.Reader) error {
	s.Result.ExtendedMasterSecret = true
	return nil
}

// renegotiation_info, RFC 5746 §3

func offerRenegotiation(s *State, b []byte) ([]byte, bool) {
	return wire.AppendRenegotiationInfo(b, nil), s.offers12()
}

func readRenegotiation(o *Offer, r *wire.Reader) { o.Renegotiated = wire.ReadRenegotiationInfo(r) }

func answerRenegotiation(s *State, b []byte) ([]byte, bool) {
	return wire.AppendRenegotiationInfo(b, nil), s.Result.SecureRenegotiation
}

func acceptRenegotiation(s *State, r *wire.Reader) error {
	if len(wire.ReadRenegotiationInfo(r)) != 0 {
		return fault(wire.AlertHandshakeFailure, "the server's renegotiation_info speaks of an earlier handshake", "RFC 5746 §3.4", nil)
	}
	s.Result.SecureRenegotiation = true
	return nil
}

// supported_groups, RFC 8446 §4.2.7

func offerGroups(s *State, b []byte) ([]byte, bool) {
	b, mark := append(b, 0, 0), len(b)
	if s.Config.GREASE {
		b = wire.AppendU16(b, s.grease(greaseGroup))
	}
	for _, g := range s.Config.Groups {
		if s.offers13() || !postQuantum(g) {
			b = wire.AppendU16(b, g)
		}
	}
	size := len(b) - mark - 2
	b[mark], b[mark+1] = byte(size>>8), byte(size)
	return b, size > 0
}

func readGroups(o *Offer, r *wire.Reader) { o.Groups = wire.ReadSupportedGroups(r, o.Groups) }

// ec_point_formats, RFC 8422 §5.1.2

func offerPoints(s *State, b []byte) ([]byte, bool) {
	return append(b, 1, wire.PointFormatUncompressed), s.offers12()
}

func readPoints(o *Offer, r *wire.Reader) { o.Points = wire.ReadPointFormats(r) }

func answerPoints(s *State, b []byte) ([]byte, bool) {
	return append(b, 1, wire.PointFormatUncompressed), s.Result.Suite.KeyExchange == wire.KeyExchangeECDHE
}

func acceptPoints(_ *State, r *wire.Reader) error {
	if !slices.Contains(wire.ReadPointFormats(r), wire.PointFormatUncompressed) && r.Err() == nil {
		return fault(wire.AlertIllegalParameter, "the server does not speak uncompressed points", "RFC 8422 §5.2", nil)
	}
	return nil
}

// session_ticket, RFC 5077 §3.2

func offerTicket(s *State, b []byte) ([]byte, bool) {
	if s.offered != nil && !s.offered.isPSK() {
		b = append(b, s.offered.Ticket...)
	}
	return b, s.offers12() && s.Config.Sessions && s.Config.Tickets
}

func readTicket(o *Offer, r *wire.Reader) { o.Ticket = r.Rest("ticket") }

func answerTicket(s *State, b []byte) ([]byte, bool) { return b, s.wantTicket }

func acceptTicket(s *State, _ *wire.Reader) error {
	s.wantTicket = true
	return nil
}

// encrypt_then_mac, RFC 7366 §2

func offerEtM(s *State, b []byte) ([]byte, bool) {
	return b, s.offers12() && !s.Config.NoEncryptThenMAC && slices.ContainsFunc(s.Config.Suites, isCBC)
}

func isCBC(s *suite.Suite) bool { return s.Cipher.BlockLen > 0 && s.MAC != nil }

func answerEtM(s *State, b []byte) ([]byte, bool) { return b, s.Result.EncryptThenMAC }

func acceptEtM(s *State, _ *wire.Reader) error {
	if !isCBC(s.Result.Suite) {
		return fault(wire.AlertIllegalParameter, "the server wants encrypt-then-MAC with "+s.Result.Suite.Name+", which has no MAC of its own", "RFC 7366 §3", nil)
	}
	s.Result.EncryptThenMAC = true
	return nil
}

// application_layer_protocol_negotiation, RFC 7301

func offerALPN(s *State, b []byte) ([]byte, bool) {
	if len(s.Config.ALPN) == 0 {
		return b, false
	}
	return wire.AppendALPN(b, s.Config.ALPN...), true
}

func readALPN(o *Offer, r *wire.Reader) { o.ALPN = wire.ReadALPN(r, o.ALPN) }

func answerALPN(s *State, b []byte) ([]byte, bool) {
	if s.Result.ALPN == "" {
		return b, false
	}
	return wire.AppendALPN(b, s.Result.ALPN), true
}

func acceptALPN(s *State, r *wire.Reader) error {
	picked := wire.ReadALPN(r, nil)
	if r.Err() != nil {
		return nil
	}
	if len(picked) != 1 || !slices.Contains(s.Config.ALPN, string(picked[0])) {
		return disagree(wire.AlertIllegalParameter, "application protocol", "RFC 7301 §3.2", s.Config.ALPN, picked,
			"the server picked what was not offered")
	}
	s.Result.ALPN = string(picked[0])
	s.choseALPN(wire.Server, s.Config.ALPN, nil)
	return nil
}

// status_request, RFC 6066 §8. In TLS 1.3 the answer is in Certificate.

func offerStatus(s *State, b []byte) ([]byte, bool) { return wire.AppendStatusRequest(b), true }

func answerStatus(s *State, b []byte) ([]byte, bool) {
	s.statusSent = s.resumed == nil && len(s.certificate.OCSPStaple) > 0
	return b, s.statusSent
}

func acceptStatus(s *State, _ *wire.Reader) error {
	s.statusSent = true
	return nil
}

// signed_certificate_timestamp, RFC 6962 §3.3.1. In TLS 1.3 it is in Certificate.

func offerSCT(_ *State, b []byte) ([]byte, bool) { return b, true }

func answerSCT(s *State, b []byte) ([]byte, bool) {
	if s.resumed != nil || len(s.certificate.SignedCertificateTimestamps) == 0 {
		return b, false
	}
	return wire.AppendSCTs(b, s.certificate.SignedCertificateTimestamps), true
}

func acceptSCT(s *State, r *wire.Reader) error {
	s.Result.Peer.SCTs = cloneAll(wire.ReadSCTs(r, nil))
	return nil
}

// signature_algorithms, RFC 8446 §4.2.3

func offerSchemes(s *State, b []byte) ([]byte, bool) {
	return wire.AppendU16List(b, s.Config.Schemes), true
}

func readSchemes(o *Offer, r *wire.Reader) { o.Schemes = wire.ReadSignatureAlgorithms(r, o.Schemes) }

func readCertSchemes(o *Offer, r *wire.Reader) {
	o.CertSchemes = wire.ReadSignatureAlgorithms(r, o.CertSchemes)
}

// supported_versions, RFC 8446 §4.2.1

func offerVersions(s *State, b []byte) ([]byte, bool) {
	b, mark := append(b, 0), len(b)
	if s.Config.GREASE {
		b = wire.AppendU16(b, s.grease(greaseVersion))
	}
	for _, v := range s.Config.Versions {
		b = wire.AppendU16(b, v)
	}
	b[mark] = byte(len(b) - mark - 1)
	return b, s.offers13()
}

func readVersions(o *Offer, r *wire.Reader) { o.Versions = wire.ReadSupportedVersions(r, o.Versions) }

// cookie, RFC 8446 §4.2.2

func offerCookie(s *State, b []byte) ([]byte, bool) {
	if len(s.cookie) == 0 {
		return b, false
	}
	return wire.AppendCookie(b, s.cookie), true
}

func readCookie(o *Offer, r *wire.Reader) { o.Cookie = wire.ReadCookie(r) }

// psk_key_exchange_modes, RFC 8446 §4.2.9. We never do without (EC)DHE.

func offerPSKModes(s *State, b []byte) ([]byte, bool) {
	return append(b, 1, byte(wire.PSKModeDHE)), s.offers13()
}

func readPSKModes(o *Offer, r *wire.Reader) { o.PSKModes = wire.ReadPSKModes(r, o.PSKModes) }
