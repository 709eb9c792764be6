package report

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"syscall"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// advices say what to change, by the error; the first row that matches counts.
var advices = []struct {
	match  func(error) bool
	client string
	server string
}{
	{isA[x509.HostnameError],
		"ask for one of the certificate's names, or say with --sni which name you mean",
		"the client's certificate is for another name"},
	{isA[x509.UnknownAuthorityError],
		"if you trust the server's authority, give its certificate with --ca FILE",
		"give the authority of the clients' certificates with --client-ca"},
	{cannotRenegotiate,
		"if you must, renegotiate with it all the same by --legacy unsafe-renegotiation",
		"if you must, renegotiate with it all the same by --legacy unsafe-renegotiation"},
	{isSmallGroup,
		"have the server use a group of RFC 7919, or ECDHE; if you must, take its group by --dh-min 1024 --legacy small-dh",
		""},
	{isExpired,
		"the server's certificate must be renewed; or this machine's clock is wrong",
		"the client's certificate must be renewed; or this machine's clock is wrong"},
	{looksLikeHTTP,
		"the server speaks HTTP without TLS on this port; give its HTTPS port",
		"the client speaks HTTP without TLS; it must use https:// in the URL"},
	{isA[tls.RecordHeaderError],
		"the server does not speak TLS on this port; is the port right, or does the protocol begin TLS later (STARTTLS)?",
		"the client does not speak TLS"},
	{isA[*net.DNSError], "check the host's name, and this machine's DNS", ""},
	{is(syscall.ECONNREFUSED), "nothing listens on this port; check the port, and that the server runs", ""},
	{is(syscall.ECONNRESET),
		"something closed the connection by force: perhaps a firewall, or a server that fails on this ClientHello",
		"the client, or something between us, closed the connection by force"},
	{is(syscall.EADDRINUSE), "", "another program listens there; choose another address with --listen"},
	{is(syscall.EACCES), "", "ports below 1024 need more rights; choose a higher one with --listen"},
	{is(ErrNoAnswer),
		"check that the input is what the server expects, to its last empty line; if no answer is due, say --half-close",
		""},
	{isTimeout,
		"the server did not answer in time; check that the port is a TLS port, or wait longer with --timeout",
		"the client connected but did not finish its handshake in time"},
	{hungUp,
		"the server closed the connection without a word; it may want another name (--sni) or version (--max), or not speak TLS on this port",
		""},
	{is(io.ErrUnexpectedEOF),
		"the server closed the connection without saying that it was done: data may be missing",
		"the client closed the connection without a word; many do that when they do not trust the certificate"},
}

// alertAdvices say what to change when the peer refused us by an alert, which
// never says what the peer would have accepted.
var alertAdvices = map[wire.AlertCode]struct{ client, server string }{
	wire.AlertHandshakeFailure: {
		"the server accepts none of our suites, groups or signature schemes, or wants a client certificate; offer others with --suites and --groups, or give --cert",
		"the client did not accept what we chose"},
	wire.AlertProtocolVersion: {
		"the server accepts none of our versions; offer others with --min and --max",
		"the client does not accept the version that we chose"},
	wire.AlertInsufficientSecurity: {
		"the server asks for stronger suites or groups than we offered; leave out --suites and --groups",
		"the client asks for stronger suites or groups"},
	wire.AlertNoApplicationProtocol: {
		"the server speaks none of the protocols that we offered; offer others with --alpn, or leave it out",
		""},
	wire.AlertUnrecognizedName: {"the server does not know the name that we asked for; give another with --sni", ""},
	wire.AlertCertificateRequired: {
		"the server asks for a client certificate; give one with --cert and --key",
		"the client asks for a certificate"},
	wire.AlertBadCertificate: {
		"the server does not accept our client certificate; give another with --cert and --key",
		"the client does not accept our certificate: it must trust the authority, and use one of the certificate's names"},
	wire.AlertUnknownCA: {
		"the server does not know the authority of our client certificate; give another with --cert and --key",
		"the client must trust the authority of our certificate, which for the development one is in ca.pem"},
	wire.AlertCertificateUnknown: {
		"the server does not accept our client certificate; give another with --cert and --key",
		"the client does not accept our certificate: it must trust the authority, and use one of the certificate's names"},
	wire.AlertCertificateExpired: {
		"our client certificate has expired; give another with --cert and --key",
		"the client says that our certificate has expired; or its clock is wrong"},
	wire.AlertBadRecordMAC: {
		"a record was changed on the way; or, with --psk, its identity or its key is wrong",
		"a record was changed on the way; or, with --psk, the client has another key"},
	wire.AlertUserCanceled: {"", "the client's user cancelled the connection"},
	wire.AlertInternalError: {
		"the server failed for a reason of its own; its log may tell",
		"the client failed for a reason of its own"},
}

