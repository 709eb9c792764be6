package show

import (
	"crypto"
	"crypto/x509"
	"fmt"

	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/certs"
)

// Shown is what vitrine cert show says.
type Shown struct {
	// Target is HOST:PORT or a file.
	Target string `json:"target"`
	Items  []Item `json:"items"`
	// LintErrors is how many errors zlint found.
	LintErrors int `json:"lint_errors,omitempty"`
}

// Item is one thing that was found. The field that its kind names is set.
type Item struct {
	// Kind is "certificate", "private key", "certificate request",
	// "certificate revocation list" or "OCSP response".
	Kind string `json:"kind"`
	// Form is how it was written: "PEM", "DER, PKCS#7", "TLS".
	Form        string            `json:"form"`
	Certificate certs.Certificate `json:"certificate,omitzero"`
	PrivateKey  PrivateKey        `json:"private_key,omitzero"`
	Request     Request           `json:"request,omitzero"`
	List        List              `json:"list,omitzero"`
	Response    Response          `json:"response,omitzero"`
	// Lint is what zlint found.
	Lint []Finding `json:"lint,omitempty"`
}

// PrivateKey is a key, without the key.
type PrivateKey struct {
	// Key is its kind and size; empty for one whose password was not given.
	Key string `json:"key,omitempty"`
	// Encryption is how it was encrypted; empty for a key in the clear.
	Encryption string `json:"encryption,omitempty"`
	// Pin is the SHA-256 of its public key.
	Pin string `json:"pin_sha256,omitempty"`
	// Fits is the certificate beside it that has its public key: its place, from 1.
	Fits int `json:"fits,omitempty"`
}

// Request asks for a certificate.
type Request struct {
	Subject    string   `json:"subject"`
	Names      []string `json:"names,omitempty"`
	Key        string   `json:"key"`
	SignedWith string   `json:"signed_with"`
	// Proven is set where the signature is good: the sender has the key.
	Proven bool `json:"proven"`
}

// List is a certificate revocation list.
type List struct {
	Issuer     string    `json:"issuer"`
	Number     string    `json:"number,omitempty"`
	SignedWith string    `json:"signed_with"`
	ThisUpdate time.Time `json:"this_update"`
	NextUpdate time.Time `json:"next_update,omitzero"`
	// Entries is how many certificates are on it, Revoked the first of them.
	Entries int       `json:"entries"`
	Revoked []Revoked `json:"revoked,omitempty"`
}

// Revoked is one entry of a list.
type Revoked struct {
	Serial    string    `json:"serial"`
	RevokedAt time.Time `json:"revoked_at"`
	Reason    string    `json:"reason"`
}

// Response is what an OCSP response says of one certificate.
type Response struct {
	Status     string    `json:"status"`
	Serial     string    `json:"serial"`
	SignedWith string    `json:"signed_with"`
	ProducedAt time.Time `json:"produced_at"`
	ThisUpdate time.Time `json:"this_update"`
	NextUpdate time.Time `json:"next_update,omitzero"`
	RevokedAt  time.Time `json:"revoked_at,omitzero"`
	Reason     string    `json:"reason,omitempty"`
}

// mostRevoked is how many entries of a list are shown.
const mostRevoked = 10

func describe(source *certs.Source, now time.Time) *Shown {
	s := &Shown{Target: source.Target}
	for _, i := range source.Items {
		item := Item{Kind: string(i.Kind), Form: i.Form}
		switch i.Kind {
		case certs.ACertificate:
			item.Certificate = i.Describe(now)
		case certs.APrivateKey:
			item.PrivateKey = privateKey(i)
		case certs.ARequest:
			item.Request = request(i.Request)
		case certs.ACRL:
			item.List = list(i.CRL)
		case certs.AnOCSP:
			item.Response = response(i.OCSP)
		}
		s.Items = append(s.Items, item)
	}
	s.fit()
	return s
}

// fit finds the certificate of each private key.
func (s *Shown) fit() {
	for i := range s.Items {
		key := &s.Items[i].PrivateKey
		for n, other := range s.Items {
			if key.Pin != "" && key.Fits == 0 && key.Pin == other.Certificate.Pin {
				key.Fits = n + 1
			}
		}
	}
}

func privateKey(i certs.Item) PrivateKey {
	p := PrivateKey{Encryption: i.Encryption}
	if private, ok := i.Key.(interface{ Public() crypto.PublicKey }); ok {
		p.Key, p.Pin = certs.KeyName(private.Public(), "unknown kind"), certs.Pin(private.Public())
	} else if i.Key != nil {
		p.Key = fmt.Sprintf("%T", i.Key)
	}
	return p
}

func request(r *x509.CertificateRequest) Request {
	return Request{
		Subject: r.Subject.String(), Names: certs.NamesOf(r.DNSNames, r.IPAddresses, r.EmailAddresses, r.URIs),
		Key: certs.KeyName(r.PublicKey, r.PublicKeyAlgorithm.String()), SignedWith: r.SignatureAlgorithm.String(),
		Proven: r.CheckSignature() == nil,
	}
}

func list(l *x509.RevocationList) List {
	d := List{
		Issuer: l.Issuer.String(), SignedWith: l.SignatureAlgorithm.String(), ThisUpdate: l.ThisUpdate, NextUpdate: l.NextUpdate,
		Entries: len(l.RevokedCertificateEntries),
	}
	if l.Number != nil {
		d.Number = l.Number.String()
	}
	for _, e := range l.RevokedCertificateEntries[:min(mostRevoked, d.Entries)] {
		d.Revoked = append(d.Revoked, Revoked{certs.Serial(e.SerialNumber), e.RevocationTime, revocation.Reason(e.ReasonCode).String()})
	}
	return d
}

func response(r *ocsp.Response) Response {
	d := Response{
		Status: ocspStatus[r.Status], Serial: certs.Serial(r.SerialNumber), SignedWith: r.SignatureAlgorithm.String(),
		ProducedAt: r.ProducedAt, ThisUpdate: r.ThisUpdate, NextUpdate: r.NextUpdate,
	}
	if r.Status == ocsp.Revoked {
		d.RevokedAt, d.Reason = r.RevokedAt, revocation.Reason(r.RevocationReason).String()
	}
	return d
}

var ocspStatus = map[int]string{ocsp.Good: "good", ocsp.Revoked: "revoked", ocsp.Unknown: "unknown"}
