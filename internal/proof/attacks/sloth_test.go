package attacks

import (
	"crypto"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// SLOTH (CVE-2015-7575): TLS 1.2 lets the peers name the hash of a signature, and
// some took MD5, for which collisions forge a handshake. No signature is offered,
// made or taken over MD5 alone, and over SHA-1 only behind Legacy.SHA1Signatures. SHA-224
// is weaker than all else, and taken behind Legacy.SHA224Signatures.
// Up to TLS 1.1 the protocol itself fixes the hash: MD5 and SHA-1 together for
// RSA, SHA-1 for the others.

// namedHashes are the schemes by which a signature of RSA can be named.
var namedHashes = []struct {
	scheme wire.SignatureScheme
	hash   crypto.Hash
	digest func(b []byte) []byte
}{
	{0x0101, crypto.MD5, func(b []byte) []byte { d := md5.Sum(b); return d[:] }},
	{wire.RSAPKCS1SHA1, crypto.SHA1, func(b []byte) []byte { d := sha1.Sum(b); return d[:] }},
	{wire.RSAPKCS1SHA224, crypto.SHA224, func(b []byte) []byte { d := sha256.Sum224(b); return d[:] }},
	{wire.RSAPKCS1SHA256, crypto.SHA256, func(b []byte) []byte { d := sha256.Sum256(b); return d[:] }},
}

// weakHash reports whether a scheme is over MD5 or, where that is off, SHA-1 or SHA-224.
// RFC 5246 §7.4.1.4.1: the first byte of a name is the hash.
func weakHash(x wire.SignatureScheme, on tls.Legacy) bool {
	return x>>8 <= 1 || x>>8 == 2 && !on.SHA1Signatures || x>>8 == 3 && !on.SHA224Signatures
}

// hashSwitches are each switch by itself, and none.
var hashSwitches = map[string]tls.Legacy{"none": {}, "SHA-1": {SHA1Signatures: true}, "SHA-224": {SHA224Signatures: true}}

// switchHashes sets them in a Config.
func switchHashes(c *tls.Config, on tls.Legacy) {
	c.Legacy.SHA1Signatures, c.Legacy.SHA224Signatures = on.SHA1Signatures, on.SHA224Signatures
}

func TestSLOTHOffers(t *testing.T) {
	for _, on := range hashSwitches {
		bubble(t, func(t *testing.T) {
			s := suite.ByID(wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)
			client, server := configs(s, wire.TLS12)
			switchHashes(client, on)
			switchHashes(server, on)
			server.ClientAuth, client.Certificates = tls.RequestClientCert, testPKI().client[:1]
			asked := 0
			check := func(where string, list []wire.SignatureScheme) {
				asked++
				if slices.ContainsFunc(list, func(x wire.SignatureScheme) bool { return weakHash(x, on) }) {
					t.Errorf("%s offers %v", where, list)
				}
			}
			connect(t, client, server, inClear(func(from wire.Role, raw []byte) [][]byte {
				m, err := wire.DecodeMessage(raw, wire.Context{Version: wire.TLS12, KeyExchange: s.KeyExchange, From: from}, nil)
				if err != nil {
					t.Fatal(err)
				}
				switch m := m.(type) {
				case *wire.ClientHello:
					m.Extensions.Read(wire.ExtSignatureAlgorithms, func(r *wire.Reader) {
						check("ClientHello", wire.ReadSignatureAlgorithms(r, nil))
					})
				case *wire.CertificateRequest:
					check("CertificateRequest", m.SignatureSchemes)
				}
				return [][]byte{raw}
			})).well(t)
			if asked != 2 {
				t.Errorf("%d lists were seen", asked)
			}
		})
	}
}

// A server that holds its key signs the right bytes over each hash.
func TestSLOTHServer(t *testing.T) {
	s := suite.ByID(wire.TLS_DHE_RSA_WITH_AES_128_CBC_SHA)
	for _, named := range namedHashes {
		for name, on := range hashSwitches {
			t.Run(fmt.Sprint(named.hash, " with ", name), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					client, server := configs(s, wire.TLS12)
					switchHashes(client, on)
					var randoms []byte
					key := server.Certificates[0].PrivateKey.(*rsa.PrivateKey)
					c := wire.Context{Version: wire.TLS12, KeyExchange: s.KeyExchange}
					e := connect(t, client, server, inClear(func(from wire.Role, raw []byte) [][]byte {
						c := c
						c.From = from
						m := must(wire.DecodeMessage(raw, c, nil))
						switch m := m.(type) {
						case *wire.ClientHello:
							randoms = append(randoms, m.Random...)
						case *wire.ServerHello:
							randoms = append(randoms, m.Random...)
						case *wire.ServerKeyExchange:
							m.Scheme = named.scheme
							signed := m.AppendParams(slices.Clone(randoms), c)
							m.Signature = must(rsa.SignPKCS1v15(rand.Reader, key, named.hash, named.digest(signed)))
							return [][]byte{wire.AppendMessage(nil, m, c)}
						}
						return [][]byte{raw}
					}))
					if weakHash(named.scheme, on) {
						refused(t, e.clientErr, wire.AlertIllegalParameter)
					} else { // the client takes it; the master secret covers the change
						refused(t, e.serverErr, wire.AlertBadRecordMAC)
					}
				})
			})
		}
	}
}

// A client that holds its key signs the handshake over each hash.
func TestSLOTHClient(t *testing.T) {
	const id = wire.TLS_RSA_WITH_AES_128_CBC_SHA
	for _, named := range namedHashes {
		for name, on := range hashSwitches {
			t.Run(fmt.Sprint(named.hash, " with ", name), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					_, server := configs(suite.ByID(id), wire.TLS12)
					server.ClientAuth = tls.RequireAndVerifyClientCert
					switchHashes(server, on)
					n := newNetwork(t, nil)
					done := make(chan error, 1)
					go func() {
						c := tls.Server(n.server, server)
						err := c.Handshake()
						if err != nil {
							c.Close()
						}
						done <- err
					}()
					f := newForger(t, n.client, wire.Client, wire.TLS12, id)
					f.greet()
					f.serverFlight()
					own := testPKI().client[0]
					f.send(certificateOf(own.Certificate))
					f.send(&wire.ClientKeyExchange{Exchange: f.encrypt()})
					f.derive()
					sig := must(rsa.SignPKCS1v15(rand.Reader, own.PrivateKey.(*rsa.PrivateKey), named.hash, named.digest(f.transcript)))
					f.send(&wire.CertificateVerify{Scheme: named.scheme, Signature: sig})
					f.finish()
					if err := <-done; weakHash(named.scheme, on) {
						refused(t, err, wire.AlertIllegalParameter)
					} else if err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}
