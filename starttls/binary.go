package starttls

import (
	"bytes"
	"encoding/asn1"
	"encoding/binary"
	"fmt"
	"net"
)

// postgres is PostgreSQL's SSLRequest, which is answered with one byte.
// https://www.postgresql.org/docs/current/protocol-message-formats.html
func postgres(t *talk) error {
	if err := t.send([]byte{0, 0, 0, 8, 4, 210, 22, 47}, "[SSLRequest]"); err != nil {
		return err
	}
	var b [1]byte
	if err := t.read(b[:]); err != nil {
		return err
	}
	switch t.heard(string(b[:])); b[0] {
	case 'S':
		return nil
	case 'N':
		if conn, ok := t.out.(net.Conn); ok && conn.RemoteAddr().Network() == "unix" {
			return t.kind(NotOffered, "the server has no TLS (N): PostgreSQL has none over a unix socket", nil)
		}
		return t.kind(NotOffered, "the server has no TLS (N): its setting ssl is off", nil)
	case 'E':
		return t.fail("the server answers with an error (E)", nil)
	}
	return t.fail("this is not a server of PostgreSQL", nil)
}

// mysql is the protocol of MySQL and MariaDB: a greeting that says what the server can do,
// then our request, which is not answered.
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html
func mysql(t *talk) error {
	const (
		protocol41       = 0x200
		ssl              = 0x800
		secureConnection = 0x8000
		pluginAuth       = 0x80000
		mostPacket       = 16 << 20
		utf8             = 45
	)
	var header [4]byte
	if err := t.read(header[:]); err != nil {
		return err
	}
	packet := make([]byte, min(int(header[0])|int(header[1])<<8|int(header[2])<<16, longestLine))
	if err := t.read(packet); err != nil {
		return err
	}
	// 1 byte of version, the server's version up to a zero, 13 bytes, what it can do
	version, rest, ok := bytes.Cut(packet[min(1, len(packet)):], []byte{0})
	switch {
	case len(packet) > 0 && packet[0] == 0xff: // an error: 2 bytes of number, text
		t.heard(string(packet[min(3, len(packet)):]))
		return t.kind(Refused, "the server refuses the connection", nil)
	case len(packet) == 0 || packet[0] != 10 || !ok || len(rest) < 15:
		return t.fail("this is not a server of MySQL or MariaDB", nil)
	}
	t.heard(fmt.Sprintf("[greeting of %s]", version))
	if binary.LittleEndian.Uint16(rest[13:])&ssl == 0 {
		return t.kind(NotOffered, "the server has no TLS: it has no certificate, or ssl is off", nil)
	}
	request := []byte{32, 0, 0, header[3] + 1}
	request = binary.LittleEndian.AppendUint32(request, protocol41|ssl|secureConnection|pluginAuth)
	request = binary.LittleEndian.AppendUint32(request, mostPacket)
	request = append(append(request, utf8), make([]byte, 23)...)
	return t.send(request, "[SSLRequest]")
}

// rdp is the negotiation of the Remote Desktop Protocol, inside X.224 inside TPKT.
// [MS-RDPBCGR] §2.2.1.1 and §2.2.1.2.
func rdp(t *talk) error {
	const (
		request, response, failure = 1, 2, 3
		confirm                    = 0xd0
		tls, hybrid                = 1, 2 // with CredSSP, which begins with TLS as well
	)
	ask := []byte{3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, request, 0, 8, 0, tls | hybrid, 0, 0, 0}
	if err := t.send(ask, "[connection request for TLS]"); err != nil {
		return err
	}
	var header [4]byte
	if err := t.read(header[:]); err != nil {
		return err
	}
	n := int(binary.BigEndian.Uint16(header[2:]))
	if header[0] != 3 || n < 11 || n > 512 {
		return t.fail("this is not a server of RDP", nil)
	}
	body := make([]byte, n-len(header))
	if err := t.read(body); err != nil {
		return err
	}
	t.heard(fmt.Sprintf("[%d bytes: %x]", len(body), body))
	switch {
	case body[1] != confirm:
		return t.fail("the server does not confirm the connection", nil)
	case len(body) < 15:
		return t.kind(NotOffered, "the server knows RDP's own encryption alone", nil)
	case body[7] == failure:
		return t.kind(Refused, fmt.Sprintf("the server refuses TLS, with the code %d", binary.LittleEndian.Uint32(body[11:])), nil)
	case body[7] != response || binary.LittleEndian.Uint32(body[11:])&(tls|hybrid) == 0:
		return t.kind(NotOffered, "the server chooses something else than TLS", nil)
	}
	return nil
}

// ldap is LDAP's StartTLS operation. RFC 4511 §4.14.
func ldap(t *talk) error {
	const startTLS = "1.3.6.1.4.1.1466.20037"
	name := append([]byte{0x80, byte(len(startTLS))}, startTLS...)
	operation := append([]byte{0x77, byte(len(name))}, name...)
	message := append([]byte{0x02, 1, 1}, operation...)
	if err := t.send(append([]byte{0x30, byte(len(message))}, message...), "[StartTLS]"); err != nil {
		return err
	}
	der, err := t.element()
	if err != nil {
		return err
	}
	var answer struct {
		ID       int
		Response asn1.RawValue `asn1:"application,tag:24"`
	}
	if rest, err := asn1.Unmarshal(der, &answer); err != nil || len(rest) > 0 || answer.ID != 1 {
		return t.fail("this is not an answer of LDAP", nil)
	}
	var code asn1.Enumerated
	rest, err := asn1.Unmarshal(answer.Response.Bytes, &code)
	if err != nil {
		return t.fail("this is not an answer of LDAP", nil)
	}
	var dn, words asn1.RawValue
	if rest, err = asn1.Unmarshal(rest, &dn); err == nil {
		_, _ = asn1.Unmarshal(rest, &words) // an answer without words will do
	}
	t.heard(fmt.Sprintf("[result %d] %s", code, words.Bytes))
	if code != 0 {
		return t.kind(Refused, "the server refuses", nil)
	}
	return nil
}

// element reads one element of BER, whose length is definite.
func (t *talk) element() ([]byte, error) {
	der := make([]byte, 2, 64)
	if err := t.read(der); err != nil {
		return nil, err
	}
	n := int(der[1])
	if n >= 0x80 {
		more := make([]byte, n&0x7f)
		if len(more) == 0 || len(more) > 4 {
			return nil, t.fail("this is not an answer of LDAP", nil)
		}
		if err := t.read(more); err != nil {
			return nil, err
		}
		n = 0
		for _, b := range more {
			n = n<<8 | int(b)
		}
		if n > longestLine {
			return nil, t.fail("this is not an answer of LDAP", nil)
		}
		der = minimal(der[0], n)
	}
	body := make([]byte, n)
	err := t.read(body)
	return append(der, body...), err
}

// minimal is a header in DER: BER may write a length with more bytes than it takes.
func minimal(tag byte, n int) []byte {
	switch {
	case n < 0x80:
		return []byte{tag, byte(n)}
	case n < 0x100:
		return []byte{tag, 0x81, byte(n)}
	}
	return []byte{tag, 0x82, byte(n >> 8), byte(n)}
}
