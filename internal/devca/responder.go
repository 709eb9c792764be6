package devca

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"sync"
	"time"

	"golang.org/x/crypto/ocsp"
)

// responderLifetime is that of the certificate which signs responses. Nobody can
// revoke it (RFC 6960 §4.2.2.2.1), so it is short, and its key is never written.
const responderLifetime = 7 * 24 * time.Hour

// noCheck is id-pkix-ocsp-nocheck.
var noCheck = pkix.Extension{Id: []int{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}, Value: []byte{5, 0}}

// Responder answers OCSP requests about what an authority issued. It is safe for
// concurrent use.
type Responder struct {
	ca   *CA
	life time.Duration

	mu      sync.Mutex
	signers map[string]*issuer
}

// Responder makes one whose answers are good for life.
func (ca *CA) Responder(life time.Duration) *Responder {
	return &Responder{ca: ca, life: life, signers: map[string]*issuer{}}
}

// Respond returns the response, in DER, to a request. It answers for the first
// certificate of a request, repeats its nonce, and reads the record anew each time, so
// that a revocation counts at once. RFC 6960 §2.1, RFC 9654.
func (r *Responder) Respond(request []byte) []byte {
	asked, err := ocsp.ParseRequest(request)
	if err != nil {
		return ocsp.MalformedRequestErrorResponse
	}
	name, by := r.issuerOf(asked)
	if by == nil {
		return ocsp.UnauthorizedErrorResponse
	}
	record, err := r.ca.Record()
	if err != nil {
		return ocsp.InternalErrorErrorResponse
	}
	signer, err := r.signer(name, by)
	if err != nil {
		return ocsp.InternalErrorErrorResponse
	}
	now := time.Now().Truncate(time.Minute)
	answer := ocsp.Response{
		Status: ocsp.Unknown, SerialNumber: asked.SerialNumber, IssuerHash: asked.HashAlgorithm,
		ThisUpdate: now, NextUpdate: now.Add(r.life), Certificate: signer.cert,
	}
	if e := record.find(name, asked.SerialNumber.Text(16)); e != nil {
		answer.Status = ocsp.Good
		if !e.RevokedAt.IsZero() {
			answer.Status, answer.RevokedAt, answer.RevocationReason = ocsp.Revoked, e.RevokedAt, e.Reason
		}
	}
	response, err := ocsp.CreateResponse(by.cert, signer.cert, answer, signer.key)
	if nonce := nonceOf(request); err == nil && nonce != nil {
		response, err = withNonce(response, nonce, signer.key)
	}
	if err != nil {
		return ocsp.InternalErrorErrorResponse
	}
	return response
}

// issuerOf finds whose certificate a request is about; nil: not one of ours.
func (r *Responder) issuerOf(asked *ocsp.Request) (string, *issuer) {
	for name, by := range map[string]*issuer{r.ca.issuerName(): r.ca.issuer(), rootIssued: r.ca.root()} {
		var key struct {
			Algorithm pkix.AlgorithmIdentifier
			Key       asn1.BitString
		}
		if _, err := asn1.Unmarshal(by.cert.RawSubjectPublicKeyInfo, &key); err != nil || !asked.HashAlgorithm.Available() {
			continue
		}
		hash := func(b []byte) []byte {
			h := asked.HashAlgorithm.New()
			h.Write(b)
			return h.Sum(nil)
		}
		if bytes.Equal(hash(by.cert.RawSubject), asked.IssuerNameHash) && bytes.Equal(hash(key.Key.RightAlign()), asked.IssuerKeyHash) {
			return name, by
		}
	}
	return "", nil
}

// signer returns what an issuer delegates its responses to; half-way through its life
// it gets another.
func (r *Responder) signer(name string, by *issuer) (*issuer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.signers[name]; s != nil && time.Until(s.cert.NotAfter) > responderLifetime/2 {
		return s, nil
	}
	key, err := newKey[ECDSA]()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	der, err := Certify(&x509.Certificate{
		SerialNumber:    newSerial(),
		Subject:         pkix.Name{CommonName: "vitrine development OCSP responder", Organization: by.cert.Subject.Organization},
		NotBefore:       now.Add(-backdate),
		NotAfter:        now.Add(responderLifetime),
		KeyUsage:        x509.KeyUsageDigitalSignature,
		ExtKeyUsage:     []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning},
		ExtraExtensions: []pkix.Extension{noCheck},
	}, by.cert, key, by.key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	r.signers[name] = &issuer{cert, key}
	return r.signers[name], nil
}
