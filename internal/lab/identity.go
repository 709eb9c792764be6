package lab

import (
	"crypto"
	"encoding/hex"
	"sync"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
)

// serverName is whom the client wants to reach, in every run.
const serverName = "lab.test"

// stranger is the authority that nobody trusts.
const stranger = "stranger"

// A pki is an authority and what it has certified, each kind of key once.
type pki struct {
	ca    *devca.CA
	mu    sync.Mutex
	certs map[certified]tls.Certificate
}

type certified struct {
	name string
	key  devca.KeyType
}

func newPKI() (*pki, error) {
	ca, err := devca.New(serverName)
	return &pki{ca: ca, certs: map[certified]tls.Certificate{}}, err
}

// trusted is the authority that both sides trust, and strange the attacker's, which
// certifies the same names.
var trusted, strange = sync.OnceValues(newPKI), sync.OnceValues(newPKI)

// authority is the one that made the server's certificate.
func (s *Setup) authority() (*pki, error) {
	if s.Authority == stranger {
		return strange()
	}
	return trusted()
}

// leaf is the certificate of name, with a key of that kind.
func (p *pki) leaf(name string, key devca.KeyType, client bool) (tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := certified{name, key}
	if cert, ok := p.certs[id]; ok {
		return cert, nil
	}
	cert, err := p.ca.Issue(devca.Leaf{Names: []string{name}, Key: key, Client: client})
	if err == nil {
		p.certs[id] = cert
	}
	return cert, err
}

// signer is the key of the first certificate, nil where there is none.
func signer(certs []tls.Certificate) crypto.Signer {
	if len(certs) == 0 {
		return nil
	}
	key, _ := certs[0].PrivateKey.(crypto.Signer)
	return key
}

// smallGroup is Oakley group 2, of 1024 bits. RFC 2409 §6.2.
var smallGroup = sync.OnceValue(func() *tls.DHParameters {
	p, _ := hex.DecodeString("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD" +
		"EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED" +
		"EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF")
	return &tls.DHParameters{P: p, G: []byte{2}}
})
