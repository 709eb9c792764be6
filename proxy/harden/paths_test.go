package harden

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/proxy/config"
)

func TestWhatAConfigurationNeeds(t *testing.T) {
	c := config.Config{
		Listeners: []config.Listener{{
			Listen: []string{":8443", "unix:/run/vitrine/in.sock", "systemd:web"},
			TLS: &config.ServerTLS{
				Certificates: []config.Certificate{
					{Cert: "/etc/tls/chain.pem", Key: "/etc/tls/key.pem"},
					{ACME: &config.ACME{Storage: "/var/lib/vitrine", Directory: "https://localhost:14000/dir", Challenge: "http-01"}},
				},
				ClientCA: "/etc/tls/ca.pem", Revocation: "off", NoStapling: true,
			},
		}},
		Targets: map[string]config.Target{"web": {Addresses: []string{"localhost:8080", "unix:/run/app.sock"}}},
		Admin:   config.Admin{Listen: "127.0.0.1:9000"},
		Traces:  config.Traces{Folder: "/var/tmp/traces"},
	}
	p := Of(c, "/etc/vitrine/proxy.yaml")
	for _, want := range []string{"/etc/tls/chain.pem", "/etc/tls/key.pem", "/etc/tls/ca.pem", "/etc/vitrine/proxy.yaml", "/run/app.sock"} {
		if !slices.Contains(p.Read, want) {
			t.Errorf("%s cannot be read: %v", want, p.Read)
		}
	}
	if want := []string{"/run/vitrine", "/var/lib/vitrine", "/var/tmp/traces"}; !slices.Equal(p.Write, want) {
		t.Errorf("written: %v, want %v", p.Write, want)
	}
	if want := []uint16{53, 443, 8080, 14000}; !slices.Equal(p.Connect, want) || p.AnyConnect {
		t.Errorf("connected to: %v, any %v, want %v", p.Connect, p.AnyConnect, want)
	}
	if want := []uint16{80, 8443, 9000}; !slices.Equal(p.Bind, want) {
		t.Errorf("listened on: %v, want %v", p.Bind, want)
	}
	if more := p.Beyond(p); len(more) > 0 {
		t.Errorf("a configuration needs more than itself: %v", more)
	}
	c.Sessions.Store, c.Traces.Folder = "redis://localhost", "/srv/traces"
	if got, want := p.Beyond(Of(c, "")), []string{`writing below "/srv/traces"`, "connecting to any TCP port"}; !slices.Equal(got, want) {
		t.Errorf("missing: %q, want %q", got, want)
	}
}

// The URL of a store names a folder without its settings, and files that are read at each connection.
func TestWhatAStoreNeeds(t *testing.T) {
	for store, want := range map[string]Paths{
		"file:///var/lib/vit%72ine?budget=1":  {Write: []string{"/var/lib/vitrine"}},
		"file:/srv/s?sync=true":               {Write: []string{"/srv/s"}},
		"nats://h/b?ca=/c.pem&credentials=/d": {Read: []string{"/c.pem", "/d"}, AnyConnect: true},
		"rediss://h:6379?ca=/c.pem":           {Read: []string{"/c.pem"}, AnyConnect: true},
		"":                                    {},
	} {
		var c config.Config
		c.Sessions.Store = store
		got := Of(c, "")
		if !slices.Equal(got.Write, want.Write) || got.AnyConnect != want.AnyConnect || slices.ContainsFunc(want.Read, func(f string) bool { return !slices.Contains(got.Read, f) }) {
			t.Errorf("%q: %+v", store, got)
		}
	}
}

// Certbot's certificates are links into another folder, and change by other links.
func TestLinksAreFollowed(t *testing.T) {
	live, archive := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(archive, "key1.pem"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(archive, "key1.pem"), filepath.Join(live, "key.pem")); err != nil {
		t.Skip("links cannot be made here:", err)
	}
	real, err := filepath.EvalSymlinks(archive)
	if err != nil {
		t.Fatal(err)
	}
	if got := (Paths{Read: []string{filepath.Join(live, "key.pem")}}).folders(); !slices.Contains(got, live) || !slices.Contains(got, real) {
		t.Errorf("opened: %v, want %s and %s", got, live, real)
	}
}

func TestUnknownWordsAreRefused(t *testing.T) {
	for _, c := range []config.Process{{Sandbox: "maybe"}, {Keys: "safe", Sandbox: "off"}} {
		if _, err := Apply(c, Paths{}); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}

// FTP's data connections are on ports of their own.
func TestPathsOfFTP(t *testing.T) {
	for _, protocol := range []string{"ftp", "ftps"} {
		p := Of(config.Config{Listeners: []config.Listener{{StartTLS: protocol, FTP: &config.FTP{FirstPort: 40000, LastPort: 40002}}}}, "")
		if want := []uint16{0, 40000, 40001, 40002}; !slices.Equal(p.Bind, want) || !p.AnyConnect {
			t.Errorf("%s: %v, %v", protocol, p.Bind, p.AnyConnect)
		}
	}
}
