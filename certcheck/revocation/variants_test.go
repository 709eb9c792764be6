package revocation

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/internal/forge"
)

// variant is one answer that a responder gives, and what is made of it: a status, or a
// doubt that has these words.
type variant struct {
	name   string
	make   func(p *pki) []byte
	status Status
	reason Reason
	doubt  string
}

func of(change func(p *pki, r *forge.Response)) func(*pki) []byte {
	return func(p *pki) []byte {
		r := p.good()
		change(p, &r)
		return r.Sign(p.issuerKey)
	}
}

// by signs with the responder's key and brings a certificate for it.
func by(change func(*pki, *forge.Cert)) func(*pki) []byte {
	return func(p *pki) []byte {
		r := p.good()
		signer := p.issuerKey
		c := p.delegate(func(c *forge.Cert) { change(p, c) })
		r.Certs = [][]byte{c.Sign(signer)}
		return r.Sign(p.responderKey)
	}
}

func flipped(b []byte) []byte {
	b = bytes.Clone(b)
	b[len(b)-1] ^= 1
	return b
}

var unknownCritical = forge.Ext{ID: asn1.ObjectIdentifier{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}}

var responses = []variant{
	{"good", of(func(*pki, *forge.Response) {}), Good, 0, ""},
	{"good, by name", of(func(p *pki, r *forge.Response) { r.Responder = forge.ByName(p.issuer.RawSubject) }), Good, 0, ""},
	{"good, CertID of SHA-256", of(func(p *pki, r *forge.Response) {
		r.Singles[0].CertID = forge.CertID([]int{2, 16, 840, 1, 101, 3, 4, 2, 1}, crypto.SHA256, p.leaf, p.issuer)
	}), Good, 0, ""},
	{"good, beside one for another", of(func(p *pki, r *forge.Response) {
		r.Singles = append(r.Singles, forge.Single{CertID: forge.CertID(forge.SHA1, crypto.SHA1, p.other, p.issuer), Status: forge.Revoked(now, 1), This: now, Next: now.Add(day)})
	}), Good, 0, ""},
	{"good, clocks a little apart", of(func(_ *pki, r *forge.Response) {
		r.ProducedAt, r.Singles[0].This = now.Add(4*time.Minute), now.Add(4*time.Minute)
	}), Good, 0, ""},
	{"good, without an end, fresh", of(func(_ *pki, r *forge.Response) { r.Singles[0].Next = time.Time{} }), Good, 0, ""},
	{"good, from a responder", by(func(*pki, *forge.Cert) {}), Good, 0, ""},
	{"revoked, no reason", of(func(_ *pki, r *forge.Response) { r.Singles[0].Status = forge.Revoked(now.Add(-day), -1) }), Revoked, Unspecified, ""},
	{"revoked, key compromise", of(func(_ *pki, r *forge.Response) { r.Singles[0].Status = forge.Revoked(now.Add(-day), 1) }), Revoked, KeyCompromise, ""},
	{"revoked, CA compromise", of(func(_ *pki, r *forge.Response) { r.Singles[0].Status = forge.Revoked(now.Add(-day), 2) }), Revoked, CACompromise, ""},
	{"revoked, affiliation", of(func(_ *pki, r *forge.Response) { r.Singles[0].Status = forge.Revoked(now.Add(-day), 3) }), Revoked, AffiliationChanged, ""},
	{"revoked, superseded", of(func(_ *pki, r *forge.Response) { r.Singles[0].Status = forge.Revoked(now.Add(-day), 4) }), Revoked, Superseded, ""},
	{"revoked, cessation", of(func(_ *pki, r *forge.Response) { r.Singles[0].Status = forge.Revoked(now.Add(-day), 5) }), Revoked, CessationOfOperation, ""},
	{"revoked, on hold", of(func(_ *pki, r *forge.Response) { r.Singles[0].Status = forge.Revoked(now.Add(-day), 6) }), Revoked, CertificateHold, ""},
	{"revoked, a reason that does not exist", of(func(_ *pki, r *forge.Response) { r.Singles[0].Status = forge.Revoked(now.Add(-day), 99) }), Revoked, 99, ""},

	{"unknown", of(func(_ *pki, r *forge.Response) { r.Singles[0].Status = forge.Unknown }), 0, 0, "does not know the certificate"},
	{"for another certificate", of(func(p *pki, r *forge.Response) {
		r.Singles[0].CertID = forge.CertID(forge.SHA1, crypto.SHA1, p.other, p.issuer)
	}), 0, 0, "about other certificates"},
	{"the serial of another issuer", of(func(p *pki, r *forge.Response) {
		r.Singles[0].CertID = forge.CertID(forge.SHA1, crypto.SHA1, p.leaf, p.responder)
	}), 0, 0, "about other certificates"},
	{"a hash that is not known", of(func(p *pki, r *forge.Response) {
		r.Singles[0].CertID = forge.CertID([]int{1, 2, 840, 113549, 2, 5}, crypto.SHA1, p.leaf, p.issuer)
	}), 0, 0, "about other certificates"},
	{"twice good", of(func(_ *pki, r *forge.Response) { r.Singles = append(r.Singles, r.Singles[0]) }), 0, 0, "2 entries"},
	{"good and revoked", of(func(_ *pki, r *forge.Response) {
		again := r.Singles[0]
		again.Status = forge.Revoked(now, 1)
		r.Singles = append(r.Singles, again)
	}), 0, 0, "2 entries"},
	{"about nothing", of(func(_ *pki, r *forge.Response) { r.Singles = nil }), 0, 0, "about other certificates"},
	{"out of date", of(func(_ *pki, r *forge.Response) { r.Singles[0].Next = now.Add(-6 * time.Minute) }), 0, 0, "out of date"},
	{"of the future", of(func(_ *pki, r *forge.Response) { r.Singles[0].This = now.Add(6 * time.Minute) }), 0, 0, "of the future"},
	{"made in the future", of(func(_ *pki, r *forge.Response) { r.ProducedAt = now.Add(6 * time.Minute) }), 0, 0, "made in the future"},
	{"ends before it begins", of(func(_ *pki, r *forge.Response) { r.Singles[0].This, r.Singles[0].Next = now, now.Add(-time.Minute) }), 0, 0, "ends before it begins"},
	{"without an end, old", of(func(_ *pki, r *forge.Response) { r.Singles[0].This, r.Singles[0].Next = now.Add(-25*hour), time.Time{} }), 0, 0, "does not say how long"},
	{"signature altered", of(func(_ *pki, r *forge.Response) { r.Damage = flipped }), 0, 0, "signature is not good"},
	{"signed with SHA-1", of(func(_ *pki, r *forge.Response) { r.Algorithm = forge.Sequence(forge.OID(1, 2, 840, 10045, 4, 1)) }), 0, 0, "not known or too weak"},
	{"an unknown critical extension", of(func(_ *pki, r *forge.Response) { r.Extensions = []forge.Ext{unknownCritical} }), 0, 0, "critical extension"},
	{"an unknown critical extension of the entry", of(func(_ *pki, r *forge.Response) { r.Singles[0].Extensions = []forge.Ext{unknownCritical} }), 0, 0, "critical extension"},
	{"an extension twice", of(func(_ *pki, r *forge.Response) {
		r.Extensions = []forge.Ext{forge.Nonce([]byte{1}), forge.Nonce([]byte{2})}
	}), 0, 0, "comes twice"},
	{"another type", of(func(_ *pki, r *forge.Response) { r.Type = []int{1, 2, 3} }), 0, 0, "only the basic one"},
	{"by a stranger", func(p *pki) []byte { return p.good().Sign(p.responderKey) }, 0, 0, "neither by"},
	{"by a stranger in the issuer's name", func(p *pki) []byte {
		r := p.good()
		r.Responder = forge.ByName(p.issuer.RawSubject)
		return r.Sign(p.responderKey)
	}, 0, 0, "signature is not good"},
	{"by a stranger with the issuer's key identifier", func(p *pki) []byte {
		r := p.good()
		r.Responder = forge.ByKey(p.issuerKey.Public())
		return r.Sign(p.responderKey)
	}, 0, 0, "signature is not good"},
	{"by a leaf that is no responder", by(func(_ *pki, c *forge.Cert) { c.Replace(forge.ExtKeyUsage(forge.ServerAuth)) }), 0, 0, "not for signing OCSP"},
	{"by a leaf for any use", by(func(_ *pki, c *forge.Cert) { c.Replace(forge.ExtKeyUsage(forge.AnyUsage)) }), 0, 0, "not for signing OCSP"},
	{"by a responder that must not sign", by(func(_ *pki, c *forge.Cert) { c.Replace(forge.KeyUsage(2)) }), 0, 0, "not for signing"},
	{"by an expired responder", by(func(_ *pki, c *forge.Cert) { c.NotAfter = forge.Time(now.Add(-hour)) }), 0, 0, "valid from"},
	{"by a responder of tomorrow", by(func(_ *pki, c *forge.Cert) { c.NotBefore = forge.Time(now.Add(hour)) }), 0, 0, "valid from"},
	{"by a responder with an unknown critical extension", by(func(_ *pki, c *forge.Cert) { c.Replace(unknownCritical) }), 0, 0, "critical extension"},
	{"by a responder of another authority", by(func(_ *pki, c *forge.Cert) { c.Issuer = forge.Name("Another") }), 0, 0, "another authority"},
	{"by a responder that signed itself", func(p *pki) []byte {
		r := p.good()
		r.Certs = [][]byte{p.delegate(nil).Sign(p.responderKey)}
		return r.Sign(p.responderKey)
	}, 0, 0, "not from the authority"},
	{"try later", func(p *pki) []byte { return forge.Response{Status: 3}.Sign(p.issuerKey) }, 0, 0, "try again later"},
	{"unauthorized", func(p *pki) []byte { return forge.Response{Status: 6}.Sign(p.issuerKey) }, 0, 0, "not authorized"},
	{"a status that does not exist", func(p *pki) []byte { return forge.Response{Status: 4}.Sign(p.issuerKey) }, 0, 0, "does not exist"},
	{"nothing", func(*pki) []byte { return nil }, 0, 0, "cut off"},
	{"garbage", func(*pki) []byte { return []byte("<html>Not Found</html>") }, 0, 0, "cut off"},
	{"trailing bytes", func(p *pki) []byte { return append(p.good().Sign(p.issuerKey), 0) }, 0, 0, "cut off"},
	{"cut off", func(p *pki) []byte { b := p.good().Sign(p.issuerKey); return b[:len(b)-1] }, 0, 0, "cut off"},
	{"too large", func(*pki) []byte { return make([]byte, MaxOCSP+1) }, 0, 0, "at most"},
	{"too many entries", of(func(_ *pki, r *forge.Response) {
		for range maxSingles {
			r.Singles = append(r.Singles, r.Singles[0])
		}
	}), 0, 0, "more than 64"},
	{"too many certificates", of(func(p *pki, r *forge.Response) {
		for range maxResponders + 1 {
			r.Certs = append(r.Certs, p.responder.Raw)
		}
	}), 0, 0, "more than 8"},
}

