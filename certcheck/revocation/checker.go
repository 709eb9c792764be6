package revocation

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"
	"time"
)

// Skew is how far two clocks may differ where none is given.
const Skew = 5 * time.Minute

// A Checker asks what is known of certificates. The zero value asks nobody; with a Mode it
// asks staples alone. It is safe for use by several goroutines at once, and must not be
// changed while it is used.
type Checker struct {
	// Mode is what becomes of the answers. [Off] asks the deny list alone.
	Mode Mode
	// Deny is asked first.
	Deny *Deny
	// Lists are asked next, such as those of files, together with what was stapled.
	Lists []*List
	// ListsNow returns lists that may change, asked as those of Lists are; nil for none. It
	// is called in each check, by several goroutines at once.
	ListsNow func() []*List
	// Fetcher brings what neither could say: the OCSP responder is asked, and
	// then the lists that the certificate names. nil opens no connections.
	Fetcher Fetcher
	// Nonce has an OCSP responder repeat a random value, so that it cannot give an
	// older answer. Responders of the web PKI do not.
	Nonce bool
	// Skew is how far the clocks of authorities may differ from ours; 0 for [Skew].
	Skew time.Duration
	// Cache keeps lists and answers that were believed; nil for none.
	Cache *Cache
}

// Fetcher brings answers from the network, within a time and a size. It does not
// verify them. It must be safe for use by several goroutines at once.
type Fetcher interface {
	Fetch(ctx context.Context, r Request) ([]byte, error)
}

// Request is what a Fetcher shall bring.
type Request struct {
	Source Source // OCSP or CRL
	URL    string
	Body   []byte // for OCSP, the request in DER
	// Anew is set where what a cache of the fetcher's own gave was not good.
	Anew bool
	// Once is set where the answer is good for this request alone: it has a nonce.
	Once bool
}

// Query is one certificate of a path.
type Query struct {
	Certificate, Issuer *x509.Certificate
	Staple              []byte    // an OCSP response that came with it; may be nil
	Time                time.Time // for which moment
}

var oidMustStaple = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}

// MustStaple reports whether c says that its server staples an OCSP response: it has the
// TLS feature status_request. RFC 7633.
func MustStaple(c *x509.Certificate) bool {
	for _, e := range c.Extensions {
		var features []int
		if !e.Id.Equal(oidMustStaple) {
			continue
		}
		if rest, err := asn1.Unmarshal(e.Value, &features); err != nil || len(rest) > 0 {
			return true // it says something of the kind
		}
		for _, f := range features {
			if f == 5 { // status_request
				return true
			}
		}
	}
	return false
}

// Check asks every source in turn until one knows. What says revoked counts at once.
// The context bounds fetches; when it ends, the answer is of what is known by then.
func (k *Checker) Check(ctx context.Context, q Query) (a Answer) {
	if k.Deny.Has(q.Certificate) {
		return Answer{Status: Revoked, Source: DenyList}
	}
	if k.Mode == Off || len(k.Lists) == 0 && k.ListsNow == nil && len(q.Staple) == 0 && k.Fetcher == nil {
		return Answer{}
	}
	ask := inquiry{k, q, k.Lists, nil}
	if k.ListsNow != nil {
		ask.known = append(slices.Clip(k.Lists), k.ListsNow()...)
	}
	for _, source := range []func(context.Context) (Answer, bool){ask.atHand, ask.responder, ask.fetchedLists} {
		if a, known := source(ctx); known {
			a.Doubts = ask.doubts
			return a
		}
	}
	return Answer{Doubts: ask.doubts}
}

// inquiry is one Check under way.
type inquiry struct {
	*Checker
	Query
	known  []*List // Lists and ListsNow
	doubts []Doubt
}

func (i *inquiry) skew() time.Duration {
	if i.Skew == 0 {
		return Skew
	}
	return i.Skew
}

func (i *inquiry) doubt(s Source, url string, err error) (Answer, bool) {
	i.doubts = append(i.doubts, Doubt{s, url, err})
	return Answer{}, false
}

// atHand asks what needs no connection. A revoked counts, though the other says good, and
// else the staple is the answer, by which it is known that there was a good one.
func (i *inquiry) atHand(context.Context) (Answer, bool) {
	listed, known := i.lists()
	if known && listed.Status == Revoked {
		return listed, true
	}
	if a, stapled := i.staple(); stapled {
		return a, true
	}
	return listed, known
}

// lists asks the lists at hand: a revoked in any of them counts, though another says good.
func (i *inquiry) lists() (answer Answer, known bool) {
	for _, l := range i.known {
		if l.Base != nil || !bytes.Equal(l.Issuer, i.Certificate.RawIssuer) {
			continue
		}
		a, err := l.About(i.Certificate, i.Issuer, i.deltaAtHand(l), i.Time, i.skew())
		a.Source = CRL
		switch {
		case err != nil:
			i.doubt(CRL, "", err)
		case a.Status == Revoked:
			return a, true
		default:
			answer, known = a, true
		}
	}
	return answer, known
}

