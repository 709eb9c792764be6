package scan

import (
	"bufio"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// Each weakness is found in a server that has it, and it alone; and in a sound one none.
func TestWeaknessesAreFoundWhereTheyAre(t *testing.T) {
	tests := []struct {
		id     string
		server broken
	}{
		{"", broken{}},
		{"heartbleed", broken{heartbleed: true}},
		{"ccs-injection", broken{ccs: true}},
		{"ticketbleed", broken{ticketbleed: true}},
		{"robot", broken{robot: true}},
		{"poodle-tls", broken{padding: "ignored"}},
		{"goldendoodle", broken{padding: "told"}},
		{"zombie-poodle", broken{padding: "told of a right MAC"}},
		{"reneg-insecure", broken{renegotiates: true}},
		{"compression", broken{compresses: true}},
	}
	for _, test := range tests {
		t.Run(test.id, func(t *testing.T) {
			t.Parallel()
			r := audited(t, test.server.serve(t), Options{})
			if !r.Offers("TLS 1.2") || len(r.Versions[1].Suites) != 1 {
				t.Fatalf("%+v", r.Versions)
			}
			for _, other := range tests[1:] {
				if got := r.has(other.id); got != (other.id == test.id) {
					t.Errorf("%s: %v", other.id, got)
				}
			}
			for _, c := range r.Weaknesses {
				if c.Found != (c.ID == test.id) && findingKinds[c.ID].title != "" {
					t.Errorf("%s: found %v", c.ID, c.Found)
				}
				if c.Unknown != "" && !c.Found {
					t.Errorf("%s is not known: %s", c.ID, c.Unknown)
				}
			}
			if i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.ID == test.id }); test.id != "" && (i < 0 || len(r.Findings[i].Evidence) == 0) {
				t.Errorf("%s has no evidence", test.id)
			}
		})
	}
}

// Sound servers of others and of ours have none of them.
func TestSoundServersHaveNoWeakness(t *testing.T) {
	servers := map[string]Target{"vitrine": serveTLS(t, whole(t)), "OpenSSL": opensslServer(t, certificate(t, devca.RSA), "-tls1_2", "-cipher", "ALL@SECLEVEL=0")}
	for name, at := range servers {
		t.Run(name, func(t *testing.T) {
			r := audited(t, at, Options{})
			for _, c := range r.Weaknesses {
				if findingKinds[c.ID].title != "" && c.Found && c.ID != "beast" {
					t.Errorf("%s is found", c.ID)
				}
				if c.Unknown != "" {
					t.Errorf("%s is not known: %s", c.ID, c.Unknown)
				}
			}
		})
	}
}

// Early data that is taken twice is found, and taken once it is not.
func TestReplayOfEarlyData(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("no openssl")
	}
	for _, replay := range []bool{true, false} {
		t.Run(fmt.Sprint(replay), func(t *testing.T) {
			t.Parallel() // this server has one connection after the other, and answers none
			args := []string{"-tls1_3", "-early_data"}
			if replay {
				args = append(args, "-no_anti_replay")
			}
			r := audited(t, opensslServer(t, certificate(t, devca.ECDSA), args...), Options{})
			if !r.has("early-data") || r.has("early-data-replay") != replay {
				t.Errorf("%+v", r.Features)
			}
		})
	}
}

// mailServer is one of SMTP that turns to TLS; with the fault it keeps what it has read.
func mailServer(t testing.TB, fault bool) Target {
	config := &tls.Config{Certificates: []tls.Certificate{certificate(t, devca.ECDSA)}}
	at := serve(t, func(raw net.Conn) {
		in := bufio.NewReader(raw)
		fmt.Fprint(raw, "220 mail.example.test ESMTP\r\n")
		for {
			line, err := in.ReadString('\n')
			switch {
			case err != nil:
				return
			case strings.HasPrefix(line, "EHLO"):
				fmt.Fprint(raw, "250-mail.example.test\r\n250 STARTTLS\r\n")
			case strings.HasPrefix(line, "STARTTLS"):
				fmt.Fprint(raw, "220 go on\r\n")
				kept := make([]byte, in.Buffered())
				io.ReadFull(in, kept)
				conn := tls.Server(raw, config)
				if conn.Handshake() != nil {
					return
				}
				if fault && strings.HasPrefix(string(kept), "NOOP") {
					fmt.Fprint(conn, "250 fine\r\n")
				}
				io.Copy(io.Discard, conn)
				return
			}
		}
	})
	at.StartTLS = "smtp"
	return at
}

func TestInjectionBeforeTLS(t *testing.T) {
	for _, fault := range []bool{true, false} {
		r := audited(t, mailServer(t, fault), Options{})
		if r.has("starttls-injection") != fault || !r.Offers("TLS 1.3") || r.HTTP != nil {
			t.Errorf("fault %v: %+v", fault, r.Findings)
		}
	}
}

// A certificate that demands a staple and comes without one.
func TestMustStaple(t *testing.T) {
	cert, err := authority().Issue(devca.Leaf{Names: []string{"example.test"}, MustStaple: true})
	if err != nil {
		t.Fatal(err)
	}
	r := audited(t, serveTLS(t, &tls.Config{Certificates: []tls.Certificate{cert}}), Options{ConfigurationOnly: true})
	if !r.has("must-staple") || !r.Chains[0].MustStaple {
		t.Errorf("%+v", r.Findings)
	}
}

// What a server asks of clients is told.
func TestClientCertificates(t *testing.T) {
	pool := x509.NewCertPool()
	pool.AddCert(authority().Cert)
	for _, v := range []wire.Version{wire.TLS12, wire.TLS13} {
		for mode, required := range map[tls.ClientAuthType]bool{tls.RequireAndVerifyClientCert: true, tls.VerifyClientCertIfGiven: false} {
			config := old(t, v)
			config.ClientAuth, config.ClientCAs = mode, pool
			r := audited(t, serveTLS(t, config), Options{ConfigurationOnly: true})
			if r.Client == nil || r.Client.Required != required || len(r.Client.Authorities) != 1 || len(r.Client.Schemes) == 0 {
				t.Errorf("%v, required %v: %+v", v, required, r.Client)
			}
		}
	}
}
