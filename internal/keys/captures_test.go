package keys

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/binary"
	"hash"
	"os"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// capture is a handshake of real peers as our schedule follows it.
type capture struct {
	*testing.T
	schedule           *Schedule
	version            wire.Version
	premaster, master  []byte
	client, server     []byte // randoms
	extended           bool
	certificate        *x509.Certificate // the last one: the client's
	transcript         hash.Hash
	finished, verified int
	hash               *suite.Hash
}

// nullSHA is TLS_PSK_WITH_NULL_SHA or TLS_RSA_WITH_NULL_SHA, of which the
// schedule needs no more.
var nullSHA = &suite.Suite{Cipher: &suite.Cipher{}, MAC: &suite.MAC{Len: sha1.Size}, Hash: suite.SHA256}

// Both Finished, their MACs and the client's signature, in handshakes between
// peers of OpenSSL and of NSS.
func TestCaptures(t *testing.T) {
	text, err := os.ReadFile("testdata/captures.txt")
	if err != nil {
		t.Fatal(err)
	}
	captures := make(map[string]*capture)
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if f[0] == "#" {
			continue
		}
		c := captures[f[0]]
		if c == nil {
			c = newCapture(t, f[0])
			captures[f[0]] = c
		}
		value := unhex(f[2])
		if f[1] == "premaster" {
			c.premaster = value
			continue
		}
		role := wire.Client
		if f[1] == "server" {
			role = wire.Server
		}
		c.message(role, value)
	}
	if len(captures) != 6 {
		t.Errorf("%d captures", len(captures))
	}
	for name, c := range captures {
		nss := strings.HasSuffix(name, "NSS")
		if c.finished != 2 || c.extended == (c.version == wire.SSL30) || (c.verified == 1) != nss {
			t.Errorf("%s: %d Finished and %d signatures checked, extended master secret %v", name, c.finished, c.verified, c.extended)
		}
	}
}

func newCapture(t *testing.T, name string) *capture {
	for _, v := range old {
		if s := v.version.String(); strings.HasPrefix(name, strings.ReplaceAll(s, " ", "")) {
			h := v.schedule.Hash(nullSHA)
			return &capture{T: t, schedule: v.schedule, version: v.version, transcript: h.New(), hash: h}
		}
	}
	t.Fatalf("the capture %s is of no version", name)
	return nil
}

// message follows the handshake by one message.
func (c *capture) message(role wire.Role, msg []byte) {
	body := msg[4:]
	switch wire.HandshakeType(msg[0]) {
	case wire.TypeClientHello:
		c.client = body[2:34]
	case wire.TypeServerHello:
		c.server = body[2:34]
		c.extended = bytes.Contains(body[34:], []byte{0, 23, 0, 0})
	case wire.TypeCertificate:
		var err error
		if c.certificate, err = x509.ParseCertificate(body[6:]); err != nil {
			c.Fatal(err)
		}
	case wire.TypeCertificateVerify:
		digest := c.schedule.CertificateVerify(nil, c.master, c.transcript)
		if err := rsa.VerifyPKCS1v15(c.certificate.PublicKey.(*rsa.PublicKey), crypto.MD5SHA1, digest, body[2:]); err != nil {
			c.Errorf("%v: CertificateVerify: %v", c.version, err)
		}
		c.verified++
	case wire.TypeFinished:
		n := c.schedule.FinishedLen
		want := c.schedule.Finished(c.hash, nil, c.master, role, c.transcript)
		if !bytes.Equal(body[:n], want) {
			c.Errorf("%v: the Finished of the %v is %x, want %x", c.version, role, body[:n], want)
		}
		msg = msg[:4+n]
		if got := c.mac(role, msg); !bytes.Equal(body[n:], got) {
			c.Errorf("%v: the MAC of the %v is %x, want %x", c.version, role, body[n:], got)
		}
		c.finished++
	}
	c.transcript.Write(msg)
	if wire.HandshakeType(msg[0]) == wire.TypeClientKeyExchange {
		if c.extended {
			c.master = c.schedule.ExtendedMaster(c.hash, nil, c.premaster, c.transcript.Sum(nil))
		} else {
			c.master = c.schedule.Master(c.hash, nil, c.premaster, c.client, c.server)
		}
	}
}

// mac is that of the first record under the new keys. RFC 5246 §6.2.3.1, RFC 6101 §5.2.3.1.
func (c *capture) mac(role wire.Role, msg []byte) []byte {
	block := c.schedule.KeyBlock(nullSHA, nil, c.master, c.client, c.server)
	key := block.ClientMAC
	if role == wire.Server {
		key = block.ServerMAC
	}
	header := append(make([]byte, 8), 22) // sequence number, handshake
	length := binary.BigEndian.AppendUint16(nil, uint16(len(msg)))
	if c.version == wire.SSL30 {
		pad := func(b byte) []byte { return bytes.Repeat([]byte{b}, 40) }
		inner := sha1.Sum(bytes.Join([][]byte{key, pad(0x36), header, length, msg}, nil))
		outer := sha1.Sum(bytes.Join([][]byte{key, pad(0x5c), inner[:]}, nil))
		return outer[:]
	}
	m := hmac.New(sha1.New, key)
	m.Write(bytes.Join([][]byte{header, {byte(c.version >> 8), byte(c.version)}, length, msg}, nil))
	return m.Sum(nil)
}
