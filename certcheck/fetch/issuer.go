package fetch

import (
	"context"
	"crypto/x509"
	"errors"
	"strings"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
)

const (
	maxIssuer  = 64 << 10 // bytes
	maxIssuers = 64       // that are kept in memory
)

// FetchIssuer brings the certificate of an authority, in DER, from where a certificate below
// it says that it is, by http alone and at most 64 KiB. It is kept in memory as long as the
// Client, with up to 63 others. It makes a Client a certcheck.IssuerFetcher. RFC 5280 §4.2.2.1.
func (c *Client) FetchIssuer(ctx context.Context, url string) ([]byte, error) {
	if err := fetchable(url); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(url, "http://") {
		return nil, errors.New("an issuer is fetched by http alone")
	}
	c.mu.Lock()
	der := c.issuers[url]
	c.mu.Unlock()
	if der != nil {
		return der, nil
	}
	f, err := c.join("issuer-"+url, func() ([]byte, error) {
		body, err := c.get(revocation.Request{URL: url}, maxIssuer)
		if err != nil {
			return nil, err
		}
		if _, err := x509.ParseCertificate(body); err != nil {
			return nil, errors.New("the answer is not a certificate in DER")
		}
		c.keepIssuer(url, body)
		return body, nil
	})
	if err != nil {
		return nil, err
	}
	return f.wait(ctx)
}

func (c *Client) keepIssuer(url string, der []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.issuers == nil || len(c.issuers) >= maxIssuers {
		c.issuers = map[string][]byte{}
	}
	c.issuers[url] = der
}
