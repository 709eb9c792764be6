package certs

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
	"golang.org/x/net/idna"

	"github.com/vitrine-tls/vitrine/certstore"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/tls"
)

// ACMEProtocol is the application protocol of tls-alpn-01. A connection that agreed on it is
// to be closed after its handshake. RFC 8737 §3.
const ACMEProtocol = "acme-tls/1"

// authority obtains the certificates of one entry of the configuration.
type authority struct {
	names  []string
	alpn   bool // by tls-alpn-01
	cache  *certmagic.Cache
	magic  *certmagic.Config
	issuer *certmagic.ACMEIssuer
	held   net.Listener // see listenFor
	leave  func()       // the server of http-01
	http   *fileServer  // of http-01, else nil
	httpAt string       // its address, as the configuration writes it
	served sync.Map     // name to *served
	report func(event.Certificate)
}

// served is what was last served for a name: package tls keeps what it has parsed of a
// certificate by its pointer.
type served struct {
	hash   string
	staple string
	cert   *tls.Certificate
}

// folder is where an authority's certificates are kept. It tells of what cannot be written,
// of which certmagic makes no event.
type folder struct {
	*certmagic.FileStorage
	report func(event.Certificate)
}

func (f *folder) tell(err error) error {
	if err != nil && !errors.Is(err, context.Canceled) {
		f.report(event.Certificate{Source: "acme storage " + f.Path, What: StoreFailed, Err: err})
	}
	return err
}

func (f *folder) Store(ctx context.Context, key string, value []byte) error {
	return f.tell(f.FileStorage.Store(ctx, key, value))
}

func (f *folder) Lock(ctx context.Context, name string) error {
	return f.tell(f.FileStorage.Lock(ctx, name))
}

func (f *folder) TryLock(ctx context.Context, name string) (bool, error) {
	got, err := f.FileStorage.TryLock(ctx, name)
	return got, f.tell(err)
}

func (s *Source) addACME(ctx context.Context, c *config.ACME) error {
	a := &authority{alpn: c.Challenge != "http-01", report: s.report}
	s.acme = append(s.acme, a) // Close ends it, whatever follows
	if err := a.check(c); err != nil {
		return fmt.Errorf("acme.%w", err)
	}
	template := certmagic.ACMEIssuer{
		CA: c.Directory, Email: c.Email, Agreed: c.AgreeToS, Logger: zap.NewNop(),
		DisableHTTPChallenge: a.alpn, DisableTLSALPNChallenge: !a.alpn,
	}
	if template.CA == "" {
		template.CA = certmagic.LetsEncryptProductionCA
	}
	if c.CA != "" {
		var err error
		if template.TrustedRoots, err = roots(c.CA); err != nil {
			return fmt.Errorf("acme.ca: %w", err)
		}
	}
	if err := a.listenFor(ctx, c, &template, s.o.HTTPListener); err != nil {
		return err
	}
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		Logger: zap.NewNop(), RenewCheckInterval: s.o.renewCheck,
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return a.magic, nil },
	})
	a.magic = certmagic.New(a.cache, certmagic.Config{
		Storage: &folder{&certmagic.FileStorage{Path: c.Storage}, s.report}, Logger: zap.NewNop(), OnEvent: a.told,
		OCSP: certmagic.OCSPConfig{DisableStapling: s.o.Fetcher == nil},
	})
	a.issuer = certmagic.NewACMEIssuer(a.magic, template)
	a.magic.Issuers = []certmagic.Issuer{a.issuer}
	return nil
}

// check reads what is given; an error begins with the field's name.
func (a *authority) check(c *config.ACME) error {
	switch {
	case len(c.Names) == 0:
		return errors.New("names: there is no name to get a certificate for")
	case c.Storage == "":
		return errors.New("storage: a folder is needed to keep certificates and keys in")
	case !c.AgreeToS:
		return errors.New("agree-terms: an authority issues only if you agree to its terms; read them, and set agree-terms: true")
	case c.Challenge != "" && c.Challenge != "tls-alpn-01" && c.Challenge != "http-01":
		return fmt.Errorf("challenge: %q is not a way to prove a name; choose tls-alpn-01 or http-01", c.Challenge)
	}
	if u, err := url.Parse(c.Directory); c.Directory != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		return fmt.Errorf("directory: %q is not an https URL", c.Directory)
	}
	for _, name := range c.Names {
		ascii, err := idna.Lookup.ToASCII(name)
		if strings.Contains(name, "*") {
			return fmt.Errorf("names: %q has an asterisk, which neither challenge can prove; list the names, or give files", name)
		}
		if err != nil || ascii == "" || strings.HasSuffix(ascii, ".") {
			return fmt.Errorf("names: %q is not a DNS name", name)
		}
		if net.ParseIP(ascii) != nil {
			return fmt.Errorf("names: %q is an address; a certificate for it must come from files", name)
		}
		a.names = append(a.names, ascii)
	}
	return nil
}

