package serve

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/certstore"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/authority"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// safeRSABits is the least that clients accept.
const safeRSABits = 2048

// rehearsalTime bounds one rehearsed handshake.
const rehearsalTime = 5 * time.Second

// rehearseAll shakes hands with the server in each version, as a client that takes every
// certificate. So a key that no suite, scheme or version can use is found now, and not
// by the first client. If the newest version fails, that is an error: an older one does
// not make up for it, as clients choose the newest. The others are warnings. Of several
// certificates one is enough: what is wrong with the others is a warning.
func (o *options) rehearseAll(config *tls.Config, pairs []certstore.Pair) (warnings []string, err error) {
	works := false
	for i, cert := range config.Certificates {
		alone := config.Clone()
		alone.Certificates = []tls.Certificate{cert}
		more, failed := o.rehearse(alone, pairs[i].Cert)
		warnings = append(warnings, more...)
		if works = works || failed == nil; failed != nil {
			warnings, err = append(warnings, failed.Error()), failed
		}
	}
	if works {
		err = nil
	}
	return warnings, err
}

// rehearse looks at one certificate.
func (o *options) rehearse(config *tls.Config, file string) (warnings []string, err error) {
	server := config.Clone()
	server.GetConfigForClient, server.ClientAuth, server.KeyLogWriter = nil, tls.NoClientCert, nil
	client := server.Clone()
	client.InsecureSkipVerify, client.NextProtos, client.Certificates = true, nil, nil
	client.Legacy.SmallRSA = true // which is a warning
	client.SignatureSchemes = flags.AllSchemes()
	client.DHE.MinBits = o.tls.LeastDHBits(config)
	newest := true
	for v := wire.Version(config.MaxVersion); v >= o.tls.Low; v-- {
		suites := o.tls.CertifiedSuites(v)
		if len(o.tls.Listed) > 0 && len(suites) == 0 {
			continue // nothing here needs the certificate
		}
		client.MinVersion, client.MaxVersion, client.CipherSuites = uint16(v), uint16(v), suites
		if err := shakeHands(client, server); err != nil {
			what := fmt.Sprintf("%s is of no use in %s: its key is %s, and the handshake fails: %s", file, v, keyName(config.Certificates[0].Leaf), reason(err))
			switch {
			case !newest:
				warnings = append(warnings, what)
			case v > o.tls.Low:
				return nil, report.Usagef("--cert %s; give another, or leave this version out with --max %s", what, flags.VersionName(v-1))
			default:
				return nil, report.Usagef("--cert %s; give another", what)
			}
		}
		newest = false
	}
	return warnings, nil
}

// shakeHands returns the server's error, or the client's where that is the cause.
func shakeHands(client, server *tls.Config) error {
	ctx, cancel := context.WithTimeout(context.Background(), rehearsalTime)
	defer cancel()
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	failed := make(chan error, 1)
	go func() {
		err := tls.Server(b, server).HandshakeContext(ctx)
		if err != nil {
			b.Close()
		}
		failed <- err
	}()
	err := tls.Client(a, client).HandshakeContext(ctx)
	if err != nil {
		a.Close()
	}
	theirs := <-failed
	if h, ok := errors.AsType[*tls.HandshakeError](theirs); ok && !h.Received {
		return theirs
	}
	return err
}

// reason is why a handshake failed, without the offers.
func reason(err error) string {
	if h, ok := errors.AsType[*tls.HandshakeError](err); ok {
		return report.Sentence(h)
	}
	return strings.TrimPrefix(err.Error(), "tls: ")
}

// keyName says what kind of key a certificate has.
func keyName(c *x509.Certificate) string {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA of %d bits", key.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA on " + key.Curve.Params().Name
	}
	return cmp.Or(otherkeys.Name(c), c.PublicKeyAlgorithm.String())
}

// troubles are why clients refuse a certificate that works; all rows that match count.
// leaf is set for the first certificate of a chain.
var troubles = []struct {
	of   func(c *x509.Certificate, leaf bool) bool
	what string
}{
	{func(c *x509.Certificate, _ bool) bool { return time.Now().After(c.NotAfter) },
		"has expired: have it renewed, or check this machine's clock"},
	{func(c *x509.Certificate, _ bool) bool { return time.Now().Before(c.NotBefore) },
		"is not valid yet: wait, or check this machine's clock"},
	{func(c *x509.Certificate, _ bool) bool {
		key := otherkeys.RSA(c)
		return key != nil && key.N.BitLen() < safeRSABits
	}, "has an RSA key below 2048 bits, which can be factored: have it issued for a longer one"},
	{func(c *x509.Certificate, _ bool) bool {
		return slices.Contains([]x509.SignatureAlgorithm{x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1}, c.SignatureAlgorithm) &&
			string(c.RawIssuer) != string(c.RawSubject) // nobody checks a root's own
	}, "is signed with MD5 or SHA-1, which can be forged: have it issued again"},
	{func(c *x509.Certificate, leaf bool) bool {
		return leaf && len(c.DNSNames)+len(c.IPAddresses)+len(c.URIs) == 0
	}, "has no subject alternative name, and the common name does not count: have it issued with one"},
	{func(c *x509.Certificate, leaf bool) bool {
		return leaf && len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) > 0 &&
			!slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth) && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
	}, "is not meant for servers (extended key usage): have it issued for server authentication"},
	{func(c *x509.Certificate, leaf bool) bool {
		return leaf && c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageDigitalSignature == 0
	}, "is not meant for signatures (key usage), which TLS 1.3 and ECDHE need: have it issued for digital signatures"},
}

// warn logs what clients will not like.
func warn(log *slog.Logger, hosts []string, certs []tls.Certificate, ca *authority.Authority, warnings []string) {
	for _, w := range warnings {
		log.Warn(w)
	}
	if _, bad := authority.Split(hosts, certs); ca != nil && len(bad) > 0 {
		log.Warn("clients refuse this server by these names: the development authority may not certify them; give a certificate of your own with --cert",
			slog.String("names", strings.Join(bad, " ")))
	}
	if ca != nil {
		return
	}
	for _, cert := range certs {
		for i, der := range cert.Certificate {
			if c, err := x509.ParseCertificate(der); err == nil {
				warnOf(log, ofServer, c, i == 0)
			}
		}
	}
}

// ofServer begins what is said of a server's own certificate.
const ofServer = "clients refuse this server: a certificate "

// warnOf logs what is wrong with one certificate.
func warnOf(log *slog.Logger, begin string, c *x509.Certificate, leaf bool) {
	for _, t := range troubles {
		if t.of(c, leaf) {
			log.Warn(begin+t.what,
				slog.String("subject", c.Subject.String()), slog.Time("expires", c.NotAfter))
		}
	}
}