// offerAdvices say what to change where the two offers have nothing in common.
var offerAdvices = map[string]struct{ client, server string }{
	"version":              {"allow more versions with --min and --max", "the client must allow another version, or we with --min and --max"},
	"cipher suite":         {"offer other suites with --suites", "the client must offer other suites, or we with --suites"},
	"group":                {"offer other groups with --groups", "the client must offer other groups, or we with --groups"},
	"application protocol": {"offer other protocols with --alpn", "the client must offer h2 or http/1.1, or no protocol at all"},
	"signature scheme":     {"the server's key needs a scheme that we do not have", "the client does not accept the type of our key; give another with --cert and --key"},
}

// adviceFor says what to change; empty where there is nothing to say. The
// library's own hint, which speaks of its configuration, comes last.
func adviceFor(err error, we wire.Role) string {
	if lack, ok := errors.AsType[*noCertificateError](err); ok {
		return lack.advice()
	}
	h, _ := errors.AsType[*tls.HandshakeError](err)
	if h != nil && h.What != "" {
		a := offerAdvices[h.What]
		return cmp.Or(pick(we, a.client, a.server), h.Hint)
	}
	for _, row := range advices {
		if row.match(err) {
			return pick(we, row.client, row.server)
		}
	}
	if alert, ok := errors.AsType[tls.AlertError](err); ok {
		a := alertAdvices[wire.AlertCode(alert)]
		if advice := pick(we, a.client, a.server); advice != "" {
			return advice
		}
	}
	if h != nil {
		return h.Hint
	}
	return ""
}

func pick(we wire.Role, forClient, forServer string) string {
	if we == wire.Client {
		return forClient
	}
	return forServer
}

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

// hungUp reports that the server closed the connection while shaking hands.
func hungUp(err error) bool {
	return isA[*handshakeError](err) && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF))
}

func isTimeout(err error) bool {
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout() || errors.Is(err, context.DeadlineExceeded)
}

// cannotRenegotiate reports that RFC 5746 is what the peer lacks.
func cannotRenegotiate(err error) bool {
	h, ok := errors.AsType[*tls.HandshakeError](err)
	return ok && h.Ref == "RFC 5746 §4"
}

// isSmallGroup reports that we refuse the server's group for DHE.
func isSmallGroup(err error) bool {
	h, ok := errors.AsType[*tls.HandshakeError](err)
	return ok && !h.Received && h.Alert == wire.AlertInsufficientSecurity && h.Ref == "RFC 7919 §5.1"
}

func isExpired(err error) bool {
	e, ok := errors.AsType[x509.CertificateInvalidError](err)
	return ok && e.Reason == x509.Expired
}

func looksLikeHTTP(err error) bool {
	e, ok := errors.AsType[tls.RecordHeaderError](err)
	if !ok {
		return false
	}
	start := string(e.RecordHeader[:])
	for _, word := range []string{"HTTP/", "GET /", "HEAD ", "POST ", "PUT /", "OPTIO", "CONNE", "DELET", "PATCH", "TRACE", "PRI *"} {
		if start == word {
			return true
		}
	}
	return false
}
