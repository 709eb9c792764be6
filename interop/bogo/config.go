package main

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// shared is what the connections of one process have in common.
type shared struct {
	ticketKeys [][32]byte
	store      session.Store
	clock      time.Time // stands still but for -resumption-delay
}

// boringSuites are what BoringSSL has under "ALL", in its order.
var boringSuites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	uint16(wire.TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256),
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
	uint16(wire.TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA),
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
	uint16(wire.TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA),
	tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_RSA_WITH_AES_128_CBC_SHA, uint16(wire.TLS_PSK_WITH_AES_128_CBC_SHA),
	tls.TLS_RSA_WITH_AES_256_CBC_SHA, uint16(wire.TLS_PSK_WITH_AES_256_CBC_SHA),
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
}

// keywords are the names for several suites that the runner uses.
var keywords = map[string]func(name string) bool{
	"ALL":     func(string) bool { return true },
	"DEFAULT": func(string) bool { return true },
	"AES":     func(name string) bool { return strings.Contains(name, "_AES_") },
	"AES128":  func(name string) bool { return strings.Contains(name, "_AES_128_") },
}

// suites reads a list in OpenSSL's syntax, as far as the runner uses it.
func suites(list string, psk bool) ([]uint16, error) {
	if list == "" {
		list = "ALL"
	}
	if strings.Contains(list, "[") {
		fmt.Fprintln(os.Stderr, "groups of suites of equal preference are not implemented")
		os.Exit(unimplemented)
	}
	var picked []uint16
	for _, word := range strings.Split(list, ":") {
		name, remove := strings.CutPrefix(word, "!")
		match := keywords[name]
		candidates := boringSuites
		if match == nil {
			match = func(s string) bool { return s == name }
		}
		if name == "3DES" || strings.Contains(name, "_3DES_") {
			match, candidates = keywords["ALL"], []uint16{tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA}
		}
		before := len(picked)
		for _, id := range candidates {
			known := tls.CipherSuiteName(id)
			switch {
			case !match(known) || !psk && strings.Contains(known, "_PSK_"):
			case remove:
				picked = slices.DeleteFunc(picked, func(p uint16) bool { return p == id })
				before = -1
			case !slices.Contains(picked, id):
				picked = append(picked, id)
			}
		}
		if len(picked) == before {
			return nil, fmt.Errorf("no cipher suite is called %q", name)
		}
	}
	return picked, nil
}

// listed are the suites of a policy, or else those that -cipher names.
func (o *options) listed() ([]uint16, error) {
	if o.suites != nil {
		return o.suites, nil
	}
	return suites(o.cipher, o.psk != "")
}

// config makes the Config of one connection.
func (o *options) config(s *shared, w *watch, offer *tls.ClientSessionState) (*tls.Config, error) {
	list, err := o.listed()
	if err != nil {
		return nil, err
	}
	low, high, err := o.versions()
	if err != nil {
		return nil, err
	}
	c := &tls.Config{
		MinVersion: low, MaxVersion: high,
		CipherSuites:             list,
		PreferClientCipherSuites: o.cipher == "" && !o.serverPreference,
		ServerName:               o.hostName,
		InsecureSkipVerify:       true, // VerifyPeerCertificate says what the test wants
		VerifyPeerCertificate:    o.verify(w),
		VerifyConnection:         o.heedKeyUsage,
		SessionTicketsDisabled:   o.noTicket,
		GREASE:                   o.enableGREASE || o.server, // which the tests expect of every server
		ShuffleExtensions:        o.shuffle,
		Time:                     func() time.Time { return s.clock },
		Trace:                    w.hooks(),
		Record:                   tls.RecordOptions{MaxFragment: o.maxSendFragment},
		Renegotiate:              tls.Renegotiate{Max: 1 << 20, MinInterval: -1, RefuseFatally: !o.renegotiateIgnore, RequireSecure: o.requireSecure},
		Legacy: tls.Legacy{
			RSAKeyExchange: true, TripleDES: slices.Contains(list, tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA),
			SmallRSA: true, SHA1Signatures: true, SSL2Hello: true, FallbackSCSV: o.fallbackSCSV,
			UnsafeRenegotiation: o.renegotiateFreely,
		},
	}
	o.groups(c)
	o.schemes(c)
	switch {
	case o.renegotiateFreely:
		c.Renegotiation = tls.RenegotiateFreelyAsClient
	case o.renegotiateOnce:
		c.Renegotiation = tls.RenegotiateOnceAsClient
	}
	if o.psk != "" {
		o.setPSK(c)
	}
	o.external(c, w)
	if err := cmp.Or(o.ech.set(c, o, w), o.authentications(c, w)); err != nil {
		return nil, err
	}
	if o.server {
		return c, o.serverConfig(c, s, w)
	}
	c.ClientSessionCache = oneSession{w, offer}
	for rest := o.advertiseALPN; rest != ""; {
		n := int(rest[0])
		if n+1 > len(rest) {
			return nil, errors.New("-advertise-alpn is cut off")
		}
		c.NextProtos = append(c.NextProtos, rest[1:1+n])
		rest = rest[1+n:]
	}
	return c, nil
}

