package main

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/cpu"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// hello checks what a server sees of the ClientHello.
func (e *expectations) hello(info *tls.ClientHelloInfo) error {
	switch {
	case e.noServerName && info.ServerName != "":
		return fmt.Errorf("expected no server name, got %q", info.ServerName)
	case e.serverName != "" && info.ServerName != e.serverName:
		return fmt.Errorf("server name is %q, wanted %q", info.ServerName, e.serverName)
	}
	if e.advertisedALPN != "" {
		var list strings.Builder
		for _, p := range info.SupportedProtos {
			list.WriteByte(byte(len(p)))
			list.WriteString(p)
		}
		if list.String() != e.advertisedALPN {
			return fmt.Errorf("the client offers the protocols %q, wanted %q", list.String(), e.advertisedALPN)
		}
	}
	return e.schemes(info.SignatureSchemes)
}

func (e *expectations) schemes(got []tls.SignatureScheme) error {
	same := slices.EqualFunc(got, e.peerVerify, func(a tls.SignatureScheme, b int) bool { return int(a) == b })
	if e.peerVerify != nil && !same {
		return fmt.Errorf("the peer verifies %v, wanted %v", got, e.peerVerify)
	}
	return nil
}

// request checks what a client sees of the CertificateRequest.
func (e *expectations) request(info *tls.CertificateRequestInfo, w *watch) error {
	if e.certificateTypes != nil && !bytes.Equal(w.certificateTypes, e.certificateTypes) {
		return fmt.Errorf("certificate types are %x, wanted %x", w.certificateTypes, e.certificateTypes)
	}
	if e.clientCAs != "" {
		names, err := hexNames(e.clientCAs)
		if err != nil {
			return err
		}
		if !slices.EqualFunc(names, info.AcceptableCAs, bytes.Equal) {
			return fmt.Errorf("authorities are %x, wanted %x", info.AcceptableCAs, names)
		}
	}
	if e.peerVerify != nil {
		return e.schemes(info.SignatureSchemes)
	}
	return nil
}

// A check is one thing that must hold; what is said if it does not.
type check struct {
	holds bool
	what  string
}

func firstFailure(checks []check) error {
	for _, c := range checks {
		if !c.holds {
			return errors.New(c.what)
		}
	}
	return nil
}

// handshake checks what the first handshake of a connection has agreed on.
// BoringSSL keeps the group and the peer's signature scheme in its sessions; State
// tells of them where they were used, so they are checked in full handshakes.
func (o *options) handshake(conn endpoint, w *watch, resume bool) error {
	if err := o.authentication(conn); err != nil {
		return err
	}
	if err := o.ech.check(conn.ConnectionState()); err != nil {
		return err
	}
	e, cs, state := &o.expect, conn.ConnectionState(), conn.State()
	alpn := e.alpn
	signature := state.ServerSignature
	if o.server {
		alpn, signature = o.selectALPN, state.ClientSignature
	}
	cipher := e.cipher
	if cipher == 0 {
		cipher = e.cipherNoAES
		if aesHardware() {
			cipher = e.cipherAES
		}
	}
	newSession := !e.noSession && (!cs.DidResume || e.ticketRenewal) && cs.Version < tls.VersionTLS13
	w.mutex.Lock()
	saved, stored := w.saved != nil, w.stored
	w.mutex.Unlock()
	certified := !o.server || o.requireAnyClientCertificate
	return firstFailure([]check{
		{e.version == 0 || int(cs.Version) == e.version, fmt.Sprintf("want version %04x, got %04x", e.version, cs.Version)},
		{cs.DidResume == (resume && !e.sessionMiss), fmt.Sprintf("session resumed: %v", cs.DidResume)},
		{o.server || newSession == saved, fmt.Sprintf("new session saved: %v", saved)},
		{!o.server || resume || !e.sessionID || stored, "session was not stored on the server"},
		{!o.server || resume || !e.noSessionID || !stored, "session was stored on the server"},
		{e.serverName == "" || cs.ServerName == e.serverName, fmt.Sprintf("server name is %q", cs.ServerName)},
		{cs.NegotiatedProtocol == alpn, fmt.Sprintf("negotiated protocol is %q, wanted %q", cs.NegotiatedProtocol, alpn)},
		{!e.extendedMasterSecret || state.ExtendedMasterSecret || cs.Version == tls.VersionTLS13, "no extended master secret"},
		{!e.secureRenegotiation || state.SecureRenegotiation || cs.Version == tls.VersionTLS13, "no secure renegotiation"},
		{!e.noSecureRenegotiate || !state.SecureRenegotiation, "secure renegotiation was negotiated"},
		{e.peerSignature == 0 || cs.DidResume || int(signature) == e.peerSignature, fmt.Sprintf("the peer's signature is %04x, wanted %04x", uint16(signature), e.peerSignature)},
		{e.curve == 0 || cs.DidResume && cs.Version < tls.VersionTLS13 || int(state.Group) == e.curve, fmt.Sprintf("the group is %04x, wanted %04x", uint16(state.Group), e.curve)},
		{cipher == 0 || int(cs.CipherSuite) == cipher, fmt.Sprintf("the cipher suite is %04x, wanted %04x", cs.CipherSuite, cipher)},
		{!e.noPeerCert && o.psk == "" || len(cs.PeerCertificates) == 0, "unexpected peer certificate"},
		{!certified || e.noPeerCert || o.psk != "" || w.external != "" || len(cs.PeerCertificates) > 0 || state.PeerRawPublicKey != nil, "no peer certificate"},
		{!e.selectedSet || e.selected == w.selected, fmt.Sprintf("credential %d was used, wanted %d", w.selected, e.selected)},
		{!e.hrr || state.HelloRetry, "no HelloRetryRequest"},
		{!e.noHRR || !state.HelloRetry, "unexpected HelloRetryRequest"},
	})
}