// Every variant, stapled and fetched, in each mode.
func TestOCSPVariants(t *testing.T) {
	p := newPKI(t)
	for _, v := range responses {
		t.Run(v.name, func(t *testing.T) {
			der := v.make(p)
			for _, mode := range []Mode{Soft, Hard} {
				ways := map[Source]Answer{OCSP: (&Checker{Mode: mode, Fetcher: network{ocspURL: der}}).Check(t.Context(), p.query(nil))}
				if len(der) > 0 { // none is no staple
					ways[Stapled] = (&Checker{Mode: mode}).Check(t.Context(), p.query(der))
				}
				for source, a := range ways {
					v.expect(t, a, source)
					refuses := v.status == Revoked || v.status == Unknown && mode == Hard
					if a.Refuses(mode) != refuses {
						t.Errorf("%v, %v: refuses %v", source, mode, !refuses)
					}
				}
			}
			if a := (&Checker{}).Check(t.Context(), p.query(der)); a.Status != Unknown || a.Refuses(Off) {
				t.Errorf("off: %v", a)
			}
		})
	}
}

func (v *variant) expect(t *testing.T, a Answer, source Source) {
	t.Helper()
	if a.Status != v.status || a.Reason != v.reason {
		t.Fatalf("%v: %v (%v), want %v (%v); doubts %v", source, a.Status, a.Reason, v.status, v.reason, a.Doubts)
	}
	if v.status != Unknown {
		if a.Source != source || len(a.Doubts) != 0 {
			t.Errorf("from %v with doubts %v, want %v", a.Source, a.Doubts, source)
		}
		return
	}
	if a.Source != Nowhere || len(a.Doubts) == 0 || a.Doubts[0].Source != source || !strings.Contains(a.Doubts[0].Err.Error(), v.doubt) {
		t.Errorf("%v: doubts %v, want one with %q", source, a.Doubts, v.doubt)
	}
}

