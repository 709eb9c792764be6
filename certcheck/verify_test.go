package certcheck

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

func TestVerifyGoodChains(t *testing.T) {
	root := authority(t, "Root", nil)
	sub := authority(t, "Sub", root)
	leaf := server(t, sub)
	other := authority(t, "Unrelated", nil)
	pinned := server(t, nil)
	client := issue(t, "alice", root, usage(x509.ExtKeyUsageClientAuth))
	ip := issue(t, "ip", root, func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.ParseIP("::1"), net.ParseIP("192.0.2.1")} })
	wild := issue(t, "wild", root, names("*.example.net"))
	weakRoot := sign(t, template("Weak root", []change{isCA}), rsa1024(), rsa1024().Public(), nil)
	weakLeaf := sign(t, template("Weak leaf", []change{names("example.com")}), rsa1024(), rsa1024().Public(), root)

	for _, tc := range []struct {
		name  string
		certs []*x509.Certificate
		o     Options
		depth int
	}{
		{"direct", chain(server(t, root)), Options{Roots: trust(root), Name: "example.com"}, 2},
		{"intermediate", chain(leaf, sub), Options{Roots: trust(root), Name: "www.example.com"}, 3},
		{"any order, with extras", chain(leaf, other, root, sub), Options{Roots: trust(root), Name: "EXAMPLE.com"}, 3},
		{"trusted intermediate", chain(leaf), Options{Roots: trust(sub), Name: "example.com"}, 2},
		{"trusted leaf", chain(pinned), Options{Roots: trust(pinned), Name: "example.com"}, 1},
		{"client without a name", chain(client), Options{Roots: trust(root), Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, 2},
		{"IPv6 in brackets", chain(ip), Options{Roots: trust(root), Name: "[::1]"}, 2},
		{"IPv4", chain(ip), Options{Roots: trust(root), Name: "192.0.2.1"}, 2},
		{"wildcard", chain(wild), Options{Roots: trust(root), Name: "a.example.net"}, 2},
		{"weak root is trusted as it is", chain(server(t, weakRoot)), Options{Roots: trust(weakRoot), Name: "example.com"}, 2},
		{"weak leaf by option", chain(weakLeaf), Options{Roots: trust(root), Name: "example.com", MinRSABits: 1024}, 2},
		{"last second", chain(server(t, root, valid(-day, 0))), Options{Roots: trust(root), Name: "example.com"}, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.o.Time = now
			chains, err := Verify(context.Background(), tc.certs, tc.o)
			if err != nil {
				t.Fatal(err)
			}
			if len(chains) != 1 || len(chains[0]) != tc.depth || chains[0][0] != tc.certs[0] {
				t.Errorf("chains %v, want one of depth %d", chains, tc.depth)
			}
		})
	}
}

// deep returns a leaf, then its authorities, n certificates in all, and their root.
func deep(t *testing.T, n int) ([]*x509.Certificate, *party) {
	root := authority(t, "CA 0", nil)
	by := root
	var certs []*x509.Certificate
	for i := 1; i < n-1; i++ {
		by = authority(t, fmt.Sprintf("CA %d", i), by)
		certs = append(certs, by.Certificate)
	}
	return append(chain(server(t, by)), certs...), root
}

