package fingerprint_test

import (
	"errors"
	"testing"

	"github.com/vitrine-tls/vitrine/fingerprint"
	"github.com/vitrine-tls/vitrine/wire"
)

// offer is a ClientHello in short.
type offer struct {
	version    wire.Version
	suites     []wire.CipherSuite
	extensions []wire.ExtensionType
	alpn       []string
	versions   []wire.Version
	groups     []wire.NamedGroup
	schemes    []wire.SignatureScheme
	formats    []byte
}

func (o offer) hello() *wire.ClientHello {
	h := &wire.ClientHello{
		LegacyVersion: o.version, Random: make([]byte, 32), CipherSuites: o.suites,
		CompressionMethods: []wire.CompressionMethod{wire.CompressionNull}, NoExtensions: len(o.extensions) == 0,
	}
	for _, x := range o.extensions {
		var data []byte
		switch x {
		case wire.ExtServerName:
			data = wire.AppendServerName(nil, "example.com")
		case wire.ExtALPN:
			data = wire.AppendALPN(nil, o.alpn...)
		case wire.ExtSupportedVersions:
			data = wire.AppendSupportedVersions(nil, o.versions)
		case wire.ExtSupportedGroups:
			data = wire.AppendU16List(nil, o.groups)
		case wire.ExtSignatureAlgorithms:
			data = wire.AppendU16List(nil, o.schemes)
		case wire.ExtECPointFormats:
			data = append([]byte{byte(len(o.formats))}, o.formats...)
		}
		h.Extensions = append(h.Extensions, wire.Extension{Type: x, Data: data})
	}
	return h
}

const grease = 0x3a3a

// chrome143 is what a public test site (browserleaks.com) reports of Chrome 143, with GREASE
// values where Chrome has them.
var chrome143 = offer{
	version: wire.TLS12,
	suites: []wire.CipherSuite{grease, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8,
		0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035},
	extensions: []wire.ExtensionType{grease, 0x002d, 0x0033, 0x0010, 0xfe0d, 0x0017, 0x44cd, 0x0000, 0x000b, 0x000a, 0x002b,
		0xff01, 0x0023, 0x0012, 0x0005, 0x000d, 0x001b, 0x4a4a},
	alpn:     []string{"h2", "http/1.1"},
	versions: []wire.Version{grease, wire.TLS13, wire.TLS12},
	groups:   []wire.NamedGroup{grease, 4588, 29, 23, 24},
	schemes:  []wire.SignatureScheme{0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601},
	formats:  []byte{0},
}

// old is the first example of JA3's README.
var old = offer{
	version:    wire.TLS10,
	suites:     []wire.CipherSuite{47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4},
	extensions: []wire.ExtensionType{0, 10, 11},
	groups:     []wire.NamedGroup{23, 24, 25},
	formats:    []byte{0},
}

// bare is its second: a hello without extensions.
var bare = offer{version: wire.TLS10, suites: []wire.CipherSuite{4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99}}

func TestJA3(t *testing.T) {
	for _, c := range []struct {
		name       string
		of         offer
		text, hash string
	}{
		{"JA3's README, first", old, "769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0", "ada70206e40642a3e4461f35503241d5"},
		{"JA3's README, second", bare, "769,4-5-10-9-100-98-3-6-19-18-99,,,", "de350869b8c85de67a350c8d186f11e6"},
		{"Chrome 143", chrome143, "771,4865-4866-4867-49195-49199-49196-49200-52393-52392-49171-49172-156-157-47-53," +
			"45-51-16-65037-23-17613-0-11-10-43-65281-35-18-5-13-27,4588-29-23-24,0", "98487aa16281980e7d1120d399efb6a4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := c.of.hello()
			if got := fingerprint.JA3Text(h); got != c.text {
				t.Errorf("the text is\n%s, want\n%s", got, c.text)
			}
			if got := fingerprint.JA3(h); got != c.hash {
				t.Errorf("the hash is %s, want %s", got, c.hash)
			}
		})
	}
}