var lists = []variant{
	{"not on it", func(p *pki) []byte { return p.list().Sign(p.issuerKey) }, Good, 0, ""},
	{"another on it", func(p *pki) []byte {
		return p.list(forge.Entry{Serial: p.other.SerialNumber, At: now, Reason: 1}).Sign(p.issuerKey)
	}, Good, 0, ""},
	{"on it", func(p *pki) []byte { return p.list(p.revokes(-1)).Sign(p.issuerKey) }, Revoked, Unspecified, ""},
	{"on it, key compromise", func(p *pki) []byte { return p.list(p.revokes(1)).Sign(p.issuerKey) }, Revoked, KeyCompromise, ""},
	{"on hold", func(p *pki) []byte { return p.list(p.revokes(6)).Sign(p.issuerKey) }, Revoked, CertificateHold, ""},
	{"for users", scoped(forge.Scope("", 1)), Good, 0, ""},
	{"of its distribution point", scoped(forge.Scope(crlURL)), Good, 0, ""},
	{"key compromise alone, on it", func(p *pki) []byte {
		l := p.list(p.revokes(1))
		l.Extensions = append(l.Extensions, forge.Scope("", 3))
		return l.Sign(p.issuerKey)
	}, Revoked, KeyCompromise, ""},
	{"version 1", func(p *pki) []byte {
		l := p.list(p.revokes(-1))
		l.Version, l.Extensions = 1, nil
		return l.Sign(p.issuerKey)
	}, Revoked, 0, ""},

	{"key compromise alone, not on it", scoped(forge.Scope("", 3)), 0, 0, "some reasons only"},
	{"for authorities", scoped(forge.Scope("", 2)), 0, 0, "about authorities only"},
	{"for attributes", scoped(forge.Scope("", 5)), 0, 0, "attribute certificates"},
	{"of another distribution point", scoped(forge.Scope("http://crl.example/2.crl")), 0, 0, "another one is about"},
	{"indirect", scoped(forge.Scope("", 4)), 0, 0, "indirect"},
	{"an entry of another issuer", func(p *pki) []byte {
		e := p.revokes(-1)
		e.Extensions = []forge.Ext{{ID: oidCertIssuer, Critical: true, Value: forge.Sequence(forge.Directory(forge.Name("X")))}}
		return p.list(e).Sign(p.issuerKey)
	}, 0, 0, "indirect"},
	{"an unknown critical extension", scoped(unknownCritical), 0, 0, "critical extension"},
	{"an unknown critical extension of an entry", func(p *pki) []byte {
		e := p.revokes(1)
		e.Extensions = []forge.Ext{unknownCritical}
		return p.list(e).Sign(p.issuerKey)
	}, 0, 0, "critical extension"},
	{"a delta list alone", scoped(forge.DeltaOf(6)), 0, 0, "delta list"},
	{"out of date", changed(func(_ *pki, l *forge.List) { l.Next = now.Add(-6 * time.Minute) }), 0, 0, "out of date"},
	{"of the future", changed(func(_ *pki, l *forge.List) { l.This = now.Add(6 * time.Minute) }), 0, 0, "of the future"},
	{"without an end", changed(func(_ *pki, l *forge.List) { l.Next = time.Time{} }), 0, 0, "how long it holds"},
	{"of another authority", changed(func(_ *pki, l *forge.List) { l.Issuer = forge.Name("Another") }), 0, 0, "another authority"},
	{"of another key by its identifier", changed(func(_ *pki, l *forge.List) { l.Extensions[0] = forge.AuthorityKey([]byte{1, 2, 3}) }), 0, 0, "another key"},
	{"signature altered", changed(func(_ *pki, l *forge.List) { l.Damage = flipped }), 0, 0, "signature is not good"},
	{"by a stranger", func(p *pki) []byte { return p.list().Sign(p.responderKey) }, 0, 0, "signature is not good"},
	{"signed with SHA-1", changed(func(_ *pki, l *forge.List) {
		l.Inner = forge.Sequence(forge.OID(1, 2, 840, 10045, 4, 1))
		l.Outer = l.Inner
	}), 0, 0, "not known or too weak"},
	{"two algorithms", changed(func(_ *pki, l *forge.List) { l.Inner = forge.Sequence(forge.OID(1, 2, 840, 10045, 4, 3, 3)) }), 0, 0, "not the one within"},
	{"version 1 with extensions", changed(func(_ *pki, l *forge.List) { l.Version = 1 }), 0, 0, "version"},
	{"nothing", func(*pki) []byte { return nil }, 0, 0, "cut off"},
	{"garbage", func(*pki) []byte { return []byte("<html>Not Found</html>") }, 0, 0, "cut off"},
	{"PEM of something else", func(*pki) []byte { return []byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n") }, 0, 0, "no X509 CRL"},
	{"trailing bytes", func(p *pki) []byte { return append(p.list().Sign(p.issuerKey), 0) }, 0, 0, "cut off"},
	{"too large", func(*pki) []byte { return make([]byte, MaxCRL+1) }, 0, 0, "at most"},
}

func changed(f func(*pki, *forge.List)) func(*pki) []byte {
	return func(p *pki) []byte {
		l := p.list()
		f(p, &l)
		return l.Sign(p.issuerKey)
	}
}

func scoped(e forge.Ext) func(*pki) []byte {
	return changed(func(_ *pki, l *forge.List) { l.Extensions = append(l.Extensions, e) })
}

// Every list, fetched and at hand.
func TestListVariants(t *testing.T) {
	p := newPKI(t)
	for _, v := range lists {
		t.Run(v.name, func(t *testing.T) {
			data := v.make(p)
			k := &Checker{Mode: Soft, Fetcher: network{crlURL: data}}
			a := k.Check(t.Context(), p.query(nil))
			if len(a.Doubts) > 0 && a.Doubts[0].Source == OCSP {
				a.Doubts = a.Doubts[1:] // no responder is there
			}
			v.expect(t, a, CRL)
			l, err := ParseCRL(data)
			if err != nil {
				if !strings.Contains(err.Error(), v.doubt) || v.status != Unknown {
					t.Errorf("ParseCRL: %v", err)
				}
				return
			}
			if l.Base != nil || !bytes.Equal(l.Issuer, p.issuer.RawSubject) {
				return // not asked
			}
			v.expect(t, (&Checker{Mode: Soft, Lists: []*List{l}}).Check(t.Context(), p.query(nil)), CRL)
		})
	}
}

// A list about authorities is about an authority.
func TestListScopeOfAnAuthority(t *testing.T) {
	chain := forge.NewChain(now)
	_, intermediate, root := chain.DER()
	c, issuer := parsed(t, intermediate), parsed(t, root)
	for flag, good := range map[uint8]bool{1: false, 2: true} {
		l, err := ParseCRL(forge.List{Issuer: issuer.RawSubject, This: now, Next: now.Add(day), Extensions: []forge.Ext{forge.Scope("", flag)}}.Sign(chain.RootKey))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.About(c, issuer, nil, now, Skew); (err == nil) != good {
			t.Errorf("flag %d: %v", flag, err)
		}
	}
	issuer.KeyUsage = x509.KeyUsageCertSign
	l, err := ParseCRL(forge.List{Issuer: issuer.RawSubject, This: now, Next: now.Add(day)}.Sign(chain.RootKey))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.About(c, issuer, nil, now, Skew); err == nil || !strings.Contains(err.Error(), "cRLSign") {
		t.Errorf("an authority that must not sign lists: %v", err)
	}
}

// The timestamps of logs are those of the entry for the certificate.
func TestTimestampsOfAResponse(t *testing.T) {
	p := newPKI(t)
	list := []byte{4, 4, 0, 2, 0, 0}
	response := p.good()
	for _, stamped := range []bool{false, true} {
		if stamped {
			response.Singles[0].Extensions = []forge.Ext{{ID: oidSCTs, Value: list}}
		}
		r, err := ParseOCSP(response.Sign(p.issuerKey))
		if err != nil {
			t.Fatal(err)
		}
		if got := r.SCTs(p.leaf); bytes.Equal(got, list) != stamped || !stamped && got != nil {
			t.Errorf("stamped %v: %x", stamped, got)
		}
		if got := r.SCTs(p.issuer); got != nil {
			t.Errorf("of another certificate: %x", got)
		}
	}
}
