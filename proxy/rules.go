package proxy

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/certcheck/fetch"
	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/certstore"
	"github.com/vitrine-tls/vitrine/proxy/certs"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/proxy/words"
	"github.com/vitrine-tls/vitrine/tls"
)

// serverTLS makes what TLS with clients is spoken by.
func (n *plan) serverTLS(d *door) (*tls.Config, error) {
	t := d.config.TLS
	own := &tls.Config{
		HandshakeTurn:    n.queue.turn,
		HandshakeTimeout: -1, // the socket's deadline has it
		NextProtos:       t.ALPN,
	}
	if err := words.Agreement(t.Versions).Apply(own); err != nil {
		return nil, err
	}
	if d.config.Mode == config.ModeHTTP && len(t.ALPN) == 0 {
		own.NextProtos = []string{"h2", "http/1.1", "http/1.0"}
	}
	if d.config.StartTLS == postgres && len(t.ALPN) == 0 {
		own.NextProtos = []string{postgresALPN}
	}
	if h := d.config.HTTP; h != nil && h.EarlyData { // against copies there are the sessions
		own.EarlyData = tls.EarlyData{MaxBytes: mostEarly, Protocols: own.NextProtos}
	}
	if err := clientAuth(d, own); err != nil {
		return nil, err
	}
	for _, step := range []func(*config.ServerTLS, *tls.Config) error{preShared, openHellos, n.certify, n.resume} {
		if err := step(t, own); err != nil {
			return nil, err
		}
	}
	d.showing(own)
	d.knowing(own)
	if n.p.trace != nil {
		n.p.trace(own)
	}
	return own, nil
}

// mostEarly is how much early data a connection takes: a request or some.
const mostEarly = 16 << 10

// checker asks whether certificates are revoked; nil looks at staples alone. Only a mode asks
// the network: lists alone are no wish for that. report is told of lists that are read again.
func checker(mode string, lists []string, report func(event.Certificate)) (*revocation.Checker, error) {
	if mode == "" && len(lists) == 0 {
		return nil, nil
	}
	c := &revocation.Checker{Mode: revocation.Soft, Cache: &revocation.Cache{}}
	if mode != "" {
		var ok bool
		if c.Mode, ok = revocation.ParseMode(mode); !ok {
			return nil, fmt.Errorf("revocation: %q is not a mode; choose off, soft or hard", mode)
		}
	}
	if mode != "" && c.Mode != revocation.Off {
		c.Fetcher = &fetch.Client{}
	}
	if len(lists) > 0 {
		files, err := certs.OpenLists(lists, listNews(report))
		if err != nil {
			return nil, fmt.Errorf("crl: %w", err)
		}
		c.ListsNow = files.Now
	}
	return c, nil
}

// listNews tells report of revocation lists as of certificates.
func listNews(report func(event.Certificate)) func(string, error) {
	if report == nil {
		return nil
	}
	return func(file string, err error) {
		e := event.Certificate{Source: file, What: certstore.Reloaded, Err: err}
		if err != nil {
			e.What = certstore.ReloadFailed
		}
		report(e)
	}
}

func pool(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s has no certificates in PEM", file)
	}
	return p, nil
}

// A pairLoader reads a chain and its key, in PEM.
type pairLoader func(cert, key string) (tls.Certificate, error)

// pairs is how this process reads them, or another for it.
func (o *Options) pairs() pairLoader {
	if o.LoadPair != nil {
		return o.LoadPair
	}
	return tls.LoadX509KeyPair
}

// clientTLS makes what TLS with a target is spoken by; nil for none.
func clientTLS(c *config.ClientTLS, load pairLoader) (*tls.Config, error) {
	if c == nil {
		return nil, nil
	}
	own := &tls.Config{
		NextProtos: c.ALPN, InsecureSkipVerify: c.Insecure, HandshakeTimeout: -1, // the context has it
		ClientSessionCache: tls.NewLRUClientSessionCache(0),
	}
	err := words.Agreement(c.Versions).Apply(own)
	if err == nil && c.CA != "" {
		own.RootCAs, err = pool(c.CA)
	}
	if err == nil && c.Cert != "" {
		var pair tls.Certificate
		key := c.Key
		if key == "" {
			key = c.Cert
		}
		pair, err = load(c.Cert, key)
		own.Certificates = []tls.Certificate{pair}
	}
	if err == nil {
		own.Revocation, err = checker(c.Revocation, nil, nil)
	}
	if err == nil && len(c.Pins) > 0 {
		own.VerifyConnection, err = pinned(c.Pins)
	}
	if err != nil {
		return nil, fmt.Errorf("tls.%w", err)
	}
	return own, nil
}

// pinned demands that the target's public key is one of pins, also where nothing else is verified.
func pinned(pins []string) (func(tls.ConnectionState) error, error) {
	var sums [][]byte
	for _, pin := range pins {
		text, is := strings.CutPrefix(pin, "sha256/")
		sum, err := base64.StdEncoding.DecodeString(text)
		if !is || err != nil || len(sum) != sha256.Size {
			return nil, fmt.Errorf("pins: %q is not a pin; write sha256/ and 44 characters of base64", pin)
		}
		sums = append(sums, sum)
	}
	return func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) > 0 {
			got := sha256.Sum256(state.PeerCertificates[0].RawSubjectPublicKeyInfo)
			if slices.ContainsFunc(sums, func(sum []byte) bool { return bytes.Equal(sum, got[:]) }) {
				return nil
			}
			return fmt.Errorf("the target's public key is sha256/%s, which is not among its pins", base64.StdEncoding.EncodeToString(got[:]))
		}
		return errors.New("the target showed no certificate, and its public key is pinned")
	}, nil
}
