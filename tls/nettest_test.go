package tls

import (
	"errors"
	"net"
	"testing"

	"golang.org/x/net/nettest"
)

// A Conn is a net.Conn in every respect, over a socket and over a pipe whose
// writes wait for their reader.
func TestNetConn(t *testing.T) {
	for name, pair := range map[string]func(testing.TB) (client, server net.Conn){
		"TCP":  tcpPair,
		"Pipe": pipePair,
	} {
		for _, version := range bothVersions {
			t.Run(name+"/"+VersionName(version), func(t *testing.T) {
				t.Parallel()
				server, client := testPKI().server("ecdsa-p256"), testPKI().client()
				at(version, client, server)
				nettest.TestConn(t, func() (c1, c2 net.Conn, stop func(), err error) {
					rawClient, rawServer := pair(t)
					c1, c2 = Client(rawClient, client), Server(rawServer, server)
					// A deadline ends a handshake for good, so it comes first.
					clientErr, serverErr := shake(c1.(*Conn), c2.(*Conn))
					return c1, c2, func() { c1.Close(); c2.Close() }, errors.Join(clientErr, serverErr)
				})
			})
		}
	}
}