// authentication checks what the peer showed, after each handshake.
func (o *options) authentication(conn endpoint) error {
	e, state := &o.expect, conn.State()
	if e.ocsp != nil && !bytes.Equal(e.ocsp, state.OCSPResponse) {
		return fmt.Errorf("the OCSP response is %x, wanted %x", state.OCSPResponse, e.ocsp)
	}
	if err := e.peerKeyOf(&state, o.server); err != nil {
		return err
	}
	if e.scts != nil {
		scts, err := splitSCTs(e.scts)
		if err != nil {
			return err
		}
		if !slices.EqualFunc(scts, state.SCTs, bytes.Equal) {
			return fmt.Errorf("the SCTs are %x, wanted %x", state.SCTs, scts)
		}
	}
	if e.peerCertFile == "" {
		return nil
	}
	text, err := os.ReadFile(e.peerCertFile)
	if err != nil {
		return err
	}
	n := 0
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if n >= len(state.PeerCertificates) || !bytes.Equal(block.Bytes, state.PeerCertificates[n].Raw) {
			return fmt.Errorf("the peer's certificate %d is not the expected one", n)
		}
		n++
	}
	if n != len(state.PeerCertificates) {
		return fmt.Errorf("the peer showed %d certificates, wanted %d", len(state.PeerCertificates), n)
	}
	return nil
}

// tickets checks, before the shutdown, whether a server of TLS 1.3 has sent any.
func (o *options) tickets(conn endpoint, w *watch) error {
	if o.server || conn.State().Version != wire.TLS13 {
		return nil
	}
	if err := o.supportsEarly(w); err != nil {
		return err
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if want := !o.expect.noSession && !o.shimShutsDown; want != (w.saved != nil) {
		return fmt.Errorf("new session saved: %v", w.saved != nil)
	}
	return nil
}

// end checks the connection once it is over.
func (o *options) end(conn endpoint, w *watch) error {
	w.mutex.Lock()
	messages := w.messages.String()
	w.mutex.Unlock()
	state := conn.State()
	if state.Renegotiations > 0 {
		if err := o.authentication(conn); err != nil {
			return err
		}
	}
	if state.Renegotiations != o.expect.renegotiations {
		return fmt.Errorf("expected %d renegotiations, got %d", o.expect.renegotiations, state.Renegotiations)
	}
	want := o.expect.messages
	if state.Version == wire.TLS13 { // there the record means nothing, and each stack sends it when it likes
		messages, want = withoutCCS(messages), withoutCCS(want)
	}
	if want != "" && want != messages {
		return fmt.Errorf("messages are\n%s\nwanted\n%s", messages, want)
	}
	return nil
}

func withoutCCS(messages string) string {
	return strings.NewReplacer("read ccs\n", "", "write ccs\n", "").Replace(messages)
}

func aesHardware() bool {
	if runtime.GOARCH == "arm64" {
		return cpu.ARM64.HasAES
	}
	return cpu.X86.HasAES
}
