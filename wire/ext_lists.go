package wire

// ReadSupportedGroups reads a NamedGroupList, appending to dst. RFC 8446 §4.2.7.
//
//	NamedGroup named_group_list<2..2^16-1>;
func ReadSupportedGroups(r *Reader, dst []NamedGroup) []NamedGroup {
	return ReadU16List(r, "named_group_list", "group", dst)
}

// ReadSignatureAlgorithms reads a SignatureSchemeList, appending to dst.
// RFC 8446 §4.2.3.
//
//	SignatureScheme supported_signature_algorithms<2..2^16-2>;
func ReadSignatureAlgorithms(r *Reader, dst []SignatureScheme) []SignatureScheme {
	return ReadU16List(r, "supported_signature_algorithms", "signature_scheme", dst)
}

// PointFormatUncompressed is the one ECPointFormat that RFC 8422 §5.1.2 leaves.
const PointFormatUncompressed = 0

// ReadPointFormats reads an ECPointFormatList. RFC 8422 §5.1.2.
//
//	ECPointFormat ec_point_format_list<1..2^8-1>;
func ReadPointFormats(r *Reader) []uint8 {
	return r.Opaque("ec_point_format_list", 1, 1, 255)
}

// ReadSupportedVersions reads a client's list, appending to dst. RFC 8446 §4.2.1.
//
//	ProtocolVersion versions<2..254>;
func ReadSupportedVersions(r *Reader, dst []Version) []Version {
	m := r.Open("versions", 1, 2, 254)
	for r.More() {
		dst = append(dst, U16[Version](r, "version"))
	}
	r.Close("versions", m)
	return dst
}

// AppendSupportedVersions appends a client's list.
func AppendSupportedVersions(b []byte, list []Version) []byte {
	b, mark := openVector(b, 1)
	for _, v := range list {
		b = AppendU16(b, v)
	}
	return closeVector(b, mark, 1)
}

// ReadPSKModes reads a PskKeyExchangeModes, appending to dst. RFC 8446 §4.2.9.
//
//	PskKeyExchangeMode ke_modes<1..255>;
func ReadPSKModes(r *Reader, dst []PSKMode) []PSKMode {
	return ReadU8List(r, "ke_modes", "mode", dst)
}

// ReadCookie reads a HelloRetryRequest's cookie. RFC 8446 §4.2.2.
//
//	opaque cookie<1..2^16-1>;
func ReadCookie(r *Reader) []byte { return r.Opaque("cookie", 2, 1, 0xffff) }

// AppendCookie appends a cookie.
func AppendCookie(b, cookie []byte) []byte { return appendOpaque(b, 2, cookie) }

// ReadRenegotiationInfo reads the Finished values that bind a renegotiation;
// empty in a first handshake. RFC 5746 §3.2.
//
//	opaque renegotiated_connection<0..255>;
func ReadRenegotiationInfo(r *Reader) []byte { return r.Opaque("renegotiated_connection", 1, 0, 255) }

// AppendRenegotiationInfo appends the extension's body.
func AppendRenegotiationInfo(b, verifyData []byte) []byte { return appendOpaque(b, 1, verifyData) }

// ReadAuthorities reads a list of DER-encoded names, appending to dst; min is
// the shortest list allowed, in bytes. RFC 8446 §4.2.4, RFC 5246 §7.4.4.
//
//	opaque DistinguishedName<1..2^16-1>;
//	DistinguishedName certificate_authorities<min..2^16-1>;
func ReadAuthorities(r *Reader, min int, dst [][]byte) [][]byte {
	m := r.Open("certificate_authorities", 2, min, 0xffff)
	for r.More() {
		dst = append(dst, r.Opaque("distinguished_name", 2, 1, 0xffff))
	}
	r.Close("certificate_authorities", m)
	return dst
}

// AppendAuthorities appends a list of DER-encoded names.
func AppendAuthorities(b []byte, names [][]byte) []byte {
	b, mark := openVector(b, 2)
	for _, n := range names {
		b = appendOpaque(b, 2, n)
	}
	return closeVector(b, mark, 2)
}

// ReadSCTs reads a SignedCertificateTimestampList, appending to dst. RFC 6962 §3.3.
//
//	opaque SerializedSCT<1..2^16-1>;
//	SerializedSCT sct_list<1..2^16-1>;
func ReadSCTs(r *Reader, dst [][]byte) [][]byte {
	m := r.Open("sct_list", 2, 1, 0xffff)
	for r.More() {
		dst = append(dst, r.Opaque("serialized_sct", 2, 1, 0xffff))
	}
	r.Close("sct_list", m)
	return dst
}

// AppendSCTs appends a SignedCertificateTimestampList.
func AppendSCTs(b []byte, scts [][]byte) []byte {
	b, mark := openVector(b, 2)
	for _, s := range scts {
		b = appendOpaque(b, 2, s)
	}
	return closeVector(b, mark, 2)
}
