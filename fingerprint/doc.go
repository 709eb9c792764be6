// Package fingerprint computes JA3 and JA4 of a ClientHello: short names for the
// software that sent it. Two connections of the same program have the same
// fingerprint, whatever they connect to.
//
// Both are made of what the hello offers, without GREASE values (RFC 8701):
//
//   - JA3 is an MD5 hash of the version, the suites, the extensions, the groups and
//     the point formats, each in the order of the hello. Browsers send extensions in
//     a random order by now, so each of their connections has another JA3.
//   - JA4 sorts suites and extensions first, so that their order does not count, and
//     starts with a part that can be read: t13d1516h2 is TLS over TCP, version 1.3, a
//     server name, 15 suites, 16 extensions, and the protocol h2.
//
// JA3Text and JA4Raw give what is hashed, so that two fingerprints can be compared.
//
//	hello, err := fingerprint.Hello(raw) // a handshake message, as captured
//	...
//	fmt.Println(fingerprint.JA4(hello), fingerprint.JA3(hello))
//
// A fingerprint proves nothing: any program can send the hello of another.
//
// The definitions are JA3's README (github.com/salesforce/ja3) and JA4's
// technical_details/JA4.md (github.com/FoxIO-LLC/ja4). A ClientHello in the format of
// SSL 2.0 has neither.
package fingerprint