func TestVerifyDepth(t *testing.T) {
	for n, good := range map[int]bool{MaxDepth: true, MaxDepth + 1: false} {
		certs, root := deep(t, n)
		_, err := Verify(context.Background(), certs, Options{Roots: trust(root), Time: now, Name: "example.com"})
		if good != (err == nil) {
			t.Errorf("depth %d: %v", n, err)
		}
		if !good && err != nil && !strings.Contains(err.Error(), "the chain has 11 certificates") {
			t.Errorf("depth %d: %v", n, err)
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	root := authority(t, "Root", nil)
	sub := authority(t, "Sub", root)
	evil := authority(t, "Sub", nil) // the same name, another key
	notCA := server(t, root)
	onlyDirect := authority(t, "Direct", root, func(c *x509.Certificate) { c.MaxPathLenZero = true })
	below := authority(t, "Below", onlyDirect)
	narrow := authority(t, "Narrow", root, func(c *x509.Certificate) {
		c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"example.org"}
	})
	expiredSub := authority(t, "Old sub", root, valid(-60*day, -3*day))
	expiredRoot := authority(t, "Old root", nil, valid(-60*day, -2*time.Hour))
	futureSub := authority(t, "New sub", root, valid(2*day, 60*day))
	weakSub := sign(t, template("Weak sub", []change{isCA}), rsa1024(), rsa1024().Public(), root)
	sha1 := func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA }
	rsaRoot := sign(t, template("RSA root", []change{isCA}), rsa1024(), rsa1024().Public(), nil)
	var many []string
	for i := range 100 {
		many = append(many, fmt.Sprintf("%d.example.com", i))
	}
	signer := authority(t, "Ed448", root)
	ed448 := reparsed(t, bytes.ReplaceAll(signer.Raw, []byte{0x2b, 0x65, 0x70, 0x03, 33}, []byte{0x2b, 0x65, 0x71, 0x03, 33})) // its key's OID
	altered := func(p *party) *party {
		der := bytes.Clone(p.Raw)
		at := bytes.Index(der, p.RawTBSCertificate) + bytes.Index(p.RawTBSCertificate, p.RawSubject) + len(p.RawSubject) - 1
		der[at] ^= 1 // the last letter of the subject
		return reparsed(t, der)
	}

	for _, tc := range []struct {
		name   string
		certs  []*x509.Certificate
		o      Options // Roots default to root, Name to example.com
		alert  wire.AlertCode
		reason string
		hint   string
		as     func(error) bool
	}{
		{"wrong name", chain(server(t, root)), Options{Name: "example.org"}, wire.AlertBadCertificate,
			`the certificate is for "example.com", "www.example.com"; not for "example.org"`, "set ServerName to a name", as[x509.HostnameError]},
		{"wrong address", chain(server(t, root)), Options{Name: "192.0.2.1"}, wire.AlertBadCertificate,
			`not for "192.0.2.1"`, "connect by name instead of address", as[x509.HostnameError]},
		{"wildcard is one label", chain(issue(t, "w", root, names("*.example.net"))), Options{Name: "a.b.example.net"}, wire.AlertBadCertificate,
			`the certificate is for "*.example.net"; not for "a.b.example.net"`, "", as[x509.HostnameError]},
		{"common name only", chain(issue(t, "example.com", root)), Options{}, wire.AlertBadCertificate,
			`its common name "example.com" no longer counts`, "subject alternative name", as[x509.HostnameError]},
		{"no name", chain(issue(t, "", root)), Options{}, wire.AlertBadCertificate,
			"for no name at all", "", as[x509.HostnameError]},
		{"many names", chain(issue(t, "", root, names(many...))), Options{}, wire.AlertBadCertificate,
			`"7.example.com", and 92 more; not for`, "", as[x509.HostnameError]},
		{"name with control bytes", chain(issue(t, "", root, names("evil\n\x1b[31m.com"))), Options{}, wire.AlertBadCertificate,
			`"evil\n\x1b[31m.com"`, "", as[x509.HostnameError]},
		{"expired", chain(server(t, root, valid(-60*day, -3*day))), Options{}, wire.AlertCertificateExpired,
			"the certificate expired 3 days ago (2016-11-18)", "renew it; or check this machine's clock, which says 2016-11-21 12:00:00 UTC", invalid(x509.Expired)},
		{"not yet valid", chain(server(t, root, valid(90*time.Minute, day))), Options{}, wire.AlertCertificateExpired,
			"the certificate becomes valid only in 1 hour (2016-11-21)", "clock", invalid(x509.Expired)},
		{"expired intermediate", chain(server(t, expiredSub), expiredSub), Options{}, wire.AlertCertificateExpired,
			`the authority "Old sub" expired 3 days ago (2016-11-18)`, "renew", invalid(x509.Expired)},
		{"expired root", chain(server(t, expiredRoot)), Options{Roots: trust(expiredRoot)}, wire.AlertCertificateExpired,
			`the authority "Old root" expired 2 hours ago (2016-11-21)`, "renew", invalid(x509.Expired)},
		{"future intermediate", chain(server(t, futureSub), futureSub), Options{}, wire.AlertCertificateExpired,
			`the authority "New sub" becomes valid only in 2 days (2016-11-23)`, "clock", invalid(x509.Expired)},
		{"unknown root, sent", chain(server(t, sub), sub, root), Options{Roots: trust(evil)}, wire.AlertUnknownCA,
			`signed by an authority that is not trusted: "Root"`, "trusted root", as[x509.UnknownAuthorityError]},
		{"unknown root, not sent", chain(server(t, sub), sub), Options{Roots: trust(expiredRoot)}, wire.AlertUnknownCA,
			`signed by an authority that is not trusted: "Root"`, "", as[x509.UnknownAuthorityError]},
		{"another of a trusted name", chain(server(t, authority(t, "Root", nil))), Options{}, wire.AlertUnknownCA,
			`"example.com" was not signed by the trusted authority "Root", but by another of that name`, "new key", as[x509.UnknownAuthorityError]},
		{"missing intermediate", chain(server(t, sub)), Options{}, wire.AlertUnknownCA,
			`signed by an authority that is not trusted: "Sub"`, "the peer must send its certificate too (fullchain.pem has it; 1 came in all)", as[x509.UnknownAuthorityError]},
		{"missing intermediate, which is to be had", chain(server(t, sub, func(c *x509.Certificate) { c.IssuingCertificateURL = []string{"http://ca.test/sub.crt"} })), Options{}, wire.AlertUnknownCA,
			`"example.com" was sent without the intermediate "Sub" that issued it`, "install the whole chain at the peer (fullchain.pem)", as[x509.UnknownAuthorityError]},
		{"self-signed", chain(server(t, nil)), Options{}, wire.AlertUnknownCA,
			`self-signed by "example.com" and not itself trusted`, "if it is yours", as[x509.UnknownAuthorityError]},
		{"forged by another of the name", chain(server(t, evil), sub), Options{}, wire.AlertBadCertificate,
			`the signature of "Sub" on "example.com" is wrong`, "altered", as[x509.UnknownAuthorityError]},
		{"altered", chain(altered(server(t, sub)), sub), Options{}, wire.AlertBadCertificate,
			`the signature of "Sub" on "example.col" is wrong`, "altered", as[x509.UnknownAuthorityError]},
		{"signed by a leaf", chain(server(t, &party{notCA.Certificate, notCA.key}, func(c *x509.Certificate) { c.Subject.CommonName = "victim" }), notCA), Options{}, wire.AlertBadCertificate,
			`"example.com" issued a certificate and is not an authority`, "forging", invalid(x509.NotAuthorizedToSign)},
		{"path too long", chain(server(t, below), below, onlyDirect), Options{}, wire.AlertBadCertificate,
			`the authority "Direct" may have at most 0 authorities below it, and has 1`, "", invalid(x509.TooManyIntermediates)},
		{"name constraint", chain(server(t, narrow), narrow), Options{}, wire.AlertBadCertificate,
			`not allowed to certify "example.com": it is not among what is permitted`, "", invalid(x509.CANotAuthorizedForThisName)},
		{"client certificate on a server", chain(server(t, root, usage(x509.ExtKeyUsageClientAuth))), Options{}, wire.AlertUnsupportedCertificate,
			"not meant for this use", "server authentication", invalid(x509.IncompatibleUsage)},
		{"critical extension", chain(server(t, root, criticalUnknown)), Options{}, wire.AlertUnsupportedCertificate, "critical extension", "", as[x509.UnhandledCriticalExtension]},
		{"SHA-1", chain(server(t, rsaRoot, sha1), rsaRoot), Options{Roots: trust(rsaRoot)}, wire.AlertBadCertificate,
			`"example.com" is signed with SHA1-RSA, which can be forged`, "SHA-256", as[x509.InsecureAlgorithmError]},
		{"authority with a key of unknown kind", chain(server(t, signer), ed448), Options{}, wire.AlertUnsupportedCertificate,
			`"example.com" is signed with an algorithm that is not supported`, "RSA, ECDSA or Ed25519", as[x509.UnknownAuthorityError]},
		{"weak leaf", chain(sign(t, template("Weak", []change{names("example.com")}), rsa1024(), rsa1024().Public(), root)), Options{}, wire.AlertUnsupportedCertificate,
			`the RSA key of "Weak" has 1024 bits, which is too weak: at least 2048 are needed`, "2048 bits or more", nil},
		{"weak pinned leaf", chain(rsaRoot), Options{Roots: trust(rsaRoot), Usages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, wire.AlertUnsupportedCertificate,
			`the RSA key of "RSA root" has 1024 bits`, "", nil},
		{"weak intermediate", chain(server(t, weakSub), weakSub), Options{}, wire.AlertUnsupportedCertificate,
			`the RSA key of "Weak sub" has 1024 bits`, "", nil},
		{"none", nil, Options{}, wire.AlertBadCertificate, "the peer sent no certificate", "", nil},
		{"too many", chain(server(t, root)), Options{}, wire.AlertBadCertificate, "17 certificates were sent, at most 16 are read", "", nil},
		{"no name to check", chain(server(t, root)), Options{Name: "-"}, wire.AlertInternalError, "no name to check", "ServerName", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.o.Time = now
			if tc.o.Roots == nil {
				tc.o.Roots = trust(root)
			}
			switch {
			case tc.o.Name == "-":
				tc.o.Name = ""
			case tc.o.Name == "" && tc.o.Usages == nil:
				tc.o.Name = "example.com"
			}
			for tc.name == "too many" && len(tc.certs) <= MaxChain {
				tc.certs = append(tc.certs, sub.Certificate)
			}
			chains, err := Verify(context.Background(), tc.certs, tc.o)
			var e *Error
			if chains != nil || !errors.As(err, &e) {
				t.Fatalf("got %v, %v", chains, err)
			}
			if e.Alert != tc.alert || !strings.Contains(e.Reason, tc.reason) || !strings.Contains(e.Hint, tc.hint) {
				t.Errorf("got  %v: %s\n     %s\nwant %v: %s\n     %s", e.Alert, e.Reason, e.Hint, tc.alert, tc.reason, tc.hint)
			}
			if strings.ContainsAny(err.Error()+e.Hint, "\n\x1b") {
				t.Errorf("unquoted text of the peer in %q", err.Error())
			}
			if tc.as == nil {
				return
			}
			var std *tls.CertificateVerificationError
			if !tc.as(err) || !errors.As(err, &std) || len(std.UnverifiedCertificates) != len(tc.certs) {
				t.Errorf("does not unwrap to the errors of the standard library: %#v", errors.Unwrap(err))
			}
		})
	}
}

