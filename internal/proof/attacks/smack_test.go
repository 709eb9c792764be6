package attacks

import (
	"fmt"
	"io"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// SMACK (2015): state machines that let a peer leave out messages. A client that
// takes a Finished after a Certificate talks to anyone in the clear (SKIP-TLS,
// CVE-2014-6593); a server that misses CertificateVerify believes any client that
// has a certificate (CVE-2015-0205 is its kin). Every message of every flow left
// out, repeated or exchanged is TestNoStepIsSkippedOrRepeated and
// TestOnlyWhatIsDueIsTaken of internal/engine; here are those that had names, by a
// peer that has all it takes to be believed.

func TestSMACKSkippingServer(t *testing.T) {
	for _, id := range []wire.CipherSuite{wire.TLS_RSA_WITH_AES_128_CBC_SHA, wire.TLS_DHE_RSA_WITH_AES_128_CBC_SHA, wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA} {
		s := suite.ByID(id)
		for _, v := range oldVersions {
			for name, play := range map[string]func(f *forger){
				"Finished after ServerHello": func(f *forger) {
					f.send(&wire.Finished{VerifyData: f.finished(wire.Server)})
				},
				"Finished after Certificate": func(f *forger) {
					f.send(certificateOf(testPKI().server[suite.AuthRSA].Certificate))
					f.send(&wire.Finished{VerifyData: f.finished(wire.Server)})
				},
				"change_cipher_spec after Certificate": func(f *forger) {
					f.send(certificateOf(testPKI().server[suite.AuthRSA].Certificate))
					f.changeKeys()
					f.send(&wire.Finished{VerifyData: f.finished(wire.Server)})
				},
				"application data after Certificate": func(f *forger) {
					f.send(certificateOf(testPKI().server[suite.AuthRSA].Certificate))
					f.write(wire.ContentApplicationData, []byte("HTTP/1.1 200 OK\r\n"))
				},
				"no Certificate": func(f *forger) { f.send(&wire.ServerHelloDone{}) },
				"no ServerHelloDone": func(f *forger) {
					f.send(certificateOf(testPKI().server[suite.AuthRSA].Certificate))
					f.send(&wire.HelloRequest{})
					f.send(&wire.Finished{VerifyData: f.finished(wire.Server)})
				},
			} {
				if !s.Allows(v) {
					continue
				}
				t.Run(fmt.Sprint(s.Name, "/", v, "/", name), func(t *testing.T) {
					bubble(t, func(t *testing.T) {
						client, _ := configs(s, v)
						refused(t, victim(t, client, func(f *forger) {
							f.version, f.suite = v, s
							f.hear()
							f.answer = wire.ServerHello{LegacyVersion: v, Random: make([]byte, 32), CipherSuite: id, NoExtensions: true}
							f.send(&f.answer)
							f.master = make([]byte, 48) // as of a key schedule that has not run
							play(f)
						}), wire.AlertUnexpectedMessage)
					})
				})
			}
		}
	}
}

// An ephemeral suite without ServerKeyExchange: the client must not fall back to
// the certificate's key.
func TestSMACKNoForwardSecrecy(t *testing.T) {
	for _, id := range []wire.CipherSuite{wire.TLS_DHE_RSA_WITH_AES_128_CBC_SHA, wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA} {
		bubble(t, func(t *testing.T) {
			client, server := configs(suite.ByID(id), wire.TLS12)
			e := connect(t, client, server, inClear(func(_ wire.Role, raw []byte) [][]byte {
				if wire.HandshakeType(raw[0]) == wire.TypeServerKeyExchange {
					return nil
				}
				return [][]byte{raw}
			}))
			refused(t, e.clientErr, wire.AlertUnexpectedMessage)
		})
	}
}

// A client that shows a certificate and does not prove that the key is its own,
// or leaves out what carries the secret; with a Finished that is right for what
// it has sent.
func TestSMACKSkippingClient(t *testing.T) {
	const id = wire.TLS_RSA_WITH_AES_128_CBC_SHA
	shown := certificateOf(testPKI().client[0].Certificate)
	exchange := func(f *forger) {
		f.send(&wire.ClientKeyExchange{Exchange: f.encrypt()})
		f.derive()
	}
	for _, v := range oldVersions {
		for name, play := range map[string]func(f *forger){
			"no CertificateVerify": func(f *forger) {
				f.send(shown)
				exchange(f)
				f.finish()
			},
			"no Certificate": func(f *forger) {
				exchange(f)
				f.finish()
			},
			"no ClientKeyExchange": func(f *forger) {
				f.send(shown)
				f.derive() // of no premaster
				f.finish()
			},
			"no change_cipher_spec": func(f *forger) {
				f.send(shown)
				exchange(f)
				f.send(&wire.Finished{VerifyData: f.finished(wire.Client)})
			},
			"ClientKeyExchange twice": func(f *forger) {
				f.send(shown)
				exchange(f)
				exchange(f)
				f.finish()
			},
			"no Finished": func(f *forger) {
				f.send(shown)
				exchange(f)
				f.changeKeys()
				f.write(wire.ContentApplicationData, []byte("GET / HTTP/1.1\r\n"))
			},
		} {
			t.Run(fmt.Sprint(v, "/", name), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					_, server := configs(suite.ByID(id), v)
					server.ClientAuth = tls.RequireAndVerifyClientCert
					n := newNetwork(t, nil)
					done := make(chan error, 1)
					go func() {
						c := tls.Server(n.server, server)
						_, err := io.ReadAll(c)
						c.Close()
						done <- err
					}()
					f := newForger(t, n.client, wire.Client, v, id)
					f.greet()
					f.serverFlight()
					play(f)
					refused(t, <-done, wire.AlertUnexpectedMessage)
				})
			})
		}
	}
}