func TestJA4(t *testing.T) {
	// The example of JA4's technical_details/JA4.md: another Chrome, with padding, 0x4469, and without ECH.
	document := chrome143
	document.extensions = []wire.ExtensionType{0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012,
		0x002b, 0xff01, 0x000b, 0x000a, 0x0015, grease}
	greased := document
	greased.schemes = append([]wire.SignatureScheme{0x5a5a}, document.schemes...)
	many := offer{version: wire.TLS12}
	for i := range wire.CipherSuite(120) {
		many.suites = append(many.suites, i)
	}
	for _, c := range []struct {
		name      string
		of        offer
		raw, want string
	}{
		{"JA4.md", document, "t13d1516h2_002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9" +
			"_0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01_0403,0804,0401,0503,0805,0501,0806,0601",
			"t13d1516h2_8daaf6152771_e5627efa2ab1"},
		{"a GREASE scheme", greased, "", "t13d1516h2_8daaf6152771_e5627efa2ab1"},
		{"Chrome 143", chrome143, "t13d1516h2_002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9" +
			"_0005,000a,000b,000d,0012,0017,001b,0023,002b,002d,0033,44cd,fe0d,ff01_0403,0804,0401,0503,0805,0501,0806,0601",
			"t13d1516h2_8daaf6152771_d8a2da3f94cd"},
		{"no extensions", bare, "t10i110000_0003,0004,0005,0006,0009,000a,0012,0013,0062,0063,0064_", ""},
		{"no schemes", old, "t10d120300_0004,0005,000a,0013,002f,0032,0035,0038,c009,c00a,c013,c014_000a,000b", ""},
		{"nothing", offer{version: wire.SSL30}, "ts3i000000__", "ts3i000000_000000000000_000000000000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := c.of.hello()
			if got := fingerprint.JA4Raw(h); c.raw != "" && got != c.raw {
				t.Errorf("the raw form is\n%s, want\n%s", got, c.raw)
			}
			if got := fingerprint.JA4(h); c.want != "" && got != c.want {
				t.Errorf("it is %s, want %s", got, c.want)
			}
		})
	}
	if got := fingerprint.JA4(many.hello())[:10]; got != "t12i990000" {
		t.Errorf("of 120 suites it begins %s, want t12i990000", got)
	}
}

// The characters of ALPN that JA4.md gives as examples.
func TestJA4Protocol(t *testing.T) {
	for name, want := range map[string]string{
		"h2": "h2", "http/1.1": "h1", "x": "xx", "\xab": "ab", "\xab\xcd": "ad", "0\xab": "3b", "01\xab\xcd": "3d",
		"0\xab\xcd1": "01", "\x3a\x3a": "00",
	} {
		o := offer{version: wire.TLS12, extensions: []wire.ExtensionType{wire.ExtALPN}, alpn: []string{name}}
		if got := fingerprint.JA4(o.hello())[8:10]; got != want {
			t.Errorf("%q gives %s, want %s", name, got, want)
		}
	}
}

func TestHello(t *testing.T) {
	raw := wire.AppendMessage(nil, chrome143.hello(), wire.Context{})
	h, err := fingerprint.Hello(raw)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fingerprint.JA4(h), fingerprint.JA4(chrome143.hello()); got != want {
		t.Errorf("the parsed hello has %s, want %s", got, want)
	}
	if _, err := fingerprint.Hello([]byte{2, 0, 0, 0}); !errors.Is(err, fingerprint.ErrNoHello) {
		t.Errorf("a ServerHello: %v", err)
	}
	var syntax *wire.SyntaxError
	if _, err := fingerprint.Hello(raw[:50]); !errors.As(err, &syntax) {
		t.Errorf("half a hello: %v", err)
	}
}

func FuzzHello(f *testing.F) {
	f.Add(wire.AppendMessage(nil, chrome143.hello(), wire.Context{}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		h, err := fingerprint.Hello(raw)
		if err != nil {
			return
		}
		if got := fingerprint.JA4(h); len(got) != len("t13d1516h2_8daaf6152771_e5627efa2ab1") {
			t.Errorf("%q is no JA4", got)
		}
		fingerprint.JA3(h)
	})
}