func criticalUnknown(c *x509.Certificate) {
	c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}}
}

func reparsed(t *testing.T, der []byte) *party {
	t.Helper()
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &party{c, nil}
}

// What crypto/x509 says of a machine, or in a later version, has words and an alert too.
func TestOtherRefusals(t *testing.T) {
	certs := chain(server(t, nil))
	for _, tc := range []struct {
		err          error
		alert        wire.AlertCode
		reason, hint string
	}{
		{x509.SystemRootsError{Err: errors.New("no\x1b file")}, wire.AlertInternalError,
			`this machine's trusted authorities cannot be read: "x509: failed to load system roots and no roots provided; no\x1b file"`, "give the roots to trust"},
		{x509.CertificateInvalidError{Cert: certs[0], Reason: x509.NoValidChains, Detail: "a\x1b policy"}, wire.AlertBadCertificate,
			`crypto/x509 refused it: "x509: no valid chains built: a\x1b policy"`, ""},
		{errors.New("something\x1b new"), wire.AlertCertificateUnknown, `crypto/x509 refused it: "something\x1b new"`, ""},
	} {
		err := newSearch(&Options{Time: now}, certs).diagnose(tc.err)
		var e *Error
		if !errors.As(err, &e) || e.Alert != tc.alert || e.Reason != tc.reason || !strings.Contains(e.Hint, tc.hint) || !errors.Is(err, tc.err) {
			t.Errorf("%T: %+v", tc.err, err)
		}
	}
}

