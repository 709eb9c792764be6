package explain

import (
	"cmp"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/vitrine-tls/vitrine/internal/otherkeys"
)

// part is a place in the grammar of a certificate. RFC 5280 §4.1.
type part struct {
	name string
	// tag is that of a part that may be missing, 0 for one that may not.
	tag   byte
	kids  []part // of a part that is made of others, in their order
	each  *part  // or of any number of one kind
	wraps bool   // an OCTET STRING with more DER in it
}

const (
	tagBoolean     = 0x01
	tagInteger     = 0x02
	tagOID         = 0x06
	tagUTCTime     = 0x17
	tagGeneralTime = 0x18
	constructed    = 0x20
	anyTag         = 0xff // of a part that may be missing, and has no tag of its own
)

var (
	algorithmParts = []part{{name: "algorithm"}, {name: "parameters", tag: anyTag}}
	nameParts      = &part{name: "RelativeDistinguishedName", each: &part{name: "AttributeTypeAndValue", kids: []part{{name: "type"}, {name: "value"}}}}
	certificateDER = part{name: "Certificate", kids: []part{
		{name: "tbsCertificate", kids: []part{
			{name: "version", tag: 0xa0, each: &part{name: "version"}},
			{name: "serialNumber"},
			{name: "signature", kids: algorithmParts},
			{name: "issuer", each: nameParts},
			{name: "validity", kids: []part{{name: "notBefore"}, {name: "notAfter"}}},
			{name: "subject", each: nameParts},
			{name: "subjectPublicKeyInfo", kids: []part{{name: "algorithm", kids: algorithmParts}, {name: "subjectPublicKey"}}},
			{name: "issuerUniqueID", tag: 0x81},
			{name: "subjectUniqueID", tag: 0x82},
			{name: "extensions", tag: 0xa3, each: &part{name: "Extensions", each: &part{
				name: "Extension", kids: []part{{name: "extnID"}, {name: "critical", tag: tagBoolean}, {name: "extnValue", wraps: true}}}}},
		}},
		{name: "signatureAlgorithm", kids: algorithmParts},
		{name: "signatureValue"},
	}}
)

// mostParts bounds the fields of one certificate.
const mostParts = 4000

// derReader turns DER into fields.
type derReader struct {
	raw    []byte
	at     int // of raw in the message
	fields []Field
}

// certificateFields are the fields of a certificate that stands at an offset of its message;
// nil where it does not follow the grammar.
func certificateFields(raw []byte, at, depth int) []Field {
	r := derReader{raw: raw, at: at}
	if end, ok := r.read(0, len(raw), depth, &certificateDER); !ok || end != len(raw) {
		return nil
	}
	return r.fields
}

// element reads a tag and a length, and returns where the content begins and ends.
func (r *derReader) element(from, limit int) (tag byte, begin, end int, ok bool) {
	if limit-from < 2 || r.raw[from]&0x1f == 0x1f {
		return 0, 0, 0, false
	}
	tag, begin = r.raw[from], from+2
	n := int(r.raw[from+1])
	if n >= 0x80 {
		size := n & 0x7f
		if size == 0 || size > 3 || limit-begin < size {
			return 0, 0, 0, false
		}
		n = 0
		for _, b := range r.raw[begin : begin+size] {
			n = n<<8 | int(b)
		}
		begin += size
	}
	return tag, begin, begin + n, n <= limit-begin
}

func (r *derReader) add(f Field, from, end int) {
	f.Offset, f.Length = r.at+from, end-from
	if !f.Group {
		f.Bytes = r.raw[from:end]
	}
	r.fields = append(r.fields, f)
}

// read appends the fields of one part, and returns where it ends.
func (r *derReader) read(from, limit, depth int, p *part) (end int, ok bool) {
	tag, begin, end, ok := r.element(from, limit)
	if !ok || len(r.fields) > mostParts {
		return 0, false
	}
	if p.wraps && r.wrapped(from, begin, end, depth, p) {
		return end, true
	}
	if tag&constructed == 0 || p.kids == nil && p.each == nil {
		r.add(Field{Depth: depth, Name: p.name, Value: derValue(tag, r.raw[begin:end]), Meaning: certificateMeanings[p.name]}, from, end)
		return end, true
	}
	r.add(Field{Depth: depth, Name: p.name, Group: true, Meaning: certificateMeanings[p.name]}, from, end)
	r.add(Field{Depth: depth + 1, Name: "length"}, from, begin)
	return end, r.content(begin, end, depth+1, p)
}

