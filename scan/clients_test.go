package scan

import (
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// What is read of clients.txt is all that is in it.
func TestClientsAreReadWhole(t *testing.T) {
	var again strings.Builder
	for _, c := range Clients() {
		again.WriteString("\n" + c.String())
	}
	if _, rows, _ := strings.Cut(clientsText, "-record.\n"); again.String() != rows {
		t.Errorf("the file has\n%s\nand what is read of it is\n%s", rows, &again)
	}
	if len(Clients()) < 7 {
		t.Errorf("there are %d clients", len(Clients()))
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
		r, err := (&Prober{}).Scan(t.Context(), serveTLS(t, config), Options{})
		if err != nil || len(r.Clients) != len(Clients()) {
			t.Fatalf("%v, %d clients", err, len(r.Clients))
		}
		all := map[string]PlayedClient{}
		for _, c := range r.Clients {
			name, _, _ := strings.Cut(c.Name, " ")
			all[name] = c
		}
		return all
	}
	for name, c := range play(func(c *tls.Config) {
		c.MinVersion, c.CurvePreferences = tls.VersionTLS13, []tls.CurveID{tls.CurveP384}
	}) {
		if !c.Connects || c.Version != "TLS 1.3" || c.Group != "secp384r1" || c.Why != "" {
			t.Errorf("%s at a server of TLS 1.3 and P-384: %+v", name, c)
		}
	}
	few := play(func(c *tls.Config) {
		c.MaxVersion, c.CipherSuites = tls.VersionTLS12, []uint16{uint16(wire.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256)}
	})
	for name, connects := range map[string]bool{"OpenSSL": true, "Java": true, "GnuTLS": true, "Chromium": false, "Go": false} {
		if c := few[name]; c.Connects != connects || connects != (c.Suite == "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256") || connects == (c.Why == "alert handshake_failure") {
			t.Errorf("%s at a server of DHE alone: %+v", name, c)
		}
	}
}
