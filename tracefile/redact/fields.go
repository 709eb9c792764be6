package redact

import (
	"bytes"
	"slices"

	"github.com/vitrine-tls/vitrine/wire"
)

// how says what stands for the bytes of a field.
type how func(s *Redactor, b []byte) []byte

func keep(_ *Redactor, b []byte) []byte { return b }
func asText(s *Redactor, b []byte) []byte {
	if !printable(b) {
		return s.bytes(b)
	}
	return []byte(s.text(string(b)))
}
func asDER(s *Redactor, b []byte) []byte { return s.der(b) }

// zeros keeps nothing but zeros.
func zeros(s *Redactor, b []byte) []byte {
	if slices.ContainsFunc(b, func(c byte) bool { return c != 0 }) {
		return s.bytes(b)
	}
	return b
}

// finishes has a stand-in for each Finished that it is put together of, so that a
// renegotiation is seen to repeat those before it.
func finishes(s *Redactor, b []byte) []byte {
	parts := map[int][]int{12: {12}, 24: {12, 12}, 36: {16, 20}, 72: {16, 20, 16, 20}}[len(b)]
	if parts == nil {
		parts = []int{len(b)}
	}
	var out []byte
	for _, n := range parts {
		out, b = append(out, s.bytes(b[:n])...), b[n:]
	}
	return out
}

// fields says what becomes of a field of a message, by its name. What is not listed has a
// stand-in as bytes.
var fields = map[string]how{
	"cert_data": asDER, "distinguished_name": asDER, "ocsp_response": asDER,
	"host_name": asText, "psk_identity": asText, "psk_identity_hint": asText,
	"padding": zeros, "renegotiated_connection": finishes,

	"certificate_type": keep, "cipher_spec": keep, "cipher_spec_length": keep, "challenge_length": keep,
	"algorithm": keep, "cipher_suite": keep, "curve_type": keep, "dh_Yc": keep, "dh_Ys": keep, "dh_g": keep, "dh_p": keep,
	"ec_point_format_list": keep, "extension_type": keep, "group": keep, "key_exchange": keep,
	"legacy_compression_method": keep, "legacy_version": keep, "length": keep, "max_early_data_size": keep,
	"new_session_count": keep, "resumption_count": keep, "expected_count": keep,
	"max_fragment_length": keep, "method": keep, "mode": keep, "msg_type": keep, "name_type": keep,
	"namedcurve": keep, "obfuscated_ticket_age": keep, "point": keep, "protocol_name": keep, "random": keep,
	"record_size_limit": keep, "request_update": keep, "selected_group": keep, "selected_identity": keep,
	"selected_version": keep, "session_id_length": keep, "signature_scheme": keep, "status_type": keep,
	"ticket_age_add": keep, "ticket_lifetime": keep, "ticket_lifetime_hint": keep, "version": keep,
}

// message is the stand-in for a handshake message, field by field.
func (s *Redactor) message(raw []byte, c wire.Context, ssl2 bool) []byte {
	var rec wire.Recorder
	if ssl2 {
		_ = wire.Decode(new(wire.SSL2ClientHello), raw, c, &rec) // what it could not read is a field of its own
	} else {
		_, _ = wire.DecodeMessage(raw, c, &rec)
	}
	out := bytes.Clone(raw)
	end := 0
	for _, f := range rec.Spans {
		if f.Group || f.Offset < end || f.Offset+f.Length > len(raw) {
			continue
		}
		copy(out[end:f.Offset], s.bytes(raw[end:f.Offset]))
		end = f.Offset + f.Length
		replace, ok := fields[f.Name]
		if !ok {
			replace = (*Redactor).bytes
		}
		copy(out[f.Offset:end], replace(s, raw[f.Offset:end]))
	}
	copy(out[end:], s.bytes(raw[end:]))
	return out
}
