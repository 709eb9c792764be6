package config_test

import (
	"bytes"
	"encoding"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/proxy/config"
)

type words struct{ to *[]string }

func (w words) String() string     { return "" }
func (w words) Set(s string) error { *w.to = append(*w.to, s); return nil }

type list struct{ to *config.List }

func (l list) String() string     { return "" }
func (l list) Set(s string) error { *l.to = strings.Split(s, ","); return nil }

// parseFlags reads arguments as the command does.
func parseFlags(t *testing.T, args []string) *config.Flags {
	t.Helper()
	f := &config.Flags{}
	set := flag.NewFlagSet("proxy", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	for _, one := range f.All() {
		switch v := one.Value.(type) {
		case *[]string:
			set.Var(words{v}, one.Name, "")
		case *config.List:
			set.Var(list{v}, one.Name, "")
		case *string:
			set.StringVar(v, one.Name, "", "")
		case *bool:
			set.BoolVar(v, one.Name, false, "")
		case *int:
			set.IntVar(v, one.Name, 0, "")
		case *float64:
			set.Float64Var(v, one.Name, 0, "")
		case encoding.TextUnmarshaler:
			set.TextVar(v, one.Name, v.(encoding.TextMarshaler), "")
		default:
			t.Fatalf("--%s is a %T", one.Name, v)
		}
	}
	if err := set.Parse(args); err != nil || set.NArg() > 0 {
		t.Fatalf("%q: %v", args, err)
	}
	return f
}

// The common cases, each as flags: they are a configuration, which is good, is written and
// read in YAML, and is the same flags again.
var cases = []string{
	"--listen :443 --target 127.0.0.1:8080 --cert chain.pem --key key.pem",
	"--listen :443 --listen unix:/run/tls.sock --target 10.0.0.1:80 --target 10.0.0.2:80 --cert both.pem --balance least-connections --health 5s --health-timeout 1s --health-path /healthz --connect-timeout 2s",
	"--listen :443 --target 127.0.0.1:80 --cert ecdsa.pem --cert rsa.pem --key ecdsa.key --key rsa.key --alpn h2,http/1.1 --min tls1.3 --groups x25519,p256",
	"--listen 127.0.0.1:25 --target mail.example.com:465 --client --ca ca.pem --cert client.pem --key client.key --max tls1.2 --sni mx.example.com",
	"--listen :443 --target app:443 --target-tls --insecure --mode http --cert chain.pem --client-ca ca.pem --client-cert-header leaf",
	"--listen 127.0.0.1:587 --target mail.example.com:587 --client --starttls smtp",
	"--listen :443 --target api.example.com:443 --target-tls --cert chain.pem --pin sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= --target-cert client.pem --target-key client.key --proxy-protocol v2-tls",
	"--listen :443 --passthrough a.example.com,*.b.example.com=10.0.0.1:443 --passthrough c.example.com=10.0.0.2:443,10.0.0.3:443",
	"--listen :443 --target 127.0.0.1:80 --route a.example.com=10.0.0.1:80 --passthrough c.example.com=10.0.0.2:443 --cert chain.pem",
	"--listen :443 --target 127.0.0.1:80 --cert chain.pem --client-ca ca.pem --allow dns:api.example.com --allow cel:cn==\"a,b\" --revocation hard --crl list.crl",
	"--listen :443 --target 127.0.0.1:80 --cert chain.pem --client-ca ca.pem --client-auth request",
	"--listen :443 --target 127.0.0.1:80 --psk-file keys --max tls1.2",
	"--listen :443 --mode http --target 127.0.0.1:80 --pkcs12 both.p12 --password-file secret --forwarded-from 10.0.0.0/8,192.0.2.1 --hsts 8760h --hsts-subdomains --hsts-preload --early-data --target-host --body-rate 1KiB",
	"--listen :443 --target 127.0.0.1:80 --cert chain.pem --ech-key new.pem --ech-key old.pem",
	"--listen :443 --mode http --target 127.0.0.1:80 --acme a.example.com,b.example.com --acme-email a@example.com --acme-storage /var/lib/acme --agree-terms --acme-challenge http-01 --acme-listen :80 --no-stapling --acme-ca ca.pem --acme-directory https://acme.test/dir",
	"--listen systemd:mail --starttls imap --target unix:/run/imap.sock --development localhost,127.0.0.1 --accept-proxy 10.0.0.0/8",
	"--listen :443 --target 127.0.0.1:80 --cert chain.pem --max-connections 500 --max-per-address 10 --max-handshakes 8 --handshake-timeout 5s --idle-timeout 5m --memory 1GiB --session-store redis://10.0.0.1:6379 --session-key-file fleet.key --session-timeout 10ms --single-use --session-ids --ticket-rotation 1h",
	"--listen :443 --target 127.0.0.1:80 --cert chain.pem --metrics 127.0.0.1:9090 --pprof --otlp http://127.0.0.1:4318 --log-format json --log-level warn --log-connections --trace-sample 0.01 --trace-failures --trace-dir traces --user web --group web --sandbox require --keys locked --grace 1m --handover /run/v.sock",
	"--listen :443 --target 127.0.0.1:80 --cert chain.pem --suites TLS_RSA_WITH_AES_128_GCM_SHA256 --legacy rsa-key-exchange --sigalgs all",
}

func TestFlagsAndBack(t *testing.T) {
	for _, line := range cases {
		args := strings.Fields(line)
		c, err := parseFlags(t, args).Config()
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if err := config.Check(c).Err(); err != nil {
			t.Errorf("%s:\n%v", line, err)
		}
		text, err := config.Write(c)
		if err != nil {
			t.Fatal(err)
		}
		again := mustParse(t, string(text))
		if same, _ := config.Write(again); !bytes.Equal(same, text) {
			t.Errorf("%s\nis\n%s, and then\n%s", line, text, same)
		}
		back, err := config.FlagsOf(again)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if third, err := parseFlags(t, back).Config(); err != nil {
			t.Errorf("%q: %v", back, err)
		} else if same, _ := config.Write(third); !bytes.Equal(same, text) {
			t.Errorf("%s\nbecomes %q, which is\n%s, not\n%s", line, back, same, text)
		}
		slices.Sort(args)
		slices.Sort(back)
		for _, arg := range args {
			if i, ok := slices.BinarySearch(back, arg); ok {
				back = slices.Delete(back, i, i+1)
			} else if arg != "--cert" {
				t.Errorf("%s\nhas lost %s", line, arg)
			}
		}
		if len(back) > 0 {
			t.Errorf("%s\nhas got %q", line, back)
		}
	}
}

// Each flag is in a case, so that each is proven to go there and back.
func TestEveryFlagIsTried(t *testing.T) {
	all := strings.Join(cases, " ") + " "
	for _, one := range new(config.Flags).All() {
		if !strings.Contains(all, "--"+one.Name+" ") {
			t.Errorf("no case has --%s", one.Name)
		}
	}
}

// A flag that does nothing beside the others is an error, not a silence.
func TestFlagsThatDoNothing(t *testing.T) {
	const least = "--listen :443 --target 127.0.0.1:80 "
	for more, want := range map[string]string{
		"--cert a.pem --ca ca.pem":                                        "--ca does nothing beside the other flags; add --target-tls or --client",
		"--cert a.pem --sni a.example.com":                                "--sni does nothing",
		"--cert a.pem --insecure":                                         "--insecure does nothing",
		"--cert a.pem --hsts 1h":                                          "--hsts does nothing beside the other flags; add --mode http",
		"--cert a.pem --acme-email a@example.com":                         "--acme-email does nothing beside the other flags; add --acme NAMES",
		"--cert a.pem --health-path /":                                    "add --health TIME",
		"--cert a.pem --password-file x":                                  "add --pkcs12 FILE",
		"--client --client-ca ca.pem":                                     "--client-ca does nothing",
		"--client --cert a.pem --cert b.pem":                              "--cert does nothing",
		"--client --target-tls":                                           "--target-tls does nothing",
		"--client --psk-file keys":                                        "--psk-file does nothing",
		"--client --pkcs12 both.p12":                                      "--pkcs12 does nothing",
		"--cert a.pem --target-cert b.pem":                                "--target-cert does nothing",
		"--cert a.pem --cert b.pem --key a.key":                           "one --key for each --cert",
		"--key a.key":                                                     "one --key for each --cert",
		"--cert a.pem --route example.com":                                "is not NAMES=ADDRESSES",
		"--cert a.pem --key a.pem":                                        "",
		"--cert a.pem --client-ca ca.pem --client-auth require":           "",
		"--cert a.pem --mode tcp --log-format text --balance round-robin": "",
	} {
		_, err := parseFlags(t, strings.Fields(least+more)).Config()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", more, err)
		}
	}
}

