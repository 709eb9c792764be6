package certstore

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
)

const (
	firstRetry = time.Minute
	lastRetry  = time.Hour
)

// staple is the OCSP response of one certificate, and when the next is due.
type staple struct {
	response []byte    // the last good one; nil for none
	until    time.Time // when that ends
	due      time.Time // when the responder is asked next
	retry    time.Duration
	never    bool // there is no responder, or no issuer to ask about
}

// restaple asks the responder where that is due, and reports whether the certificate has
// changed. A failure leaves the last good response, for as long as it holds.
func (h *held) restaple(ctx context.Context, o Options) (changed bool) {
	now := o.Now()
	if h.staple.response != nil && now.After(h.staple.until) {
		h.staple.response, changed = nil, true
		h.put(nil)
	}
	if h.staple.never || now.Before(h.staple.due) {
		return changed
	}
	leaf := h.cert.Leaf
	if len(leaf.OCSPServer) == 0 {
		h.staple.never = true
		return changed
	}
	issuer, err := h.issuer()
	if err != nil {
		h.staple.never = true
		o.tell(Event{h.Pair, StapleFailed, err, leaf})
		return changed
	}
	response, answer, err := ask(ctx, o, leaf, issuer, h.staple.response != nil)
	event := Event{Pair: h.Pair, What: Stapled, Leaf: leaf}
	switch {
	case err != nil:
		h.staple.retry = min(max(2*h.staple.retry, firstRetry), lastRetry)
		h.staple.due = now.Add(jitter(h.staple.retry))
		event.What, event.Err = StapleFailed, err
	case answer.Status == revocation.Revoked:
		h.staple = staple{due: now.Add(jitter(lastRetry))}
		h.put(nil)
		event.What, event.Err, changed = Revoked, errors.New(answer.String()), true
	default:
		// Half of its time is left for an outage.
		h.staple = staple{response: response, until: answer.NextUpdate, due: now.Add(jitter(answer.NextUpdate.Sub(now) / 2))}
		h.put(response)
		changed = true
	}
	o.tell(event)
	return changed
}

// issuer returns that of the leaf, which follows it in the file.
func (h *held) issuer() (*x509.Certificate, error) {
	if len(h.cert.Certificate) < 2 {
		return nil, fmt.Errorf("the certificate of its issuer, which a responder must be asked about too, does not follow it in %s", h.Cert)
	}
	return x509.ParseCertificate(h.cert.Certificate[1])
}

// ask brings a response and verifies it as a client would. again has the fetcher pass by
// its own copies.
func ask(ctx context.Context, o Options, leaf, issuer *x509.Certificate, again bool) (response []byte, a revocation.Answer, err error) {
	err = errors.New("the certificate names no responder")
	for _, url := range leaf.OCSPServer {
		request := revocation.Request{Source: revocation.OCSP, URL: url, Body: revocation.OCSPRequest(leaf, issuer, nil), Anew: again}
		if response, err = o.Fetcher.Fetch(ctx, request); err != nil {
			continue
		}
		var r *revocation.OCSPResponse
		if r, err = revocation.ParseOCSP(response); err != nil {
			continue
		}
		if a, err = r.About(leaf, issuer, o.Now(), revocation.Skew); err != nil {
			continue
		}
		if a.NextUpdate.IsZero() {
			err = errors.New("the response does not say how long it holds")
			continue
		}
		a.Source, a.URL = revocation.OCSP, url
		return response, a, nil
	}
	return nil, a, err
}

// put replaces the certificate by one with this staple: handshakes may hold the old one.
func (h *held) put(response []byte) {
	cert := *h.cert
	cert.OCSPStaple = response
	h.cert = &cert
}

// jitter is a time near d, so that servers that were started together do not ask together.
func jitter(d time.Duration) time.Duration {
	return d - time.Duration(rand.Int64N(int64(d/5)+1))
}
