package wire_test

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// Decode a message and show where each field stands in its bytes.
func ExampleDecodeMessage() {
	raw, _ := hex.DecodeString("080000130011" + // EncryptedExtensions
		"00100005000302" + "6832" + // ALPN "h2"
		"000a0004000200" + "1d") // supported_groups x25519

	var rec wire.Recorder
	m, err := wire.DecodeMessage(raw, wire.Context{Version: wire.TLS13, From: wire.Server}, &rec)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range rec.Spans {
		indent := strings.Repeat("  ", s.Depth)
		switch {
		case s.Group:
			fmt.Println(strings.TrimRight(fmt.Sprintf("%2d+%-2d %s%s  %s", s.Offset, s.Length, indent, s.Name, s.Ref), " "))
		case s.Name != "length":
			fmt.Printf("%2d+%-2d %s%s = %s\n", s.Offset, s.Length, indent, s.Name, s.Value)
		}
	}

	ee := m.(*wire.EncryptedExtensions)
	if _, err := ee.Extensions.Read(wire.ExtALPN, func(r *wire.Reader) {
		fmt.Printf("the server chose %s\n", wire.ReadALPN(r, nil)[0])
	}); err != nil {
		fmt.Println(err)
	}
	// Output:
	//  0+1  msg_type = EncryptedExtensions
	//  1+22 EncryptedExtensions  RFC 8446 §4.3.1
	//  4+19   extensions
	//  6+9      application_layer_protocol_negotiation
	//  6+2        extension_type = application_layer_protocol_negotiation
	//  8+7        extension_data  RFC 7301 §3.1
	// 10+5          protocol_name_list
	// 12+3            protocol_name
	// 13+2              protocol_name = "h2"
	// 15+8      supported_groups
	// 15+2        extension_type = supported_groups
	// 17+6        extension_data  RFC 8446 §4.2.7
	// 19+4          named_group_list
	// 21+2            group = x25519
	// the server chose h2
}

// A malformed message says which field, where, and why.
func ExampleSyntaxError() {
	_, err := wire.DecodeMessage([]byte{24, 0, 0, 2, 1, 0}, wire.Context{Version: wire.TLS13}, nil)
	fmt.Println(err)
	// Output:
	// malformed KeyUpdate at byte 5: 1 bytes after its last item
}
