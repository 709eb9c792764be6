package engine

import (
	stdtls "crypto/tls"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// In SSL 3.0 the alert no_certificate stands for an empty Certificate: in its one
// place, and for no more than that. Elsewhere it takes nothing's place.
func TestNoCertificateAlert(t *testing.T) {
	// alert sends it in front of a message, or instead.
	alert := func(at wire.HandshakeType, instead bool) edit {
		return func(r *records, raw []byte) [][]byte {
			if wire.HandshakeType(raw[0]) != at {
				return [][]byte{raw}
			}
			if r.SendWarning(wire.AlertNoCertificate); instead {
				return nil
			}
			return [][]byte{raw}
		}
	}
	// inside sends it between two records of a message.
	inside := func(r *records, raw []byte) [][]byte {
		if wire.HandshakeType(raw[0]) != wire.TypeCertificate {
			return [][]byte{raw}
		}
		e := (*Engine)(r)
		e.seal(wire.ContentHandshake, raw[:5])
		e.seal(wire.ContentAlert, []byte{byte(wire.LevelWarning), byte(wire.AlertNoCertificate)})
		return [][]byte{raw[5:]}
	}
	request := hostsOld(wire.SSL30, clientAuth, func(_, s *host) { s.config.ClientAuth = stdtls.RequestClientCert })
	require, none := hostsOld(wire.SSL30, clientAuth), hostsOld(wire.SSL30)
	tls := hostsOld(wire.TLS10, clientAuth)
	for _, test := range []struct {
		name  string
		hosts func(testing.TB) (c, s *host)
		how   edit
		alert wire.AlertCode // 0: the server goes on
	}{
		{"in front of a Certificate", request, alert(wire.TypeCertificate, false), wire.AlertUnexpectedMessage},
		{"inside a Certificate", request, inside, wire.AlertUnexpectedMessage},
		{"behind a Certificate", request, alert(wire.TypeClientKeyExchange, false), wire.AlertUnexpectedMessage},
		{"in the place of a proof", request, alert(wire.TypeCertificateVerify, true), wire.AlertUnexpectedMessage},
		{"in front of the ClientHello", request, alert(wire.TypeClientHello, false), 0}, // the version is not known
		{"where a certificate is required", require, alert(wire.TypeCertificate, true), wire.AlertHandshakeFailure},
		{"where nobody asked", none, alert(wire.TypeClientKeyExchange, false), wire.AlertUnexpectedMessage},
		{"in front of the Finished", none, alert(wire.TypeFinished, false), wire.AlertUnexpectedMessage},
		{"in TLS 1.0, beside a Certificate", tls, alert(wire.TypeCertificate, false), 0},
		{"in TLS 1.0, in its place", tls, alert(wire.TypeCertificate, true), wire.AlertUnexpectedMessage},
	} {
		t.Run(test.name, func(t *testing.T) {
			victim := (flow{hosts: test.hosts}).run(t, wire.Client, test.how)
			if test.alert == 0 {
				if !victim.Done() || victim.err != nil {
					t.Errorf("done %v, %v", victim.Done(), victim.err)
				}
				return
			}
			if victim.wants(t, test.alert); victim.Done() {
				t.Error("the handshake is complete")
			}
		})
	}
}
