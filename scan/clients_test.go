package scan

import (
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// What is read of clients.txt is all that is in it, and every client has a source.
func TestClientsAreReadWhole(t *testing.T) {
	var again, rows strings.Builder
	for _, c := range Clients() {
		again.WriteString(c.String())
		if !strings.Contains(c.Source, "https://") && !strings.HasPrefix(c.Source, "recorded from the program") {
			t.Errorf("the source of %s is %q", c.Name, c.Source)
		}
	}
	for line := range strings.Lines(clientsText) {
		if line != "\n" && line[0] != '#' && !strings.HasPrefix(line, "source ") && !strings.HasPrefix(line, "\tfrom ") {
			rows.WriteString(line)
		}
	}
	if again.String() != rows.String() {
		t.Errorf("the file has\n%s\nand what is read of it is\n%s", &rows, &again)
	}
	if len(Clients()) < 60 {
		t.Errorf("there are %d clients", len(Clients()))
	}
}

// Every client has a name of its own, and what it offers can be sent and read.
func TestClientsGreet(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Clients() {
		if seen[c.Name] {
			t.Errorf("%s is there twice", c.Name)
		}
		seen[c.Name] = true
		b, err := c.Hello.build(Target{Address: "example.test:443"}, nil, nil)
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		hello := new(wire.ClientHello)
		if err := wire.Decode(hello, b.message[wire.HeaderLen:], wire.Context{}, nil); err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		again := ClientOf(c.Name, hello)
		again.Hello.NoName = c.Hello.NoName
		slices.Sort(c.Hello.Ask)
		if again.String() != c.String() {
			t.Errorf("it is\n%s\nand greets as\n%s", c, again)
		}
		if named := slices.ContainsFunc(hello.Extensions, func(e wire.Extension) bool { return e.Type == wire.ExtServerName }); named == c.Hello.NoName {
			t.Errorf("%s says the name: %t", c.Name, named)
		}
	}
}

// playAll plays each client against a server, and nothing else.
func playAll(t *testing.T, config *tls.Config) map[string]PlayedClient {
	t.Helper()
	x := &audit{p: &Prober{}, at: serveTLS(t, config), r: &Report{}}
	x.clients(t.Context())
	all := map[string]PlayedClient{}
	for _, c := range x.r.Clients {
		all[c.Name] = c
	}
	if len(all) != len(Clients()) {
		t.Errorf("%d of %d clients were played", len(all), len(Clients()))
	}
	return all
}

// Which clients configurations of today and of yesterday serve. The lists of the oldest are
// those of Mozilla's guideline 5.7, https://ssl-config.mozilla.org/guidelines/5.7.json, as
// far as clients.txt has the same versions.
func TestWhichClientsAreServed(t *testing.T) {
	tests := []struct {
		server        string
		change        func(*tls.Config)
		serves, turns []string
	}{
		{"Mozilla's modern", func(c *tls.Config) { c.MinVersion = tls.VersionTLS13 },
			[]string{"Android 10", "Chrome 70", "Java 11.0.2", "Java 8u442", "OpenSSL 1.1.1d", "Safari 12.1 on iOS 12", "Go 1.17.8", "Node 16.20.2"},
			[]string{"Android 8.1", "Edge 15 on Windows 10", "IE 11 on Windows 10", "Java 8u161", "OpenSSL 1.1.0l", "OpenSSL 1.0.2e", "Safari 9 on iOS 9", "Node 8.9.4", "Firefox 31 ESR"}},
		{"Mozilla's intermediate", func(c *tls.Config) {
			c.MinVersion = tls.VersionTLS12
			c.CipherSuites = []uint16{0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0x009e, 0x009f, 0xccaa, 0x1301, 0x1302, 0x1303}
		},
			[]string{"Firefox 31 ESR", "Android 4.4.2", "Edge 15 on Windows 10", "IE 11 on Windows 7", "Java 8u31", "OpenSSL 1.0.1l", "Safari 9 on iOS 9", "Go 1.17.8"},
			[]string{"IE 8 on Windows XP", "Java 7u25", "OpenSSL 0.9.8y", "Safari 6 on iOS 6"}},
		{"TLS 1.2 with ECDHE and GCM alone, on RSA", func(c *tls.Config) {
			c.MinVersion, c.CipherSuites = tls.VersionTLS12, []uint16{0xc02f, 0xc030}
			c.MaxVersion, c.Certificates = tls.VersionTLS12, c.Certificates[:1]
		},
			[]string{"Android 4.4.2", "IE 11 on Windows 10", "Java 8u31", "Safari 9 on iOS 9"},
			[]string{"IE 11 on Windows 7", "IE 11 on Windows 8.1", "Safari 6 on iOS 6"}},
		{"TLS 1.0 and 3DES alone", func(c *tls.Config) {
			c.MinVersion, c.MaxVersion, c.CipherSuites = tls.VersionTLS10, tls.VersionTLS10, []uint16{0x000a}
		},
			[]string{"IE 8 on Windows XP", "Java 7u25", "OpenSSL 0.9.8y", "OpenSSL 1.0.2e", "Go 1.17.8"},
			[]string{"Chromium 137", "Firefox 100", "Go 1.22.12", "Java 17.0.15", "OpenSSL 3.0.22"}},
	}
	for _, test := range tests {
		config := old(t, wire.TLS12)
		config.MinVersion, config.MaxVersion = 0, 0
		test.change(config)
		all := playAll(t, config)
		for connects, names := range map[bool][]string{true: test.serves, false: test.turns} {
			for _, name := range names {
				if c := all[name]; c.Name == "" || c.Connects != connects || connects == (c.Why != "") {
					t.Errorf("%s, at a server of %s: %+v", name, test.server, c)
				}
			}
		}
	}
}

// A client is said to connect where the server takes its hello, with what the server picks;
// else it is said how the server turned it down.
func TestClientsArePlayed(t *testing.T) {
	play := func(change func(*tls.Config)) map[string]PlayedClient {
		t.Helper()
		config := old(t, wire.TLS12)
		config.MinVersion, config.MaxVersion = 0, 0
		change(config)
		return playAll(t, config)
	}
	for name, c := range play(func(c *tls.Config) {
		c.MinVersion, c.CurvePreferences = tls.VersionTLS13, []tls.CurveID{tls.CurveP384}
	}) {
		if speaks := slices.IndexFunc(Clients(), func(c Client) bool {
			return c.Name == name && slices.Contains(c.Hello.Versions, wire.TLS13) && slices.Contains(c.Hello.Groups, wire.GroupP384)
		}); speaks < 0 {
			if c.Connects {
				t.Errorf("%s at a server of TLS 1.3 and P-384: %+v", name, c)
			}
		} else if !c.Connects || c.Version != "TLS 1.3" || c.Group != "secp384r1" || c.Why != "" {
			t.Errorf("%s at a server of TLS 1.3 and P-384: %+v", name, c)
		}
	}
	few := play(func(c *tls.Config) {
		c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{uint16(wire.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256)}
	})
	for name, connects := range map[string]bool{"OpenSSL 3.0.22": true, "Java 17.0.15": true, "GnuTLS 3.7.9": true, "Chromium 137": false, "Go 1.26.8": false} {
		if c := few[name]; c.Connects != connects || connects != (c.Suite == "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256") || connects == (c.Why == "alert handshake_failure") {
			t.Errorf("%s at a server of DHE alone: %+v", name, c)
		}
	}
}
