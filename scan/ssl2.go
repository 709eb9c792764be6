package scan

import (
	"bytes"
	"encoding/binary"

	"github.com/vitrine-tls/vitrine/wire"
)

// SSL2Kinds are the cipher kinds of SSL 2.0.
var ssl2Kinds = []wire.SSL2CipherSpec{0x010080, 0x020080, 0x030080, 0x040080, 0x050080, 0x060040, 0x0700c0}

// OfferSSL2 is the hello of a client that speaks nothing but SSL 2.0.
func OfferSSL2() Hello {
	return Hello{SSL2: true, Version: wire.SSL20, SSL2Suites: append([]wire.SSL2CipherSpec(nil), ssl2Kinds...)}
}

// An SSL2ServerHello is the answer of a server that speaks SSL 2.0: the ciphers that both
// have, of which the client picks.
type SSL2ServerHello struct {
	Version     wire.Version
	Certificate []byte // DER; empty in a resumption
	Suites      []wire.SSL2CipherSpec
	ID          []byte // connection_id
}

const ssl2TypeServerHello, ssl2TypeError = 4, 0

// greetingSSL2 reads the answer to a hello in the format of SSL 2.0. It reports that the
// answer is in that format too; else a ServerHello of a later version may come.
//
//	char MSG-SERVER-HELLO; char SESSION-ID-HIT; char CERTIFICATE-TYPE;
//	char VERSION[2]; char CERTIFICATE-LENGTH[2]; char CIPHER-SPECS-LENGTH[2];
//	char CONNECTION-ID-LENGTH[2]; ...
func (c *conversation) greetingSSL2() (done bool, err error) {
	if err := c.fill(3); err != nil {
		return false, err
	}
	if c.unread[0]&0x80 == 0 {
		return false, nil
	}
	n := int(binary.BigEndian.Uint16(c.unread) & 0x7fff)
	if c.unread[2] != ssl2TypeServerHello {
		if n == 3 && c.unread[2] == ssl2TypeError {
			return true, fail(Alerted, "the server answers with an error of SSL 2.0")
		}
		return true, c.notTLS()
	}
	if err := c.fill(2 + n); err != nil {
		return true, err
	}
	m, err := parseSSL2(c.unread[2 : 2+n])
	if err != nil {
		return true, fail(Malformed, "the server's hello of SSL 2.0: %w", err)
	}
	c.a.SSL2, c.a.Version = m, wire.SSL20
	return true, nil
}

func parseSSL2(b []byte) (*SSL2ServerHello, error) {
	r := wire.NewReader(b, nil)
	r.Bytes("message, hit and certificate type", 3)
	m := &SSL2ServerHello{Version: wire.U16[wire.Version](&r, "version")}
	certificate := int(wire.U16[uint16](&r, "certificate_length"))
	suites := int(wire.U16[uint16](&r, "cipher_specs_length"))
	id := int(wire.U16[uint16](&r, "connection_id_length"))
	m.Certificate = bytes.Clone(r.Bytes("certificate", certificate))
	specs := r.Bytes("cipher_specs", suites)
	m.ID = bytes.Clone(r.Bytes("connection_id", id))
	for ; len(specs) >= 3; specs = specs[3:] {
		m.Suites = append(m.Suites, wire.SSL2CipherSpec(uint32(specs[0])<<16|uint32(specs[1])<<8|uint32(specs[2])))
	}
	return m, r.Finish("ServerHello of SSL 2.0")
}
