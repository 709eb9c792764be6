package keyprocess

import (
	"crypto"
	"crypto/rsa"
	"errors"
	"io"
)

// remote is a private key in the key process.
type remote struct {
	process *Process
	handle  uint64
	public  crypto.PublicKey
}

var _ crypto.Signer = (*remote)(nil)

// Public implements crypto.Signer.
func (r *remote) Public() crypto.PublicKey { return r.public }

// Sign implements crypto.Signer. PSS has a salt as long as the hash, which is all that TLS uses.
func (r *remote) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	q := request{Do: doSign, Handle: r.handle, Input: digest, Hash: uint(opts.HashFunc())}
	if pss, ok := opts.(*rsa.PSSOptions); ok {
		if pss.SaltLength != rsa.PSSSaltLengthEqualsHash && pss.SaltLength != opts.HashFunc().Size() {
			return nil, errors.New("the key process makes PSS signatures with a salt as long as the hash alone")
		}
		q.PSS = true
	}
	a, err := r.process.ask(q)
	return a.Output, err
}

// opener is an RSA key, which opens premaster secrets too.
type opener struct{ *remote }

var _ crypto.Decrypter = (*opener)(nil)

// Decrypt implements crypto.Decrypter for RSA key exchange: a wrong ciphertext has a random result, and no error.
func (o *opener) Decrypt(_ io.Reader, ciphertext []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	//lint:ignore SA1019 it is what RSA key exchange asks for
	q, ok := opts.(*rsa.PKCS1v15DecryptOptions)
	if !ok || q.SessionKeyLen != premaster {
		return nil, errors.New("the key process opens premaster secrets alone")
	}
	a, err := o.process.ask(request{Do: doDecrypt, Handle: o.handle, Input: ciphertext, Length: premaster})
	return a.Output, err
}