// What flags cannot say is named.
func TestWhatFlagsCannotSay(t *testing.T) {
	whole, err := os.ReadFile("testdata/whole.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const first = "listeners: [{listen: [':443'], tls: {certificates: [{cert: a.pem}]}, target: web}]\ntargets: {web: {addresses: ['a:1']}}\n"
	for text, want := range map[string]string{
		string(whole): "flags cannot say listeners[0]",
		strings.Replace(first, "}]\n", "}, {listen: [':80'], target: web}]\n", 1):                                        "listeners[1]",
		strings.Replace(first, "'a:1']", "'a:1'], health: {fall: 3}", 1):                                                 "targets.target.health.fall",
		strings.Replace(first, "}}\n", "}, api: {addresses: ['b:1']}}\n", 1):                                             "targets.api",
		strings.Replace(first, "}}\n", "}, target: {addresses: ['b:1']}}\n", 1):                                          "targets.target",
		strings.Replace(first, "target: web}]", "routes: [{alpn: [h2], target: web}], target: web}]", 1):                 "a route without names",
		strings.Replace(first, "target: web}]", "routes: [{names: [a.b], allow: [all], target: web}], target: web}]", 1): "listeners[0].routes[0].allow",
		strings.Replace(first, "{cert: a.pem}", "{development: [localhost]}, {cert: a.pem}", 1):                          "certificates[0]",
		strings.Replace(first, "tls: {certificates: [{cert: a.pem}]}, ", "", 1):                                          "listeners[0].tls",
		strings.Replace(first, "'a:1']", "'a:1'], tls: {min: tls1.3}", 1):                                                "targets.target.tls.min",
		strings.Replace(first, "[{cert: a.pem}]", "[{cert: a.pem}], alpn: ['a,b']", 1):                                   "--alpn cannot say a value with a comma",
	} {
		c, err := config.Parse([]byte(text), "proxy.yaml")
		if err != nil {
			if want != "" {
				t.Error(err)
			}
			continue
		}
		if args, err := config.FlagsOf(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v; want %s", text, args, err, want)
		}
	}
}

func TestFlagOf(t *testing.T) {
	f := config.Flags{Listen: []string{":443"}, Cert: []string{"x.pem"}, Target: []string{":80"}, Passthrough: []string{"a.test=10.0.0.1:443"}, Route: []string{"b.test=10.0.0.2:443"}}
	c, err := f.Config()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"listeners[0].listen[1]": "--listen", "listeners[0].tls.min": "--min", "targets.target.tls.min": "--min", "targets.target.addresses[0]": "--target",
		"listeners[0].routes[0].names[1]": "--passthrough", "targets.route-1.addresses[0]": "--passthrough", "listeners[0].routes[1].names[0]": "--route", "targets.route-2.addresses[0]": "--route",
		"listeners[0].tls.certificates[0].acme.names[2]": "--acme", "process.user": "--user", "targets.target.health.fall": "targets.target.health.fall",
	} {
		if got := c.FlagOf(path); got != want {
			t.Errorf("%s is of %s, want %s", path, got, want)
		}
	}
}

// --target-tls is for the targets for which TLS is opened.
func TestTargetTLSBesidePassthrough(t *testing.T) {
	f := config.Flags{Listen: []string{":443"}, Cert: []string{"x.pem"}, Passthrough: []string{"a.test=10.0.0.1:443"}, Route: []string{"b.test=10.0.0.2:443"}, TargetTLS: true}
	c, err := f.Config()
	if err != nil {
		t.Fatal(err)
	}
	if err := config.Check(c).Err(); err != nil {
		t.Error(err)
	}
	for _, r := range c.Listeners[0].Routes {
		if spoken := c.Targets[r.Target].TLS != nil; spoken == r.Passthrough {
			t.Errorf("%v: TLS is spoken: %v", r.Names, spoken)
		}
	}
	if back, err := config.FlagsOf(c); err != nil || !strings.Contains(fmt.Sprint(back), "--target-tls") {
		t.Errorf("%q, %v", back, err)
	}
}
