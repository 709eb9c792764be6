package handshake

import (
	"slices"

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
		{wire.ExtSupportedGroups, inBoth, offerGroups, readGroups, answerGroups, acceptGroups},
		{wire.ExtECPointFormats, inServerHello, offerPoints, readPoints, answerPoints, acceptPoints},
		{wire.ExtSessionTicket, inServerHello, offerTicket, readTicket, answerTicket, acceptTicket},
		{wire.ExtEncryptThenMAC, inServerHello, offerEtM, readEmpty, answerEtM, acceptEtM},
		{wire.ExtALPN, inBoth, offerALPN, readALPN, answerALPN, acceptALPN},
		{wire.ExtStatusRequest, inServerHello, offerStatus, wireStatus, answerStatus, acceptStatus},
		{wire.ExtSignatureAlgorithms, nowhere, offerSchemes, readSchemes, nil, nil},
		{wire.ExtSignatureAlgsCert, nowhere, nil, readCertSchemes, nil, nil},
		{wire.ExtCertificateAuthorities, nowhere, nil, readAuthorities, nil, nil},
		{wire.ExtMaxFragmentLength, inBoth, offerMaxFragmentLength, readMaxFragmentLength, answerMaxFragmentLength, acceptMaxFragmentLength},
		{wire.ExtRecordSizeLimit, inBoth, offerSizeLimit, readSizeLimit, answerSizeLimit, acceptSizeLimit},
		{wire.ExtClientCertificateType, inBoth, offerClientTypes, readClientTypes, answerClientType, acceptClientType},
		{wire.ExtServerCertificateType, inBoth, offerServerTypes, readServerTypes, answerServerType, acceptServerType},
		{wire.ExtCompressCertificate, nowhere, offerCertCompressions, readCertCompressions, nil, nil},
		{wire.ExtDelegatedCredential, nowhere, offerDelegated, readDelegated, nil, nil},
		{wire.ExtPostHandshakeAuth, nowhere, offerPostHandshakeAuth, readEmpty, nil, nil},
		{wire.ExtEarlyData, inEncryptedExtensions, offerEarlyData, readEmpty, answerEarlyData, acceptEarlyData},
		{wire.ExtTicketRequest, inEncryptedExtensions, offerTicketRequest, readTicketRequest, answerTicketRequest, acceptTicketHint},
		{wire.ExtStatusRequestV2, inServerHello, offerStatusV2, nil, answerStatusV2, acceptStatusV2},
		{wire.ExtQUICParameters, inEncryptedExtensions, offerQUICParameters, readQUICParameters, offerQUICParameters, acceptQUICParameters},
		{wire.ExtSCT, inServerHello, offerSCT, readEmpty, answerSCT, acceptSCT},
		{wire.ExtSupportedVersions, nowhere, offerVersions, readVersions, nil, nil},
		{wire.ExtCookie, nowhere, offerCookie, readCookie, nil, nil},
		{wire.ExtEncryptedClientHello, inEncryptedExtensions, offerECH, nil, answerECH, acceptECH}, // openHello reads it
		{wire.ExtPSKKeyExchangeModes, nowhere, offerPSKModes, readPSKModes, nil, nil},
		{wire.ExtCertWithExternPSK, nowhere, offerBeside, readEmpty, nil, nil},
		{wire.ExtKeyShare, nowhere, offerKeyShares, readKeyShares, nil, nil},
		{wire.ExtPreSharedKey, nowhere, offerPSK, nil, nil, nil}, // demandPSK reads it
	}
}

// readAuthorities checks the form of what no choice of ours depends on.
func readAuthorities(_ *Offer, r *wire.Reader) { wire.ReadAuthorities(r, 3, nil) }

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

// readOffer reads the extensions of a ClientHello that we know.
func (s *State) readOffer() error {
	s.Offer.Suites = s.hello.CipherSuites
	for _, x := range s.hello.Extensions {
		row := row(x.Type)
		if row == nil || row.Read == nil {
			continue
		}
		s.reader = wire.NewReader(x.Data, nil)
		row.Read(&s.Offer, &s.reader)
		if err := s.finishReading(x.Type); err != nil {
			return err
		}
	}
	return nil
}

// finishReading checks that nothing of an extension is left. Its name is looked
// up for an error only.
func (s *State) finishReading(t wire.ExtensionType) error {
	if s.reader.Err() == nil && s.reader.Left() == 0 {
		return nil
	}
	return syntax(s.reader.Finish(t.String()))
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
	if s.profile != nil && s.profile.bare && t != wire.ExtRenegotiationInfo || s.Result.QUIC && foreignToQUIC(t) {
		return false
	}
	return s.hello.Extensions.Has(t) ||
		t == wire.ExtRenegotiationInfo && slices.Contains(s.hello.CipherSuites, wire.TLS_EMPTY_RENEGOTIATION_INFO_SCSV)
}

func (s *State) answersIn(row *extension) bool {
	return row.Answers == s.profile.answers || row.Answers == inBoth
}

// acceptExtensions judges the server's answers: each must have been asked for
// and stand in the right message. RFC 8446 §4.2, RFC 5246 §7.4.1.4.
func (s *State) acceptExtensions(x wire.Extensions) error {
	for i := range x {
		row := row(x[i].Type)
		if !s.asked(x[i].Type) || row == nil || row.Accept == nil || !s.answersIn(row) {
			return s.misplaced(x[i].Type)
		}
		s.reader = wire.NewReader(x[i].Data, nil)
		wrong := row.Accept(s, &s.reader)
		if err := s.finishReading(x[i].Type); err != nil { // what does not parse has no value to be wrong
			return err
		}
		if wrong != nil {
			return wrong
		}
	}
	return nil
}

// misplaced is the error for an extension that must not stand in a message of
// the server: because nothing asked for it, or because it belongs elsewhere.
func (s *State) misplaced(t wire.ExtensionType) error {
	row := row(t)
	newer := row != nil && row.Answers == inEncryptedExtensions && !s.answersIn(row) && // the version does not know it
		t != wire.ExtTicketRequest // RFC 9149 §3
	if !s.hello.Extensions.Has(t) || newer {
		return fault(wire.AlertUnsupportedExtension, "the server answered an extension that we did not send: "+t.String(), "RFC 8446 §4.2", nil)
	}
	return stray(wire.Server, t)
}

// stray is the error for an extension that we know, in a message that it is not for.
func stray(from wire.Role, t wire.ExtensionType) error {
	return fault(wire.AlertIllegalParameter, "the "+from.String()+" put the extension "+t.String()+" into a message it does not belong in", "RFC 8446 §4.2", nil)
}

func readEmpty(*Offer, *wire.Reader)         {}
func acceptEmpty(*State, *wire.Reader) error { return nil }
func wireStatus(_ *Offer, r *wire.Reader)    { wire.ReadStatusRequest(r) }
