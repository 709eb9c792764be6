package revocation

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/vitrine-tls/vitrine/certcheck/internal/forge"
)

func mustList(t testing.TB, l forge.List, p *pki) *List {
	t.Helper()
	parsed, err := ParseCRL(l.Sign(p.issuerKey))
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// What any source at hand calls revoked is revoked, whatever the others say.
func TestRevokedByAnySource(t *testing.T) {
	p := newPKI(t)
	good := p.good().Sign(p.issuerKey)
	clean, dirty := mustList(t, p.list(), p), mustList(t, p.list(p.revokes(1)), p)
	for _, order := range [][]*List{{clean, dirty}, {dirty, clean}} {
		a := (&Checker{Mode: Soft, Lists: order}).Check(t.Context(), p.query(good))
		if a.Status != Revoked || a.Source != CRL {
			t.Errorf("a good staple, and a list that revokes: %v from %v", a.Status, a.Source)
		}
	}
	if a := (&Checker{Mode: Soft, Lists: []*List{clean}}).Check(t.Context(), p.query(good)); a.Status != Good {
		t.Errorf("both good: %v", a.Status)
	}
	bad := p.good()
	bad.Singles[0].Status = forge.Revoked(now, 1)
	if a := (&Checker{Mode: Soft, Lists: []*List{clean}}).Check(t.Context(), p.query(bad.Sign(p.issuerKey))); a.Status != Revoked || a.Source != Stapled {
		t.Errorf("a good list, and a staple that revokes: %v from %v", a.Status, a.Source)
	}
}

// A staple that was believed is not verified again, for as long as it holds, and for no
// other certificate.
func TestAStapleIsRememberedForItsCertificate(t *testing.T) {
	p := newPKI(t)
	good := p.good().Sign(p.issuerKey)
	k := &Checker{Mode: Soft, Cache: new(Cache)}
	check := func(change func(*Query)) Answer {
		q := p.query(good)
		change(&q)
		return k.Check(t.Context(), q)
	}
	if a := check(func(*Query) {}); a.Status != Good {
		t.Fatal(a.Doubts)
	}
	if _, kept := k.Cache.stapled(p.query(good)); !kept {
		t.Error("the answer is not kept")
	}
	for name, change := range map[string]func(*Query){
		"of another certificate": func(q *Query) { q.Certificate = q.Issuer },
		"of another issuer":      func(q *Query) { q.Issuer = q.Certificate },
		"of yesterday":           func(q *Query) { q.Time = now.Add(-day) },
		"of next week":           func(q *Query) { q.Time = now.Add(7 * day) },
		"damaged":                func(q *Query) { q.Staple = append(slices.Clone(good[:len(good)-1]), good[len(good)-1]^1) },
	} {
		if a := check(change); a.Status != Unknown {
			t.Errorf("a staple %s: %v", name, a)
		}
	}
}

func TestDeny(t *testing.T) {
	p := newPKI(t)
	hash := func(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) }
	colons := strings.ToUpper(p.leaf.SerialNumber.Text(16))
	for name, text := range map[string]string{
		"key":    "# lost\nspki " + hash(p.leaf.RawSubjectPublicKeyInfo) + " # of November\n",
		"serial": "serial " + hash(p.leaf.RawIssuer) + " " + colons[:2] + ":" + colons[2:],
	} {
		d, err := ParseDeny(strings.NewReader(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, mode := range []Mode{Off, Soft, Hard} {
			a := (&Checker{Mode: mode, Deny: d}).Check(t.Context(), p.query(p.good().Sign(p.issuerKey)))
			if a.Status != Revoked || a.Source != DenyList || !a.Refuses(mode) {
				t.Errorf("%s, %v: %v from %v", name, mode, a.Status, a.Source)
			}
		}
		if d.Has(p.other) {
			t.Errorf("%s: another certificate is denied too", name)
		}
	}
	for _, bad := range []string{"x", "spki", "spki 00", "spki zz", "serial " + hash(nil), "serial " + hash(nil) + " x", "spki " + hash(nil) + " 1"} {
		if _, err := ParseDeny(strings.NewReader("\n" + bad)); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestDelta(t *testing.T) {
	p := newPKI(t)
	delta := func(base, number int64, entries ...forge.Entry) *List {
		l := p.list(entries...)
		l.Extensions = []forge.Ext{forge.Number(number), forge.DeltaOf(base)}
		return mustList(t, l, p)
	}
	clean, dirty := mustList(t, p.list(), p), mustList(t, p.list(p.revokes(6)), p) // number 7
	for _, tc := range []struct {
		name        string
		base, delta *List
		status      Status
		err         string
	}{
		{"adds one", clean, delta(7, 8, p.revokes(1)), Revoked, ""},
		{"adds to an earlier one", clean, delta(6, 8, p.revokes(1)), Revoked, ""},
		{"adds nothing", dirty, delta(7, 8), Revoked, ""},
		{"takes off what was on hold", dirty, delta(7, 8, p.revokes(8)), Good, ""},
		{"adds to a later one", clean, delta(8, 9, p.revokes(1)), 0, "a later list"},
		{"is older", clean, delta(5, 6, p.revokes(1)), 0, "older"},
		{"is none", clean, dirty, 0, "is not a delta list"},
	} {
		a, err := tc.base.About(p.leaf, p.issuer, tc.delta, now, Skew)
		if a.Status != tc.status || (err != nil) != (tc.err != "") || err != nil && !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%s: %v, %v", tc.name, a.Status, err)
		}
	}

	at := p.list()
	at.Extensions = append(at.Extensions, forge.FreshestAt("http://crl.example/delta"))
	fresh := p.list(p.revokes(1))
	fresh.Extensions = []forge.Ext{forge.Number(8), forge.DeltaOf(7)}
	net := network{crlURL: at.Sign(p.issuerKey), "http://crl.example/delta": fresh.Sign(p.issuerKey)}
	if a := (&Checker{Mode: Soft, Fetcher: net}).Check(t.Context(), p.query(nil)); a.Status != Revoked {
		t.Errorf("with a delta list on the network: %v, %v", a, a.Doubts)
	}
	delete(net, "http://crl.example/delta")
	if a := (&Checker{Mode: Soft, Fetcher: net}).Check(t.Context(), p.query(nil)); a.Status != Good {
		t.Errorf("without it the whole list holds: %v, %v", a, a.Doubts)
	}
	if a := (&Checker{Mode: Soft, Lists: []*List{clean, delta(7, 8, p.revokes(1))}}).Check(t.Context(), p.query(nil)); a.Status != Revoked {
		t.Errorf("with a delta list at hand: %v", a)
	}
}

// counted counts what is asked of a network.
type counted struct {
	network
	asked []Request
}

func (c *counted) Fetch(ctx context.Context, r Request) ([]byte, error) {
	c.asked = append(c.asked, r)
	return c.network.Fetch(ctx, r)
}

func TestCacheHoldsWhileTheAnswerDoes(t *testing.T) {
	p := newPKI(t)
	for _, url := range []string{ocspURL, crlURL} {
		net := &counted{network: network{ocspURL: p.good().Sign(p.issuerKey), crlURL: p.list().Sign(p.issuerKey)}}
		if url == crlURL {
			delete(net.network, ocspURL)
		}
		k := &Checker{Mode: Hard, Fetcher: net, Cache: new(Cache)}
		asks := func(at time.Duration) (n int) {
			q := p.query(nil)
			q.Time = now.Add(at)
			net.asked = nil
			k.Check(t.Context(), q)
			for _, r := range net.asked {
				if r.URL == url {
					n++
				}
			}
			return n
		}
		if first, again, last := asks(0), asks(hour), asks(day); first != 1 || again != 0 || last != 0 {
			t.Errorf("%s: asked %d, %d and %d times", url, first, again, last)
		}
		if late := asks(day + 2*Skew); late == 0 {
			t.Errorf("%s: an answer is used that no longer holds", url)
		}
	}
}

func TestCacheKeepsToItsBudget(t *testing.T) {
	p := newPKI(t)
	c := &Cache{Budget: 3 * answerBytes}
	for n := range 100 {
		c.keep(fmt.Sprint(n), held{Answer{}, now.Add(hour), answerBytes}, now)
		if c.bytes > c.Budget || c.bytes != len(c.held)*answerBytes {
			t.Fatalf("%d bytes in %d entries", c.bytes, len(c.held))
		}
	}
	c.keep("outdated", held{Answer{}, now.Add(-hour), answerBytes}, now)
	c.keepList("large", &List{size: 3 * answerBytes, NextUpdate: now.Add(day)}, now)
	if c.get("outdated", now) != nil || c.list("large") != nil || len(c.held) != 3 {
		t.Errorf("kept %d entries", len(c.held))
	}
	c.keepAnswer(p.query(nil), Answer{Status: Good, NextUpdate: now.Add(hour)})
	if _, ok := c.answer(p.query(nil)); !ok {
		t.Error("the last one is not kept")
	}
	q := p.query(nil)
	q.Certificate = p.other
	if _, ok := c.answer(q); ok {
		t.Error("an answer is found for another certificate")
	}
}

// A fetcher that gives an old copy is asked again, for one from the network.
func TestOldCopyIsFetchedAnew(t *testing.T) {
	p := newPKI(t)
	old := p.good()
	old.Singles[0].Next = now.Add(-hour)
	var asked []bool
	k := &Checker{Mode: Hard, Fetcher: fetch(func(r Request) ([]byte, error) {
		asked = append(asked, r.Anew)
		if r.Anew {
			return p.good().Sign(p.issuerKey), nil
		}
		return old.Sign(p.issuerKey), nil
	})}
	if a := k.Check(t.Context(), p.query(nil)); a.Status != Good || !slices.Equal(asked, []bool{false, true}) {
		t.Errorf("%v after asking %v", a, asked)
	}
}

type fetch func(Request) ([]byte, error)

func (f fetch) Fetch(_ context.Context, r Request) ([]byte, error) { return f(r) }

func TestNonce(t *testing.T) {
	p := newPKI(t)
	for name, tc := range map[string]struct {
		repeat func(asked []byte) []forge.Ext
		status Status
	}{
		"repeated": {func(n []byte) []forge.Ext { return []forge.Ext{forge.Nonce(n)} }, Good},
		"another":  {func([]byte) []forge.Ext { return []forge.Ext{forge.Nonce(make([]byte, 32))} }, Unknown},
		"none":     {func([]byte) []forge.Ext { return nil }, Unknown},
	} {
		k := &Checker{Mode: Hard, Nonce: true, Cache: new(Cache), Fetcher: fetch(func(r Request) ([]byte, error) {
			if r.Source != OCSP {
				return nil, errors.New("no list")
			}
			answer := p.good()
			answer.Extensions = tc.repeat(nonceOf(t, r.Body))
			return answer.Sign(p.issuerKey), nil
		})}
		for range 2 { // the second time an answer may be in the cache, and must not count
			if a := k.Check(t.Context(), p.query(nil)); a.Status != tc.status {
				t.Errorf("%s: %v, %v", name, a.Status, a.Doubts)
			}
		}
	}
}

// nonceOf reads the nonce of a request.
func nonceOf(t *testing.T, der []byte) (nonce []byte) {
	t.Helper()
	s := cryptobyte.String(der)
	var request, list, extensions, one, value cryptobyte.String
	if !s.ReadASN1(&request, casn1.SEQUENCE) || !request.ReadASN1(&request, casn1.SEQUENCE) || !request.SkipASN1(casn1.SEQUENCE) ||
		!request.ReadASN1(&list, explicit(2)) || !list.ReadASN1(&extensions, casn1.SEQUENCE) || !extensions.ReadASN1(&one, casn1.SEQUENCE) ||
		!one.SkipASN1(casn1.OBJECT_IDENTIFIER) || !one.ReadASN1(&value, casn1.OCTET_STRING) || !value.ReadASN1Bytes(&nonce, casn1.OCTET_STRING) {
		t.Fatalf("the request %x has no nonce", der)
	}
	return nonce
}

func TestMustStaple(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*forge.Chain)
		must   bool
	}{
		"without": {func(*forge.Chain) {}, false},
		"with":    {func(c *forge.Chain) { c.Leaf.Replace(forge.MustStaple()) }, true},
		"other features": {func(c *forge.Chain) {
			c.Leaf.Replace(forge.Ext{ID: forge.IDTLSFeature, Value: []byte{0x30, 3, 2, 1, 9}})
		}, false},
		"malformed": {func(c *forge.Chain) { c.Leaf.Replace(forge.Ext{ID: forge.IDTLSFeature, Value: []byte{1}}) }, true},
	} {
		if p := newPKI(t, tc.change); MustStaple(p.leaf) != tc.must {
			t.Errorf("%s: %v", name, !tc.must)
		}
	}
}

func TestAnswersInWords(t *testing.T) {
	for want, a := range map[string]Answer{
		"revoked on 2026-11-27: key compromise (stapled OCSP)": {Status: Revoked, Source: Stapled, Reason: KeyCompromise, RevokedAt: now.Add(-2 * day)},
		"not revoked (CRL of 2026-11-29)":                      {Status: Good, Source: CRL, ThisUpdate: now},
		"not known whether it is revoked":                      {},
		"refused by the deny list":                             {Status: Revoked, Source: DenyList},
	} {
		if got := a.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for _, m := range []Mode{Off, Soft, Hard} {
		if got, ok := ParseMode(m.String()); got != m || !ok {
			t.Errorf("%v is read as %v", m, got)
		}
	}
}

// A deny list says for each line that it takes which certificates it means.
func FuzzParseDeny(f *testing.F) {
	f.Add("# lost\nspki "+strings.Repeat("ab", 32)+" # of November\n", []byte{1})
	f.Add("serial "+strings.Repeat("AB:", 31)+"AB 0a:0b\n", []byte{10, 11})
	f.Add("serial "+strings.Repeat("00", 32)+" abc", []byte{10, 188})
	f.Fuzz(func(t *testing.T, text string, serial []byte) {
		d, err := ParseDeny(strings.NewReader(text))
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r\x1b\x00") {
				t.Errorf("not an error for people: %q", err)
			}
			return
		}
		c := &x509.Certificate{SerialNumber: new(big.Int).SetBytes(serial)}
		if d.Has(c) && !strings.Contains(text, "serial") && !strings.Contains(text, "spki") {
			t.Errorf("%q denies serial number %x", text, serial)
		}
	})
}