// deltaAtHand returns the latest list that adds to l, or nil.
func (i *inquiry) deltaAtHand(l *List) (delta *List) {
	for _, d := range i.known {
		if bytes.Equal(d.Issuer, l.Issuer) && d.addsTo(l) == nil && (delta == nil || less(delta.Number, d.Number)) {
			delta = d
		}
	}
	return delta
}

func (i *inquiry) staple() (Answer, bool) {
	if len(i.Staple) == 0 {
		return Answer{}, false
	}
	if a, cached := i.Cache.stapled(i.Query); cached {
		return a, true
	}
	a, err := i.response(i.Staple, nil)
	if err != nil {
		return i.doubt(Stapled, "", err)
	}
	a.Source = Stapled
	i.Cache.keepStapled(i.Query, a)
	return a, true
}

// response reads and verifies an OCSP response.
func (i *inquiry) response(der, nonce []byte) (Answer, error) {
	r, err := ParseOCSP(der)
	if err != nil {
		return Answer{}, err
	}
	if nonce != nil && !bytes.Equal(r.nonce, nonce) {
		return Answer{}, errors.New("it does not repeat our nonce, so it may be an old answer")
	}
	return r.About(i.Certificate, i.Issuer, i.Time, i.skew())
}

// responder asks the OCSP responders that the certificate names.
func (i *inquiry) responder(ctx context.Context) (Answer, bool) {
	if i.Fetcher == nil {
		return Answer{}, false
	}
	if a, cached := i.Cache.answer(i.Query); cached && !i.Nonce {
		return a, true
	}
	for n, url := range i.Certificate.OCSPServer {
		if n == maxURLs {
			break
		}
		var nonce []byte
		if i.Nonce {
			nonce = newNonce()
		}
		a, err := fetched(ctx, i.Fetcher, Request{Source: OCSP, URL: url, Body: OCSPRequest(i.Certificate, i.Issuer, nonce), Once: i.Nonce},
			func(der []byte) (Answer, error) { return i.response(der, nonce) })
		if err != nil {
			i.doubt(OCSP, url, err)
			continue
		}
		a.Source, a.URL = OCSP, url
		i.Cache.keepAnswer(i.Query, a)
		return a, true
	}
	return Answer{}, false
}

// maxURLs is how many places of one kind in a certificate are asked.
const maxURLs = 4

// fetched brings something and has it read. Where it is not good, it may have been an
// old copy of the fetcher's: then it is brought once more.
func fetched[T any](ctx context.Context, f Fetcher, r Request, read func([]byte) (T, error)) (v T, err error) {
	for range 2 {
		var body []byte
		if body, err = f.Fetch(ctx, r); err != nil {
			return v, err
		}
		if v, err = read(body); err == nil || r.Anew {
			return v, err
		}
		r.Anew = true
	}
	return v, err
}

// fetchedLists asks the lists that the certificate names.
func (i *inquiry) fetchedLists(ctx context.Context) (Answer, bool) {
	if i.Fetcher == nil {
		return Answer{}, false
	}
	for n, url := range distributionPoints(i.Certificate, oidCRLDistribution) {
		if n == maxURLs {
			break
		}
		l, err := i.list(ctx, url, func(l *List) error {
			_, err := l.About(i.Certificate, i.Issuer, nil, i.Time, i.skew())
			return err
		})
		if err != nil {
			i.doubt(CRL, url, err)
			continue
		}
		a, err := l.About(i.Certificate, i.Issuer, i.delta(ctx, l), i.Time, i.skew())
		if err != nil {
			i.doubt(CRL, url, err)
			continue
		}
		a.Source, a.URL = CRL, url
		return a, true
	}
	return Answer{}, false
}

// list returns the list of a URL, from the cache or the network. good judges it.
func (i *inquiry) list(ctx context.Context, url string, good func(*List) error) (*List, error) {
	if l := i.Cache.list(url); l != nil && good(l) == nil {
		return l, nil
	}
	return fetched(ctx, i.Fetcher, Request{Source: CRL, URL: url}, func(der []byte) (*List, error) {
		l, err := ParseCRL(der)
		if err == nil {
			err = good(l)
		}
		if err == nil {
			i.Cache.keepList(url, l, i.Time)
		}
		return l, err
	})
}

// delta fetches a list that adds to base, where base or the certificate says that there
// is one; nil where it cannot be had, for base still holds.
func (i *inquiry) delta(ctx context.Context, base *List) *List {
	urls := append(base.freshest, distributionPoints(i.Certificate, oidFreshest)...)
	for n, url := range urls {
		if n == maxURLs {
			break
		}
		d, err := i.list(ctx, url, func(d *List) error {
			if err := d.addsTo(base); err != nil {
				return err
			}
			return d.believe(i.Issuer, i.Time, i.skew())
		})
		if err == nil {
			return d
		}
		i.doubt(CRL, url, err)
	}
	return nil
}
