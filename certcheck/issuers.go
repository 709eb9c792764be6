package certcheck

import (
	"bytes"
	"context"
	"crypto/x509"
	"slices"
	"strings"
	"time"
)

// IssuerFetcher brings the certificate of an authority, in DER, from an address that a
// certificate below it names. It must be safe for use by several goroutines at once.
// [fetch.Client] is one.
//
// The address comes from a peer that has proved nothing yet: it chooses what you connect to,
// within your network too.
//
// [fetch.Client]: https://pkg.go.dev/github.com/vitrine-tls/vitrine/certcheck/fetch#Client
type IssuerFetcher interface {
	FetchIssuer(ctx context.Context, url string) ([]byte, error)
}

// Limits on what is fetched in one verification.
const (
	MaxIssuer     = 64 << 10 // bytes of a certificate that is fetched
	maxFetches    = 4
	fetchesEach   = 2 // addresses of one certificate that are tried
	issuerTimeout = 3 * time.Second
)

// good finds the ways that all rules let pass. Where there are none, and it is wanted, the
// issuers that the peer has not sent are fetched.
func (s *search) good(ctx context.Context) []way {
	ways := s.find(true)
	for len(ways) == 0 && s.fetchIssuer(ctx) {
		ways = s.find(true)
	}
	return ways
}

// fetchIssuer fetches the issuer of the last certificate that the leaf leads to, and puts it
// beside what was sent. It reports whether there is something new.
func (s *search) fetchIssuer(ctx context.Context) bool {
	if s.o.Issuers == nil || s.asked != nil || len(s.sent) >= MaxChain {
		return false
	}
	if s.path.chain = append(s.room[:0], s.sent[0]); !s.admits(onLeaf) {
		return false // no authority makes it good
	}
	top, sent := s.top()
	if sent != nil || selfIssued(top) {
		return false
	}
	tried := 0
	for _, url := range top.IssuingCertificateURL {
		if !strings.HasPrefix(url, "http://") { // https needs a certificate first
			continue
		}
		if tried == fetchesEach || s.fetches == maxFetches {
			return false
		}
		tried++
		s.fetches++
		if c := s.fetch(ctx, url); c != nil && bytes.Equal(c.RawSubject, top.RawIssuer) && !slices.Contains(s.sent, c) {
			s.sent = append(slices.Clip(s.sent), c)
			return true
		}
	}
	return false
}

// fetch returns the certificate at an address, nil for none that can be read.
func (s *search) fetch(ctx context.Context, url string) *x509.Certificate {
	ctx, cancel := context.WithTimeout(ctx, issuerTimeout)
	defer cancel()
	der, err := s.o.Issuers.FetchIssuer(ctx, url)
	if err != nil || len(der) > MaxIssuer {
		return nil
	}
	certs, err := Parse([][]byte{der})
	if err != nil {
		return nil
	}
	return certs[0]
}