// listenFor has certmagic find the port of its challenges taken. Otherwise it would listen
// there itself: for tls-alpn-01 beside the proxy, whose listener may have any port.
func (a *authority) listenFor(ctx context.Context, c *config.ACME, template *certmagic.ACMEIssuer, inherited func(string) net.Listener) (err error) {
	if a.alpn {
		if a.held, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return err
		}
		template.ListenHost, template.AltTLSALPNPort = "127.0.0.1", a.held.Addr().(*net.TCPAddr).Port
		return nil
	}
	a.httpAt = cmp.Or(c.HTTPListen, ":80")
	a.http, a.leave, err = joinHTTP(ctx, a.httpAt, inherited, a.answer)
	if err != nil {
		return fmt.Errorf("acme.http-listen: %w", err)
	}
	host, port, _ := net.SplitHostPort(a.http.listener.Addr().String())
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	template.ListenHost = host
	template.AltHTTPPort, err = strconv.Atoi(port)
	return err
}

func (a *authority) manage(ctx context.Context) {
	// It returns at once; what fails is told by events.
	_ = a.magic.ManageAsync(ctx, a.names)
}

func (a *authority) close() {
	if a.cache != nil {
		a.cache.Stop()
	}
	if a.held != nil {
		a.held.Close()
	}
	if a.leave != nil {
		a.leave()
	}
}

// named is the certificate for a name; nil where there is none yet.
func (a *authority) named(name string) *tls.Certificate {
	if !slices.Contains(a.names, name) {
		return nil
	}
	var best certmagic.Certificate
	for _, cert := range a.cache.AllMatchingCertificates(name) {
		if cert.Leaf != nil && (best.Leaf == nil || cert.Leaf.NotAfter.After(best.Leaf.NotAfter)) {
			best = cert
		}
	}
	if best.Leaf == nil {
		return nil
	}
	if have, ok := a.served.Load(name); ok {
		if have := have.(*served); have.hash == best.Hash() && have.staple == string(best.OCSPStaple) {
			return have.cert
		}
	}
	cert := best.Certificate
	a.served.Store(name, &served{best.Hash(), string(best.OCSPStaple), &cert})
	return &cert
}

// answer serves http-01.
func (a *authority) answer(w http.ResponseWriter, r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	return slices.Contains(a.names, hostOf(host)) && a.issuer != nil && a.issuer.HandleHTTPChallenge(w, r)
}

// told makes events of certmagic's.
func (a *authority) told(ctx context.Context, what string, data map[string]any) error {
	name, _ := data["identifier"].(string)
	e := event.Certificate{Source: "acme " + name, Names: []string{name}}
	switch what {
	case "cert_obtained":
		e.What = Obtained
		path, _ := data["certificate_path"].(string)
		if text, err := a.magic.Storage.Load(ctx, path); err == nil {
			if block, _ := pem.Decode(text); block != nil {
				if leaf, err := x509.ParseCertificate(block.Bytes); err == nil {
					e.Names, e.Until = leaf.DNSNames, leaf.NotAfter
				}
			}
		}
	case "cert_failed":
		e.What = ObtainFailed
		e.Err, _ = data["error"].(error)
	case "cached_managed_cert":
		names, _ := data["sans"].([]string)
		if len(names) == 0 {
			return nil
		}
		e.Source, e.What, e.Names = "acme "+names[0], certstore.Reloaded, names
		if cert := a.named(names[0]); cert != nil {
			e.Until = cert.Leaf.NotAfter
		}
	case "cert_ocsp_revoked":
		e.What, e.Err = certstore.Revoked, errors.New("its authority has revoked it; another is obtained")
	default:
		return nil
	}
	a.report(e)
	return nil
}

// GetConfigForClient is for [tls.Config.GetConfigForClient]. It answers the connections by which
// an ACME authority looks whether a name is ours, and leaves all others to the Config.
func (s *Source) GetConfigForClient(info *tls.ClientHelloInfo) (*tls.Config, error) {
	if len(info.SupportedProtos) != 1 || info.SupportedProtos[0] != ACMEProtocol {
		return nil, nil
	}
	name := hostOf(info.ServerName)
	for _, a := range s.acme {
		if !a.alpn || !slices.Contains(a.names, name) || info.Conn == nil { // certmagic asks it where it is from
			continue
		}
		cert, err := a.magic.GetCertificateWithContext(info.Context(), info)
		if err != nil {
			return nil, fmt.Errorf("%q is not being proven by tls-alpn-01 now", name)
		}
		return &tls.Config{Certificates: []tls.Certificate{*cert}, NextProtos: []string{ACMEProtocol}, SessionTicketsDisabled: true, HandshakeTimeout: time.Minute}, nil
	}
	return nil, fmt.Errorf("%q is not a name that is proven by tls-alpn-01 here", name)
}