func as[T error](err error) bool { var e T; return errors.As(err, &e) }

func invalid(reason x509.InvalidReason) func(error) bool {
	return func(err error) bool {
		var e x509.CertificateInvalidError
		return errors.As(err, &e) && e.Reason == reason
	}
}

// TestVerifyCycle has two authorities sign each other: the search for a reason must end.
func TestVerifyCycle(t *testing.T) {
	a, b := authority(t, "A", nil), authority(t, "B", nil)
	ab := sign(t, template("A", []change{isCA}), a.key, a.key.Public(), b)
	ba := sign(t, template("B", []change{isCA}), b.key, b.key.Public(), a)
	_, err := Verify(context.Background(), chain(server(t, a), ab, ba), Options{Roots: trust(authority(t, "C", nil)), Time: now, Name: "example.com"})
	var e *Error
	if !errors.As(err, &e) || e.Alert != wire.AlertUnknownCA {
		t.Errorf("got %v", err)
	}
}

// TestVerifyDefaults checks that the zero Options ask for the system's roots, now and a server.
func TestVerifyDefaults(t *testing.T) {
	root := authority(t, "Root", nil)
	old := server(t, root, valid(-60*day, -30*day))
	_, err := Verify(context.Background(), chain(old), Options{Roots: trust(root), Name: "example.com"})
	if !invalid(x509.Expired)(err) {
		t.Errorf("without a time: %v", err)
	}
	if _, err = Verify(context.Background(), chain(server(t, root, valid(-1000*day, 10000*day))), Options{Name: "example.com"}); err == nil {
		t.Error("without roots everything is trusted")
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "less than a second", time.Second: "1 second", 59 * time.Second: "59 seconds", time.Minute: "1 minute",
		2 * time.Hour: "2 hours", 47 * time.Hour: "1 day", 400 * day: "400 days",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestQuoteIsShort(t *testing.T) {
	if got := quote(strings.Repeat("\x00", 1<<16)); len(got) > 600 {
		t.Errorf("a quoted name of %d bytes", len(got))
	}
}
