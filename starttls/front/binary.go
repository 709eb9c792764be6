package front

import (
	"bytes"
	"encoding/asn1"
	"encoding/binary"
)

// postgres is PostgreSQL's beginning, up to the SSLRequest.
// https://www.postgresql.org/docs/current/protocol-message-formats.html
func postgres(t *talk) error {
	const (
		sslRequest    = 80877103
		gssRequest    = 80877104
		cancelRequest = 80877102
	)
	for range 2 { // a client asks for encryption by GSSAPI at most once before
		var b [8]byte
		if err := t.read(b[:]); err != nil {
			return err
		}
		length, code := binary.BigEndian.Uint32(b[:]), binary.BigEndian.Uint32(b[4:])
		switch {
		case length == 8 && code == sslRequest:
			return t.agree("S")
		case length == 8 && code == gssRequest:
			if err := t.agree("N"); err != nil {
				return err
			}
			continue
		case code == cancelRequest: // has no answer
			return t.fail("a cancel request came in the clear, with the key of a session", nil)
		case length > 8 && code>>16 == 3:
			t.say(postgresRefusal)
			return t.fail("the client does not ask for TLS", nil)
		}
		return t.fail("this is not a client of PostgreSQL that asks for TLS", nil)
	}
	return t.fail("the client asks for encryption by GSSAPI twice", nil)
}

// postgresRefusal is an ErrorResponse: what to do, under the code of invalid_authorization_specification.
var postgresRefusal = func() string {
	fields := "SFATAL\x00VFATAL\x00C28000\x00MTLS is required: connect with sslmode=require or better\x00\x00"
	return "E" + string(binary.BigEndian.AppendUint32(nil, uint32(4+len(fields)))) + fields
}()

// Tags of LDAP's operations. RFC 4511 §4.2 to §4.14.
const (
	ldapUnbind, ldapAbandon   = 0x42, 0x50
	ldapExtended              = 0x77
	ldapExtendedResponse      = 0x78
	ldapSuccess               = 0
	ldapProtocolError         = 2
	ldapConfidentialityNeeded = 13
	ldapStartTLS              = "1.3.6.1.4.1.1466.20037"
)

// ldapResponses are the answers to requests.
var ldapResponses = map[byte]byte{
	0x60: 0x61, 0x63: 0x65, 0x66: 0x67, 0x68: 0x69, 0x4a: 0x6b, 0x6c: 0x6d, 0x6e: 0x6f, ldapExtended: ldapExtendedResponse,
}

// ldap is LDAP, up to the StartTLS operation. RFC 4511 §4.14.
func ldap(t *talk) error {
	for range mostCommands {
		id, operation, body, err := t.ldapRequest()
		if err != nil {
			return err
		}
		response, known := ldapResponses[operation]
		switch {
		case operation == ldapUnbind:
			return t.left()
		case operation == ldapAbandon:
			continue
		case !known:
			return t.fail("this is not a request of LDAP", nil)
		case operation == ldapExtended && bytes.Equal(body, append([]byte{0x80, byte(len(ldapStartTLS))}, ldapStartTLS...)):
			return t.agree(ldapAnswer(id, response, ldapSuccess, ""))
		}
		if err := t.say(ldapAnswer(id, response, ldapConfidentialityNeeded, "StartTLS comes first")); err != nil {
			return err
		}
	}
	return t.fail("there were too many requests without StartTLS", nil)
}

// ldapRequest reads one message: its number, which operation it is, and what is in that.
func (t *talk) ldapRequest() (id int32, operation byte, body []byte, err error) {
	element, err := t.element()
	if err != nil {
		return 0, 0, nil, err
	}
	var message struct {
		ID        int32
		Operation asn1.RawValue
		Controls  asn1.RawValue `asn1:"optional"`
	}
	if rest, err := asn1.Unmarshal(element, &message); err != nil || len(rest) > 0 || message.ID <= 0 {
		return 0, 0, nil, t.fail("this is not a request of LDAP", err)
	}
	return message.ID, message.Operation.FullBytes[0], message.Operation.Bytes, nil
}

// element reads one element of BER, of definite length, and returns it in DER at the outside.
func (t *talk) element() ([]byte, error) {
	header := make([]byte, 2, 8)
	if err := t.read(header); err != nil {
		return nil, err
	}
	n := int(header[1])
	if n >= 0x80 {
		more := make([]byte, n&0x7f)
		if header[0] != 0x30 || len(more) == 0 || len(more) > 4 {
			return nil, t.fail("this is not a request of LDAP", nil)
		}
		if err := t.read(more); err != nil {
			return nil, err
		}
		n = 0
		for _, b := range more {
			n = n<<8 | int(b)
		}
	}
	if header[0] != 0x30 || n < 0 || n > longestLine {
		return nil, t.fail("this is not a request of LDAP before TLS", nil)
	}
	body := make([]byte, n)
	if err := t.read(body); err != nil {
		return nil, err
	}
	return tlv(0x30, body), nil
}

// ldapAnswer is a response with a result alone.
func ldapAnswer(id int32, response, result byte, words string) string {
	content := []byte{0x0a, 1, result, 0x04, 0}
	content = append(content, tlv(0x04, []byte(words))...)
	if response == ldapExtendedResponse && result == ldapSuccess {
		content = append(content, tlv(0x8a, []byte(ldapStartTLS))...)
	}
	number, _ := asn1.Marshal(id) // an integer can be
	return string(tlv(0x30, append(number, tlv(response, content)...)))
}

// tlv is an element of DER with less than 64 KB in it.
func tlv(tag byte, content []byte) []byte {
	switch n := len(content); {
	case n < 0x80:
		return append([]byte{tag, byte(n)}, content...)
	case n < 0x100:
		return append([]byte{tag, 0x81, byte(n)}, content...)
	default:
		return append([]byte{tag, 0x82, byte(n >> 8), byte(n)}, content...)
	}
}