// heedKeyUsage refuses a key for what its certificate does not allow, as is done where
// the chain is verified.
func (o *options) heedKeyUsage(cs tls.ConnectionState) error {
	use := certcheck.SignatureKeyUsage
	if !o.server && strings.HasPrefix(tls.CipherSuiteName(cs.CipherSuite), "TLS_RSA_") {
		use = certcheck.EncryptionKeyUsage
	}
	if len(cs.PeerCertificates) == 0 {
		return nil
	}
	return use(cs.PeerCertificates[0])
}

// groups sets the groups and the key shares that go with them. Where a test does not
// say otherwise it expects BoringSSL's choice: the best of each kind. A client that
// knows what the server has takes the best group of both.
func (o *options) groups(c *tls.Config) {
	hinted, kinds := false, map[bool]bool{}
	var shares []tls.CurveID
	for _, id := range o.curves {
		g := tls.CurveID(id)
		c.CurvePreferences = append(c.CurvePreferences, g)
		if kem := g == tls.X25519MLKEM768 || g == tls.MLKEM1024; !kinds[kem] {
			kinds[kem], shares = true, append(shares, g)
		}
		if !hinted && slices.Contains(o.groupsHint, id) {
			hinted, c.KeyShares = true, []tls.CurveID{g}
		}
	}
	switch {
	case hinted:
	case o.noKeyShares:
		c.KeyShares = []tls.CurveID{}
	case len(o.keyShares) > 0:
		for _, id := range o.keyShares {
			c.KeyShares = append(c.KeyShares, tls.CurveID(id))
		}
	default:
		c.KeyShares = shares
	}
}

// boringSchemes are what BoringSSL verifies by default.
var boringSchemes = []tls.SignatureScheme{
	tls.ECDSAWithP256AndSHA256, tls.PSSWithSHA256, tls.PKCS1WithSHA256, tls.ECDSAWithP384AndSHA384,
	tls.PSSWithSHA384, tls.PKCS1WithSHA384, tls.PSSWithSHA512, tls.PKCS1WithSHA512, tls.PKCS1WithSHA1,
}

// schemes sets what the peer may sign with. MD5 and SHA-1 together has no number
// that could be listed: it is for the versions that have no such list.
func (o *options) schemes(c *tls.Config) {
	for _, id := range o.verifyPrefs {
		if wire.SignatureScheme(id) != wire.RSAMD5SHA1 {
			c.SignatureSchemes = append(c.SignatureSchemes, tls.SignatureScheme(id))
		}
	}
	if len(c.SignatureSchemes) == 0 {
		c.SignatureSchemes = boringSchemes
	}
}

func (o *options) versions() (low, high uint16, err error) {
	off := map[uint16]bool{tls.VersionTLS10: o.noTLS1, tls.VersionTLS11: o.noTLS11, tls.VersionTLS12: o.noTLS12, tls.VersionTLS13: o.noTLS13}
	ended := false
	for v := uint16(tls.VersionTLS10); v <= tls.VersionTLS13; v++ {
		on := !off[v] && int(v) >= o.minVersion && (o.maxVersion == 0 || int(v) <= o.maxVersion)
		switch {
		case on && ended:
			fmt.Fprintln(os.Stderr, "a gap between versions is not implemented")
			os.Exit(unimplemented)
		case on && low == 0:
			low, high = v, v
		case on:
			high = v
		case low != 0:
			ended = true
		}
	}
	if low == 0 {
		return 0, 0, errors.New("no version is left")
	}
	return low, high, nil
}

// external sets the PSKs of TLS 1.3. A side with nothing else wants nothing else, but for a
// client that verifies certificates too. A server prefers what is listed first.
func (o *options) external(c *tls.Config, w *watch) {
	var keys []tls.ExternalPSK
	var places []int
	for i, from := range o.credentials {
		if from.external != nil {
			keys, places = append(keys, *from.external), append(places, i)
		}
	}
	if len(keys) == 0 {
		return
	}
	find := func(identity []byte) int {
		return slices.IndexFunc(keys, func(x tls.ExternalPSK) bool { return bytes.Equal(x.Identity, identity) })
	}
	if !o.server {
		c.PSK.External, c.PSK.Required = keys, !o.verifyPeer
	} else {
		c.PSK.ExternalServer = func(identity []byte) (*tls.ExternalPSK, error) {
			if i := find(identity); i >= 0 {
				return &keys[i], nil
			}
			return nil, nil
		}
	}
	own := c.VerifyConnection
	c.VerifyConnection = func(cs tls.ConnectionState) error {
		w.mutex.Lock()
		defer w.mutex.Unlock()
		if i := find([]byte(w.external)); i >= 0 {
			w.selected = places[i]
		}
		return own(cs)
	}
}

