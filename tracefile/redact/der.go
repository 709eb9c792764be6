package redact

import (
	"bytes"
	"slices"
)

// The tags of DER that matter here. X.690 §8.
const (
	tagBoolean    = 0x01
	tagInteger    = 0x02
	tagBits       = 0x03
	tagOctets     = 0x04
	tagNull       = 0x05
	tagOID        = 0x06
	tagEnumerated = 0x0a
	tagUTCTime    = 0x17
	tagTime       = 0x18
	tagBMP        = 0x1e
	constructed   = 0x20
	contextual    = 0x80
)

// texts are the tags of what is text, a byte a letter.
var texts = []byte{0x0c, 0x12, 0x13, 0x14, 0x15, 0x16, 0x19, 0x1a, 0x1b}

// maxNesting bounds how deep structures are looked into; what is deeper is replaced as a whole.
const maxNesting = 32

// der is the stand-in for a certificate, a name or an OCSP response: structure,
// algorithms and dates stay.
func (s *Redactor) der(b []byte) []byte {
	out := bytes.Clone(b)
	if !s.walk(out, 0) {
		return s.bytes(b)
	}
	return out
}

// walk replaces what b holds, in place. It reports false, and b is as it was or partly
// replaced, where b is not DER.
func (s *Redactor) walk(b []byte, depth int) bool {
	for len(b) > 0 {
		header, content, ok := element(b)
		if !ok || depth > maxNesting {
			return false
		}
		within := b[header : header+content]
		if b[0]&constructed == 0 {
			copy(within, s.primitive(b[0], within, depth))
		} else if was := bytes.Clone(within); !s.walk(within, depth+1) {
			copy(within, s.bytes(was))
		}
		b = b[header+content:]
	}
	return true
}

// element reads the header of the first element, which must be there as a whole.
func element(b []byte) (header, content int, ok bool) {
	if len(b) < 2 || b[0]&0x1f == 0x1f {
		return 0, 0, false
	}
	header, content = 2, int(b[1])
	if content >= 0x80 {
		n := content & 0x7f
		if n == 0 || n > 3 || len(b) < 2+n {
			return 0, 0, false
		}
		header, content = 2+n, 0
		for _, c := range b[2:header] {
			content = content<<8 | int(c)
		}
	}
	return header, content, content <= len(b)-header
}

// primitive is what stands for the content of one element.
func (s *Redactor) primitive(tag byte, b []byte, depth int) []byte {
	switch {
	case len(b) == 0, tag == tagBoolean, tag == tagNull, tag == tagOID, tag == contextual|8:
		return b
	case tag == tagInteger || tag == tagEnumerated:
		return s.integer(b)
	case tag == tagBits:
		return s.bits(b, depth)
	case tag == tagOctets:
		return s.octets(b, depth)
	case tag == tagUTCTime || tag == tagTime:
		if !slices.ContainsFunc(b, func(c byte) bool { return (c < '0' || c > '9') && c != 'Z' }) {
			return b
		}
	case slices.Contains(texts, tag), isGeneralName(tag) && printable(b):
		return []byte(s.text(string(b)))
	case tag == tagBMP && len(b)%2 == 0:
		return s.wide(b)
	case tag == contextual|7 && (len(b) == 4 || len(b) == 16):
		return s.address(b)
	case tag == contextual|7 && (len(b) == 8 || len(b) == 32): // with a mask
		return append(s.address(b[:len(b)/2]), b[len(b)/2:]...)
	}
	return s.bytes(b)
}

// isGeneralName reports the tags of mail addresses, DNS names and URIs. RFC 5280 §4.2.1.6.
func isGeneralName(tag byte) bool {
	return tag == contextual|1 || tag == contextual|2 || tag == contextual|6
}

func printable(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c < ' ' || c > '~' })
}

// integer keeps small numbers, like versions and exponents. Others stay odd or even,
// positive and as long.
func (s *Redactor) integer(b []byte) []byte {
	if len(b) <= 4 {
		return b
	}
	out := s.bytes(b)
	out[0] = b[0] & 0x80
	if b[0] == 0 {
		out[1] |= 0x80
	} else {
		out[0] |= 0x40 | s.bytes(b)[0]&0x3f
	}
	out[len(out)-1] = out[len(out)-1]&^1 | b[len(b)-1]&1
	return out
}

// bits keeps a few flags, looks into structures, and takes the rest for a key or a
// signature. The first byte counts the unused bits.
func (s *Redactor) bits(b []byte, depth int) []byte {
	rest := bytes.Clone(b[1:])
	switch {
	case len(rest) <= 2:
		return b
	case rest[0] == 4 && slices.Contains([]int{65, 97, 133}, len(rest)):
		rest = s.point(rest)
	case !s.walk(rest, depth+1):
		rest = s.bytes(b[1:])
	}
	return append([]byte{b[0]}, rest...)
}

// octets looks into structures.
func (s *Redactor) octets(b []byte, depth int) []byte {
	if inner := bytes.Clone(b); s.walk(inner, depth+1) {
		return inner
	}
	return s.bytes(b)
}

// wide replaces a text of two bytes a letter.
func (s *Redactor) wide(b []byte) []byte {
	var low []byte
	for i := 1; i < len(b); i += 2 {
		if c := b[i]; b[i-1] == 0 && c < 0x80 {
			low = append(low, c)
		} else {
			low = append(low, 'x')
		}
	}
	out := make([]byte, len(b))
	for i, c := range []byte(s.text(string(low))) {
		out[2*i+1] = c
	}
	return out
}
