package main

import (
	"context"
	"crypto"
	stdtls "crypto/tls"
	"errors"
	"io"
	"net"

	"github.com/vitrine-tls/vitrine/certcompress"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
)

// earlyBytes is what a client sends as early data: a small request.
const earlyBytes = 100

// hideName has the client encrypt its hello to a key of the server.
func (p *params) hideName() error {
	key, err := tls.GenerateECHKey("public."+serverName, tls.ECHKeyOptions{})
	if err != nil {
		return err
	}
	p.server.EncryptedClientHelloKeys = []stdtls.EncryptedClientHelloKey{key}
	p.client.EncryptedClientHelloConfigList, err = tls.ECHConfigList(key)
	return err
}

// modernize sets what only TLS 1.3 has, and crypto/tls.Config no field for.
func (p *params) modernize(client, server *tls.Config) {
	if p.compressed {
		zlib := certcompress.Zlib()
		zlib.Always = true
		client.CertificateCompression, server.CertificateCompression = []certcompress.Algorithm{zlib}, []certcompress.Algorithm{zlib}
	}
	if p.early {
		server.EarlyData = tls.EarlyData{MaxBytes: 16 << 10, Protocols: []string{""}, Replay: session.SingleUse(session.NewMemory(16 << 20))}
	}
	if p.psk != nil && p.server.MinVersion == tls.VersionTLS13 {
		key := tls.ExternalPSK{Identity: []byte(pskIdentity), Key: p.psk, Hash: crypto.SHA256}
		client.PSK.External, client.PSK.Required = []tls.ExternalPSK{key}, true
		server.PSK.ExternalServer = func([]byte) (*tls.ExternalPSK, error) { return &key, nil }
		server.PSK.Required = true
	}
}

// earlyClient sends early data with its hello.
type earlyClient struct{ *tls.Conn }

var errNotTaken = errors.New("the early data was not taken")

func (c earlyClient) Handshake() error {
	var data [earlyBytes]byte
	taken, err := c.HandshakeEarly(context.Background(), data[:])
	if err == nil && !taken && c.ConnectionState().DidResume {
		return errNotTaken
	}
	return err
}

// earlyServer reads it before the handshake is complete.
type earlyServer struct{ *tls.Conn }

func (c earlyServer) Handshake() error {
	early, err := c.AcceptEarly(context.Background())
	if err != nil || early == nil {
		return err
	}
	var data [2 * earlyBytes]byte
	for n := 0; ; {
		m, err := early.Read(data[n:])
		n += m
		switch {
		case err == io.EOF && n == earlyBytes:
			return c.Conn.Handshake()
		case err == io.EOF || n > earlyBytes:
			return errors.New("the early data is of another size")
		case err != nil:
			return err
		}
	}
}

// earlyEnds are those of a row with early data.
func earlyEnds(client, server *tls.Config) ends {
	return ends{
		client: func(c net.Conn) conn { return earlyClient{tls.Client(c, client)} },
		server: func(c net.Conn) conn { return earlyServer{tls.Server(c, server)} },
	}
}
