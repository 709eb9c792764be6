package page

import (
	"fmt"
	"strings"
	"sync"

	"github.com/vitrine-tls/vitrine/wire"
)

// valueList is what could stand in a field: the names of values that vitrine knows.
type valueList struct {
	// Fields are the names of the fields, Title says what the values are.
	Fields []string `json:"fields"`
	Title  string   `json:"title"`
	Digits int      `json:"digits"` // of a value in hex
	Values []value  `json:"values"`
}

// value is a number and its name.
type value struct {
	Number int    `json:"number"`
	Name   string `json:"name"`
}

// values are the lists of the page.
var values = sync.OnceValue(func() []valueList {
	return []valueList{
		{[]string{"type"}, "kinds of record", 2, named(1<<8, func(n int) fmt.Stringer { return wire.ContentType(n) })},
		{[]string{"msg_type"}, "kinds of handshake message", 2, named(1<<8, func(n int) fmt.Stringer { return wire.HandshakeType(n) })},
		{[]string{"legacy_record_version", "legacy_version", "version", "selected_version"}, "versions", 4, named(1<<16, func(n int) fmt.Stringer { return wire.Version(n) })},
		{[]string{"cipher_suite"}, "cipher suites", 4, named(1<<16, func(n int) fmt.Stringer { return wire.CipherSuite(n) })},
		{[]string{"cipher_spec"}, "cipher specs of SSL 2.0", 6, specs()},
		{[]string{"method", "legacy_compression_method"}, "compression methods", 2, named(1<<8, func(n int) fmt.Stringer { return wire.CompressionMethod(n) })},
		{[]string{"extension_type"}, "extensions", 4, named(1<<16, func(n int) fmt.Stringer { return wire.ExtensionType(n) })},
		{[]string{"group", "namedcurve", "selected_group"}, "groups", 4, named(1<<16, func(n int) fmt.Stringer { return wire.NamedGroup(n) })},
		{[]string{"signature_scheme", "algorithm"}, "signature schemes", 4, named(1<<16, func(n int) fmt.Stringer { return wire.SignatureScheme(n) })},
		{[]string{"mode"}, "ways to use a pre-shared key", 2, named(1<<8, func(n int) fmt.Stringer { return wire.PSKMode(n) })},
		{[]string{"certificate_type"}, "kinds of client certificate", 2, named(1<<8, func(n int) fmt.Stringer { return wire.ClientCertificateType(n) })},
		{[]string{"request_update"}, "answers to a KeyUpdate", 2, named(1<<8, func(n int) fmt.Stringer { return wire.KeyUpdateRequest(n) })},
		{[]string{"max_fragment_length"}, "lengths of a record", 2, named(1<<8, func(n int) fmt.Stringer { return wire.MaxFragmentLength(n) })},
		{[]string{"level"}, "levels of an alert", 2, named(1<<8, func(n int) fmt.Stringer { return wire.AlertLevel(n) })},
		{[]string{"description"}, "alerts", 2, named(1<<8, func(n int) fmt.Stringer { return wire.AlertCode(n) })},
	}
})

// named are the numbers below end that have a name, without those that mean nothing.
func named(end int, of func(int) fmt.Stringer) (all []value) {
	for n := range end {
		if name := of(n).String(); !nameless(name) {
			all = append(all, value{n, name})
		}
	}
	return all
}

// nameless reports that a name is the number again.
func nameless(name string) bool {
	return strings.Contains(name, "(0x") || strings.HasPrefix(name, "alert ") || strings.HasPrefix(name, "level ")
}

// specs are those of SSL 2.0, of which the numbers are too many to try.
func specs() (all []value) {
	for _, n := range []int{0x010080, 0x020080, 0x030080, 0x040080, 0x050080, 0x060040, 0x0700c0} {
		all = append(all, value{n, wire.SSL2CipherSpec(n).String()})
	}
	return all
}