// content reads what a part is made of.
func (r *derReader) content(at, end, depth int, p *part) (ok bool) {
	for p.each != nil && at < end {
		if at, ok = r.read(at, end, depth, p.each); !ok {
			return false
		}
	}
	for i := range p.kids {
		kid := &p.kids[i]
		if kid.tag != 0 && (at == end || kid.tag != anyTag && r.raw[at] != kid.tag) {
			continue
		}
		if at, ok = r.read(at, end, depth, kid); !ok {
			return false
		}
	}
	return at == end
}

// wrapped reads the one element that an OCTET STRING holds, by the types of ASN.1, for its
// grammar is another one for each extension. It reports whether there is one.
func (r *derReader) wrapped(from, begin, end, depth int, p *part) bool {
	before := len(r.fields)
	r.add(Field{Depth: depth, Name: p.name, Group: true}, from, end)
	r.add(Field{Depth: depth + 1, Name: "length"}, from, begin)
	if at, ok := r.typed(begin, end, depth+1); !ok || at != end {
		r.fields = r.fields[:before]
		return false
	}
	return true
}

// mostDepth bounds what lies in each other.
const mostDepth = 24

// typed reads an element and what is in it, named by its type.
func (r *derReader) typed(from, limit, depth int) (end int, ok bool) {
	tag, begin, end, ok := r.element(from, limit)
	if !ok || len(r.fields) > mostParts || depth > mostDepth {
		return 0, false
	}
	name := typeNames[tag]
	if tag&0xc0 == 0x80 {
		name = fmt.Sprintf("[%d]", tag&0x1f)
	} else if name == "" {
		name = "element"
	}
	if tag&constructed == 0 {
		r.add(Field{Depth: depth, Name: name, Value: derValue(tag, r.raw[begin:end])}, from, end)
		return end, true
	}
	r.add(Field{Depth: depth, Name: name, Group: true}, from, end)
	r.add(Field{Depth: depth + 1, Name: "length"}, from, begin)
	for at := begin; at < end; {
		if at, ok = r.typed(at, end, depth+1); !ok {
			return 0, false
		}
	}
	return end, true
}

var typeNames = map[byte]string{
	tagBoolean: "BOOLEAN", tagInteger: "INTEGER", 0x03: "BIT STRING", 0x04: "OCTET STRING", 0x05: "NULL", tagOID: "OBJECT IDENTIFIER",
	0x0c: "UTF8String", 0x13: "PrintableString", 0x16: "IA5String", tagUTCTime: "UTCTime", tagGeneralTime: "GeneralizedTime",
	0x30: "SEQUENCE", 0x31: "SET",
}

// derValue says what a value is, where it can be said in words.
func derValue(tag byte, content []byte) string {
	switch tag {
	case tagBoolean:
		return strconv.FormatBool(len(content) == 1 && content[0] != 0)
	case tagInteger:
		var n int64
		if _, err := asn1.Unmarshal(append([]byte{tagInteger, byte(len(content))}, content...), &n); err == nil && len(content) <= 8 {
			return strconv.FormatInt(n, 10)
		}
		return hex.EncodeToString(content)
	case tagOID:
		var id asn1.ObjectIdentifier
		if rest, err := asn1.Unmarshal(append([]byte{tagOID, byte(len(content))}, content...), &id); err != nil || len(rest) > 0 || len(content) > 127 {
			return ""
		}
		if name := cmp.Or(oidNames[id.String()], otherkeys.AlgorithmName(id.String())); name != "" {
			return name + " (" + id.String() + ")"
		}
		return id.String()
	case tagUTCTime, tagGeneralTime, 0x0c, 0x13, 0x16, 0x81, 0x82, 0x86: // and UTF8String, PrintableString, IA5String; names
		if utf8.Valid(content) && !strings.ContainsFunc(string(content), isControl) {
			return fmt.Sprintf("%q", content)
		}
	}
	return ""
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