func (o *options) setPSK(c *tls.Config) {
	c.PSK.Hint = o.pskIdentity
	c.PSK.Client = func(hint string) (string, []byte, error) {
		if hint != o.pskIdentity {
			return "", nil, fmt.Errorf("server PSK hint is %q", hint)
		}
		return o.pskIdentity, []byte(o.psk), nil
	}
	c.PSK.Server = func(identity string) ([]byte, error) {
		if identity != o.pskIdentity {
			return nil, fmt.Errorf("client PSK identity is %q", identity)
		}
		return []byte(o.psk), nil
	}
}

// verify is what the runner's tests call the certificate verification callback,
// which BoringSSL runs on resumption only when told so.
func (o *options) verify(w *watch) func([][]byte, [][]*x509.Certificate) error {
	return func([][]byte, [][]*x509.Certificate) error {
		o := o
		if w.refused() && o.retry != nil {
			o = o.retry
		}
		switch {
		case o.failOCSP && w.peerShowed:
			return &tls.HandshakeError{Alert: wire.AlertBadCertificateStatusResponse, Rule: "the OCSP callback fails"}
		case !o.verifyFail, !w.peerShowed && !o.reverifyOnResume:
			return nil
		case o.customVerify:
			return &tls.HandshakeError{Alert: wire.AlertCertificateUnknown, Rule: "the verify callback refuses the certificate"}
		case o.verifyPeer || o.requireAnyClientCertificate:
			return &tls.HandshakeError{Alert: wire.AlertHandshakeFailure, Rule: "the verify callback refuses the certificate"}
		}
		return nil
	}
}

// serverConfig adds what only a server has.
func (o *options) serverConfig(c *tls.Config, s *shared, w *watch) error {
	c.SetSessionTicketKeys(s.ticketKeys)
	c.Resumption.Store = watchedStore{s.store, w}
	switch {
	case o.requireAnyClientCertificate && !o.verifyPeer:
		c.ClientAuth = tls.RequireAnyClientCert
	case o.verifyPeer:
		c.ClientAuth = tls.RequestClientCert
	}
	switch {
	case o.declineALPN:
	case o.rejectALPN:
		c.NextProtos = []string{"no client offers this"}
	case o.selectALPN != "":
		c.NextProtos = []string{o.selectALPN}
	}
	if o.useTicketCallback || o.renewTicket || o.skipTicket {
		c.WrapSession = func(cs tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
			if o.skipTicket {
				return nil, nil
			}
			return c.EncryptTicket(cs, ss)
		}
		c.UnwrapSession = c.DecryptTicket
	}
	c.GetConfigForClient = func(info *tls.ClientHelloInfo) (*tls.Config, error) {
		switch {
		case o.failEarlyCallback:
			return nil, &tls.HandshakeError{Alert: wire.AlertHandshakeFailure, Rule: "the callback for the ClientHello fails"}
		case o.failDDoSCallback:
			return nil, &tls.HandshakeError{Alert: wire.AlertInternalError, Rule: "the callback against floods refuses"}
		case o.failOCSP && slices.Contains(info.Extensions, uint16(wire.ExtStatusRequest)):
			return nil, &tls.HandshakeError{Alert: wire.AlertInternalError, Rule: "the OCSP callback fails"}
		}
		if err := o.expect.hello(info); err != nil || !o.selectEmptyALPN {
			return o.certificateFirst(c, s, info), err
		}
		return &tls.Config{Certificates: c.Certificates, NextProtos: []string{""}}, nil
	}
	o.takesEarly(c, s)
	if o.failCertCallback {
		certs := c.Certificates
		c.Certificates = nil
		c.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			if len(certs) > 0 {
				return nil, &tls.HandshakeError{Alert: wire.AlertInternalError, Rule: "the certificate callback fails"}
			}
			return nil, nil
		}
	}
	names, err := hexNames(o.clientCAs)
	if err != nil || len(names) == 0 {
		return err
	}
	c.ClientCAs = x509.NewCertPool()
	for _, name := range names {
		c.ClientCAs.AddCert(&x509.Certificate{Raw: name, RawSubject: name})
	}
	return nil
}

// hexNames reads a list of DER names in hexadecimal.
func hexNames(list string) (names [][]byte, err error) {
	if list == "" || list == "<NULL>" || list == "<EMPTY>" {
		return nil, nil
	}
	for _, one := range strings.Split(list, ",") {
		name, err := hex.DecodeString(one)
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}

// certificateFirst is a Config without PSKs where the server prefers a certificate, which is
// listed first, and the client can verify it; else nil.
func (o *options) certificateFirst(c *tls.Config, s *shared, info *tls.ClientHelloInfo) *tls.Config {
	psk := slices.IndexFunc(o.credentials, func(c credential) bool { return c.external != nil })
	if psk <= 0 || len(info.SignatureSchemes) == 0 {
		return nil
	}
	clone := c.Clone()
	clone.PSK.ExternalServer, clone.GetConfigForClient = nil, nil
	clone.SetSessionTicketKeys(s.ticketKeys)
	return clone
}
