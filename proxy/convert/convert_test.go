package convert_test

import (
	"crypto/x509"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/proxy/access"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/convert"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

var update = flag.Bool("update", false, "write what is made of testdata anew")

// read reads a file by its ending.
func read(name string, data []byte) (*convert.Result, error) {
	switch {
	case strings.HasSuffix(name, ".args"):
		return convert.Ghostunnel(strings.Fields(string(data)))
	case strings.HasPrefix(filepath.Base(name), "hitch"):
		return convert.Hitch(data)
	}
	return convert.Stunnel(data)
}

// What is made of a file is beside it: the configuration, the notes on what is not in it,
// and what a check says of both.
func TestFiles(t *testing.T) {
	for _, name := range []string{"stunnel.conf", "hitch.conf", "ghostunnel.args", "ghostunnel-client.args"} {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		r, err := read(name, data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		out, err := config.Write(r.Config)
		if err != nil {
			t.Fatal(err)
		}
		c, err := config.Parse(out, name)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		var b strings.Builder
		b.Write(out)
		for _, n := range r.Notes {
			if n.What == "" || n.Remedy == "" {
				t.Errorf("%s: half a note: %+v", name, n)
			}
			fmt.Fprintf(&b, "# %v\n", n)
		}
		for _, p := range config.Check(c, config.Rules(access.CheckRule)) {
			p.Line, p.Column = 0, 0
			fmt.Fprintf(&b, "# check: %v\n", p)
		}
		file := "testdata/" + name + ".want"
		if *update {
			if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(file); err != nil || string(want) != b.String() {
			t.Errorf("%s is now\n%s(%v)", name, b.String(), err)
		}
		if strings.Contains(b.String(), "secret") {
			t.Errorf("%s: a password is repeated", name)
		}
	}
}

// What would let more in than before is refused until somebody decides: a proxy does not
// start with it.
func TestNothingBecomesLessStrict(t *testing.T) {
	for text, name := range map[string]string{
		"[a]\naccept=1\nconnect=2\ncert=c\nCAfile=ca\nverify=3\n":                                                                                                          "stunnel.conf",
		"[a]\naccept=1\nconnect=2\ncert=c\nCAfile=ca\nverifyPeer=yes\n":                                                                                                    "stunnel.conf",
		"[a]\naccept=1\nconnect=2\ncert=c\nCAfile=ca\nverify=2\ncheckEmail=a@b\n":                                                                                          "stunnel.conf",
		"[a]\naccept=1\nconnect=2\ncert=c\nCApath=ca\nverify=2\n":                                                                                                          "stunnel.conf",
		"[a]\nclient=yes\naccept=1\nconnect=b:2\nCAfile=ca\nverify=4\n":                                                                                                    "stunnel.conf",
		"[a]\nclient=yes\naccept=1\nconnect=b:2\nCAfile=ca\nverify=2\ncheckEmail=a@b\n":                                                                                    "stunnel.conf",
		"[a]\naccept=1\nconnect=2\ncert=c\n[b]\nsni=a:b.c\nconnect=3\nCAfile=ca\nverify=2\n":                                                                               "stunnel.conf",
		"[a]\naccept=1\nconnect=2\ncert=c\nCAfile=ca\nverify=2\n[b]\nsni=a:b.c\nconnect=3\nCAfile=other\nverify=2\n":                                                       "stunnel.conf",
		"[a]\naccept=1\nconnect=2\ncert=c\nCAfile=ca\nverify=2\n[b]\nsni=a:b.c\nconnect=3\nCAfile=ca\nCRLfile=r\nverify=2\n":                                               "stunnel.conf",
		"[a]\naccept=1\nconnect=2\ncert=c\nCAfile=ca\nverify=2\nCRLpath=r\n":                                                                                               "stunnel.conf",
		"[a]\naccept=1\nconnect=2\ncert=c\nlibwrap=yes\n":                                                                                                                  "stunnel.conf",
		"[a]\naccept=1\nconnect=2\ncert=c\nPSKsecrets=k\n":                                                                                                                 "stunnel.conf",
		"[a]\naccept=1\nconnect=2\ncert=c\nciphers=ALL\nPSKsecrets=k\n":                                                                                                    "stunnel.conf",
		"[a]\naccept=1\nconnect=2\ncert=c\nident=root\n":                                                                                                                   "stunnel.conf",
		"[a]\nclient=yes\naccept=1\nconnect=b:2\nlibwrap=yes\n":                                                                                                            "stunnel.conf",
		"frontend=\"[*]:1\"\nbackend=\"[::1]:2\"\npem-file=\"c\"\nsni-nomatch-abort=on\n":                                                                                  "hitch.conf",
		"frontend=\"[*]:1\"\nbackend=\"[::1]:2\"\npem-file=\"c\"\nclient-verify=required\n":                                                                                "hitch.conf",
		"frontend = {\nhost=\"*\"\nport=\"1\"\nclient-verify=required\n}\nbackend=\"[::1]:2\"\npem-file=\"c\"\n":                                                           "hitch.conf",
		"frontend = {\nport=\"1\"\nsni-nomatch-abort=on\n}\nbackend=\"[::1]:2\"\npem-file=\"c\"\n":                                                                         "hitch.conf",
		"frontend = {\nport=\"1\"\nclient-verify=required\nclient-verify-ca=ca\n}\nfrontend = {\nport=\"2\"\nclient-verify=none\n}\nbackend=\"[::1]:2\"\npem-file=\"c\"\n": "hitch.conf",
		"frontend = {\nport=\"1\"\nclient-verify=required\nclient-verify-ca=ca\n}\nfrontend=\"[*]:2\"\nbackend=\"[::1]:2\"\npem-file=\"c\"\n":                              "hitch.conf",
		"server --listen :1 --target b:2 --cert c --cacert ca":                                                                                                             ".args",
		"server --listen :1 --target b:2 --cert c --cacert ca --allow-policy p --allow-query q":                                                                            ".args",
		"server --listen :1 --target b:2 --cert c --allow-cn a":                                                                                                            ".args",
		"client --listen :1 --target b:2 --verify-cn a":                                                                                                                    ".args",
		"client --listen :1 --target b:2 --verify-policy a":                                                                                                                ".args",
	} {
		r, err := read(name, []byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if config.Check(r.Config, config.Rules(access.CheckRule)).Err() == nil {
			out, _ := config.Write(r.Config)
			t.Errorf("%s\nis\n%s, with which a proxy starts", text, out)
		}
		if len(r.Notes) == 0 {
			t.Errorf("nothing is said of %s", text)
		}
	}
}

// What an address of hitch demands of clients holds for the listener.
func TestHitchBlock(t *testing.T) {
	r, err := convert.Hitch([]byte("frontend = {\nport=\"1\"\nclient-verify=required\nclient-verify-ca=ca\nclient-verify-crl=l\ntls-protos=TLSv1.3\n}\nbackend=\"[::1]:2\"\npem-file=\"c\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	l := r.Config.Listeners[0]
	if l.TLS.ClientAuth != "require" || l.TLS.ClientCA != "ca" || len(l.TLS.CRL) != 1 || l.TLS.Min != "tls1.3" || len(l.Allow) != 0 {
		t.Errorf("it is %+v, %+v", l, l.TLS)
	}
}

// A block of hitch may stand in one line, or end in its last one.
func TestHitchBlockInALine(t *testing.T) {
	for _, block := range []string{
		`pem-file = { cert = "a # { b.pem" private-key="k.pem" }`, "pem-file = {cert=\"a # { b.pem\"\nprivate-key = k.pem}", "pem-file={\n cert = \"a # { b.pem\" private-key = \"k.pem\"\n}",
	} {
		r, err := convert.Hitch([]byte("frontend = \"[*]:1\"\nbackend=\"[::1]:2\"\n" + block + "\nworkers = 4\n"))
		if err != nil {
			t.Errorf("%s: %v", block, err)
			continue
		}
		if certs := r.Config.Listeners[0].TLS.Certificates; len(certs) != 1 || certs[0].Cert != "a # { b.pem" || certs[0].Key != "k.pem" {
			t.Errorf("%s: %+v", block, certs)
		}
	}
	if r, err := convert.Hitch([]byte("pem-file = { cert }\n")); err == nil {
		t.Errorf("%+v", r.Config)
	}
}

// Services whose names look alike in a target's letters keep targets of their own.
func TestStunnelNames(t *testing.T) {
	long := strings.Repeat("x", 70)
	r, err := convert.Stunnel([]byte("cert = c\n[mail.a]\naccept=1\nconnect=11\n[mail a]\naccept=2\nconnect=12\n[mail-a]\naccept=3\nconnect=13\n[" + long + "]\naccept=4\nconnect=14\n[" + long + "y]\naccept=5\nconnect=15\n[..]\naccept=6\nconnect=16\n[b]\nsni=mail-a:b.test\nconnect=17\n"))
	if err != nil {
		t.Fatal(err)
	}
	c := r.Config
	for i, want := range []string{"mail.a", "mail-a", "mail-a-2", long[:63], long[:61] + "-2", "service"} {
		if l := c.Listeners[i]; l.Target != want || c.Targets[want].Addresses[0] != fmt.Sprintf("localhost:%d", 11+i) {
			t.Errorf("%s: %+v, %+v", want, l, c.Targets[want])
		}
	}
	if routes := c.Listeners[2].Routes; len(routes) != 1 || routes[0].Target != "b" {
		t.Errorf("the service behind [mail-a]: %+v", routes)
	}
	if said := fmt.Sprint(r.Notes); strings.Count(said, "its target is") != 5 {
		t.Error(said)
	}
	if err := config.Check(c, config.Rules(access.CheckRule)).Err(); err != nil {
		t.Error(err)
	}
}

// Where stunnel demands certificates beside pre-shared keys, it lets a client in with either.
func TestStunnelKeyOrCertificate(t *testing.T) {
	ca, err := devca.New("client.example.com")
	if err != nil {
		t.Fatal(err)
	}
	issued, err := ca.Issue(devca.Leaf{Names: []string{"client", "client.example.com"}, Client: true})
	if err != nil {
		t.Fatal(err)
	}
	chain := []*x509.Certificate{issued.Leaf}
	anonymous := tls.State{Version: wire.TLS13}
	key, certificate := anonymous, anonymous
	key.PSKIdentity = "sensor"
	certificate.PeerCertificates, certificate.VerifiedChains = chain, [][]*x509.Certificate{chain}
	for text, want := range map[string]string{
		"requireCert=yes": "key certificate",
		"verifyChain=yes\ncheckHost=client.example.com":   "key certificate",
		"verifyChain=yes\ncheckHost=another.example.com":  "key",
		"verifyChain=yes\ncheckIP=10.0.0.1\nciphers=HIGH": "key",
	} {
		r, err := convert.Stunnel([]byte("[a]\naccept=1\nconnect=2\ncert=c\nCAfile=ca\nPSKsecrets=k\n" + text + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		if err := config.Check(r.Config, config.Rules(access.CheckRule)).Err(); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		l := r.Config.Listeners[0]
		policy, err := access.Parse(l.Allow)
		if err != nil || l.TLS.ClientAuth != "request" || l.TLS.PSKFile != "k" || l.TLS.ClientCA != "ca" || len(l.TLS.Certificates) != 1 {
			t.Fatalf("%s: %+v, %+v, %v", text, l, l.TLS, err)
		}
		var got []string
		for _, who := range []struct {
			name  string
			state tls.State
		}{{"nobody", anonymous}, {"key", key}, {"certificate", certificate}} {
			if _, err := policy.Allow(who.state, nil); err == nil {
				got = append(got, who.name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s lets in %v, not %s", text, got, want)
		}
	}
	r, err := convert.Stunnel([]byte("[a]\naccept=1\nconnect=2\nCAfile=ca\nrequireCert=yes\nPSKsecrets=k\n"))
	if err != nil {
		t.Fatal(err)
	}
	if l := r.Config.Listeners[0]; l.TLS.ClientAuth != "" || l.TLS.ClientCA != "" || len(l.Allow) > 0 || !strings.Contains(fmt.Sprint(r.Notes), `"requireCert=yes" does nothing`) {
		t.Errorf("keys alone: %+v, %+v, %v", l, l.TLS, r.Notes)
	}
}

// Pre-shared keys alone stay alone.
func TestStunnelPSK(t *testing.T) {
	r, err := convert.Stunnel([]byte("cert = c\nciphers = PSK\n[a]\naccept=1\nconnect=2\nPSKsecrets=keys\n"))
	if err != nil {
		t.Fatal(err)
	}
	l := r.Config.Listeners[0]
	if len(l.TLS.Certificates) > 0 || l.TLS.PSKFile != "keys" || len(l.Allow) > 0 {
		t.Errorf("%+v, %+v", l, l.TLS)
	}
}

// Flags of ghostunnel with and without a value.
func TestGhostunnelFlags(t *testing.T) {
	r, err := convert.Ghostunnel(strings.Fields("server --use-landlock --quiet conns --quiet=handshake-errs --listen :1 --target b:2 --cert c --cacert ca --allow-ip 192.0.2.1"))
	if err != nil {
		t.Fatal(err)
	}
	if l := r.Config.Listeners[0]; len(l.Allow) != 1 || l.Allow[0] != "ip:192.0.2.1" || l.Listen[0] != ":1" {
		t.Errorf("%+v, %v", l, r.Notes)
	}
}

// Each option that is not known is named with its line.
func TestWhatIsNotKnown(t *testing.T) {
	for text, name := range map[string]string{
		"[a]\nnovelty = 1\naccept=1\nconnect=2\n": "stunnel.conf", "\nnovelty = 1\nbackend=\"b:2\"\n": "hitch.conf", "server --novelty 1": ".args",
	} {
		r, err := read(name, []byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		said := fmt.Sprint(r.Notes)
		if !strings.Contains(said, "novelty") || name != ".args" && !strings.Contains(said, "2: ") {
			t.Errorf("%s: %s", text, said)
		}
	}
	for text, name := range map[string]string{"hello": "stunnel.conf", "cert = a\n": "stunnel.conf", "frontend = {\n": "hitch.conf", "hello\n": "hitch.conf", "--listen a": ".args", "server what": ".args", "server --listen": ".args"} {
		if _, err := read(name, []byte(text)); err == nil || !strings.Contains(err.Error(), "; ") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzConvert(f *testing.F) {
	for _, name := range []string{"stunnel.conf", "hitch.conf", "ghostunnel.args"} {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, name := range []string{"stunnel.conf", "hitch.conf", ".args"} {
			if r, err := read(name, data); err == nil {
				if _, err := config.Write(r.Config); err != nil {
					t.Error(err)
				}
			}
		}
	})
}
