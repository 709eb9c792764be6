package diagnose_test

import (
	"context"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/fetch"
	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// A call is a case in which a client calls a server, and may make further connections to find
// out why that failed. build starts what there is, and returns where to call.
type call struct {
	name  string
	build func(s *street, p *pki, client, server *tls.Config, way *diagnose.Way) (address string)
	want  string
	sure  diagnose.Confidence // "" for any
	fault diagnose.Party      // "" for any
}

func always(*heard) bool { return true }

// picky is a server that reacts where it dislikes something.
func picky(dislikes func(*heard) bool, react reaction) func(*street, *pki, *tls.Config, *tls.Config, *diagnose.Way) string {
	return func(s *street, _ *pki, _, server *tls.Config, _ *diagnose.Way) string {
		return s.minds(dislikes, react, server)
	}
}

// silent is a server that says nothing where it dislikes something.
func silent(dislikes func(*heard) bool) func(*street, *pki, *tls.Config, *tls.Config, *diagnose.Way) string {
	return func(s *street, _ *pki, _, server *tls.Config, way *diagnose.Way) string {
		way.Patience = short
		return s.minds(dislikes, keepsSilent, server)
	}
}

// plain is a server that speaks no TLS.
func plain(first, answer string) func(*street, *pki, *tls.Config, *tls.Config, *diagnose.Way) string {
	return func(s *street, _ *pki, _, _ *tls.Config, way *diagnose.Way) string {
		way.Patience = short
		return s.open(func(conn net.Conn) {
			io.WriteString(conn, first)
			b := make([]byte, 4096)
			if n, _ := conn.Read(b); n > 0 && (answer == "" || !strings.HasPrefix(string(b[:n]), "\x16") || first != "") {
				io.WriteString(conn, answer)
			} else if n > 0 {
				<-s.done
			}
		})
	}
}

var calls = []call{
	{"no common suite", func(s *street, _ *pki, client, server *tls.Config, _ *diagnose.Way) string {
		client.MaxVersion, server.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
		client.CipherSuites, server.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}, []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384}
		return s.minds(func(*heard) bool { return false }, nil, server)
	}, "no-common-suite", "", ""},
	{"no common group", func(s *street, _ *pki, client, server *tls.Config, _ *diagnose.Way) string {
		client.CurvePreferences, server.CurvePreferences = []tls.CurveID{tls.X25519}, []tls.CurveID{tls.CurveP384}
		return s.minds(func(*heard) bool { return false }, nil, server)
	}, "no-common-group", "", ""},
	{"no common group in TLS 1.2", func(s *street, _ *pki, client, server *tls.Config, _ *diagnose.Way) string {
		server.MaxVersion = tls.VersionTLS12
		client.CurvePreferences, server.CurvePreferences = []tls.CurveID{tls.X25519}, []tls.CurveID{tls.CurveP384}
		return s.minds(func(*heard) bool { return false }, nil, server)
	}, "no-common-group", "", ""},
	{"no common version, and an alert that does not say so", func(s *street, _ *pki, client, server *tls.Config, _ *diagnose.Way) string {
		client.MaxVersion, server.MinVersion = tls.VersionTLS12, tls.VersionTLS13
		return s.minds(func(h *heard) bool { return !h.offers13() }, alerts(wire.AlertHandshakeFailure), server)
	}, "no-common-version", diagnose.Likely, ""},
	{"no common scheme", func(s *street, _ *pki, client, server *tls.Config, _ *diagnose.Way) string {
		client.SignatureSchemes = []tls.SignatureScheme{tls.PSSWithSHA256}
		return s.minds(func(*heard) bool { return false }, nil, server)
	}, "no-common-scheme", "", ""},
	{"the certificate's key does not fit the suites", func(s *street, _ *pki, client, server *tls.Config, _ *diagnose.Way) string {
		client.MaxVersion = tls.VersionTLS12
		client.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
		return s.minds(func(*heard) bool { return false }, nil, server)
	}, "key-unfit", "", diagnose.Server},
	{"name unknown", picky(func(h *heard) bool { return h.name == "a.test" }, alerts(wire.AlertUnrecognizedName)), "name-unknown", diagnose.Certain, ""},
	{"name unknown, said by nothing but the end", picky(func(h *heard) bool { return h.name == "a.test" }, closes), "name-unknown", "", ""},
	{"name missing", func(s *street, p *pki, client, server *tls.Config, way *diagnose.Way) string {
		client.ServerName, way.Name = "127.0.0.1", "a.test"
		return s.minds(func(h *heard) bool { return h.name == "" }, alerts(wire.AlertHandshakeFailure), server)
	}, "name-missing", diagnose.Certain, diagnose.Client},
	{"TLS on a plain port", plain("", "HTTP/1.1 400 Bad Request\r\n\r\n"), "tls-on-plain-port", diagnose.Certain, ""},
	{"TLS on a plain port that waits for lines", func(s *street, _ *pki, _, _ *tls.Config, way *diagnose.Way) string {
		way.Patience = short
		return s.open(func(conn net.Conn) {
			b := make([]byte, 4096)
			for {
				n, err := conn.Read(b)
				if err != nil {
					return
				}
				if strings.HasPrefix(string(b[:n]), "HEAD ") {
					io.WriteString(conn, "HTTP/1.0 200 OK\r\n\r\n")
					return
				}
			}
		})
	}, "tls-on-plain-port", diagnose.Certain, ""},
	{"STARTTLS forgotten", plain("220 mail.example ESMTP\r\n", ""), "starttls-forgotten", diagnose.Certain, ""},
	{"something that is no TLS", plain("\x00\x01what is this\r\n", ""), "not-tls", diagnose.Likely, ""},
	{"intolerant of versions", picky((*heard).offers13, closes), "version-intolerant", "", ""},
	{"intolerant of an extension", picky(func(h *heard) bool { return h.Extensions.Has(wire.ExtExtendedMasterSecret) }, alerts(wire.AlertDecodeError)), "extension-intolerant", diagnose.Certain, diagnose.Server},
	{"intolerant of a long hello", picky(func(h *heard) bool { return h.length > 512 }, alerts(wire.AlertIllegalParameter)), "large-hello", diagnose.Certain, diagnose.Server},
	{"intolerant of GREASE", func(s *street, _ *pki, client, server *tls.Config, _ *diagnose.Way) string {
		client.GREASE = true
		return s.minds(func(h *heard) bool { return slices.ContainsFunc(h.CipherSuites, wire.IsGREASE) }, alerts(wire.AlertIllegalParameter), server)
	}, "grease-intolerant", diagnose.Certain, diagnose.Server},
	{"intolerant of a divided hello", func(s *street, _ *pki, client, server *tls.Config, _ *diagnose.Way) string {
		client.Record.MaxFragment = 256
		return s.minds(func(h *heard) bool { return h.records > 1 }, alerts(wire.AlertUnexpectedMessage), server)
	}, "split-intolerant", diagnose.Certain, diagnose.Server},
	{"a box drops large hellos", silent(func(h *heard) bool { return h.length > 1200 }), "large-hello", "", diagnose.Middle},
	{"a box drops hybrid hellos", silent(func(h *heard) bool { return h.offers(wire.GroupX25519MLKEM768) }), "hybrid-intolerant", "", ""},
	{"a box resets on a name", picky(func(h *heard) bool { return h.name == "a.test" }, resets), "name-blocked", diagnose.Likely, diagnose.Middle},
	{"a box ends connections and signs anew", func(s *street, p *pki, client, server *tls.Config, _ *diagnose.Way) string {
		box := newPKI(p.t)
		server.GetCertificate = func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
			c := box.leaf(named(h.ServerName))
			return &c, nil
		}
		return s.minds(func(*heard) bool { return false }, nil, server)
	}, "intercepted", "", diagnose.Middle},
	{"an untrusted root, and nobody in between", func(s *street, p *pki, client, server *tls.Config, _ *diagnose.Way) string {
		client.RootCAs = newPKI(p.t).trust()
		return s.minds(func(*heard) bool { return false }, nil, server)
	}, "untrusted-root", "", ""},
	{"an intermediate that can be fetched", func(s *street, p *pki, client, server *tls.Config, way *diagnose.Way) string {
		site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(p.middle.cert.Raw) }))
		p.t.Cleanup(site.Close)
		c := p.leaf(func(c *x509.Certificate) { c.IssuingCertificateURL = []string{site.URL + "/middle.crt"} })
		c.Certificate = c.Certificate[:1]
		server.Certificates, way.Issuers = certificates(c), &fetch.Client{}
		return s.minds(func(*heard) bool { return false }, nil, server)
	}, "chain-incomplete", diagnose.Certain, diagnose.Server},
	{"the client's clock is wrong", func(s *street, p *pki, client, server *tls.Config, way *diagnose.Way) string {
		client.Time = func() time.Time { return time.Now().AddDate(-3, 0, 0) }
		way.HTTP = true
		return s.minds(func(*heard) bool { return false }, nil, server)
	}, "clock-of-client", "", diagnose.Clock},
	{"expired, and the clocks agree", func(s *street, p *pki, client, server *tls.Config, way *diagnose.Way) string {
		server.Certificates = certificates(p.leaf(valid(-72*time.Hour, -48*time.Hour)))
		way.HTTP = true
		return s.minds(func(*heard) bool { return false }, nil, server)
	}, "expired", diagnose.Certain, diagnose.Server},
	{"ticket keys are not shared", func(s *street, p *pki, client, server *tls.Config, way *diagnose.Way) string {
		way.HTTP = true
		other := server.Clone()
		server.SetSessionTicketKeys([][32]byte{{1}})
		other.SetSessionTicketKeys([][32]byte{{2}})
		return s.open(func(conn net.Conn) {
			if s.count()%2 == 0 {
				serve(conn, other)
				return
			}
			serve(conn, server)
		})
	}, "ticket-keys", "", diagnose.Server},
	{"one of several addresses is broken", func(s *street, _ *pki, _, server *tls.Config, way *diagnose.Way) string {
		good, bad := s.minds(func(*heard) bool { return false }, nil, server), s.minds(always, closes, server)
		way.Addresses = []string{bad, good}
		return bad
	}, "address-broken", diagnose.Certain, ""},
	{"IPv6 alone is broken", func(s *street, _ *pki, _, server *tls.Config, way *diagnose.Way) string {
		good, bad := s.minds(func(*heard) bool { return false }, nil, server), s.minds(always, resets, server)
		_, port, _ := net.SplitHostPort(bad)
		way.Addresses = []string{net.JoinHostPort("2001:db8::1", port), good}
		way.Dial = func(ctx context.Context, address string) (net.Conn, error) {
			if address != good {
				address = bad // stands for the address by IPv6
			}
			return new(net.Dialer).DialContext(ctx, "tcp", address)
		}
		return bad
	}, "ipv6-broken", diagnose.Certain, ""},
	{"a fleet of which one is sick", func(s *street, _ *pki, _, server *tls.Config, way *diagnose.Way) string {
		var n atomic.Int32
		return s.minds(func(*heard) bool { return n.Add(1) == 1 }, closes, server)
	}, "intermittent", "", ""},
	{"reset in the middle of the handshake", func(s *street, _ *pki, client, server *tls.Config, _ *diagnose.Way) string {
		client.MaxVersion = tls.VersionTLS12
		return s.open(func(conn net.Conn) {
			if _, raw, err := listen(conn); err == nil {
				unheard(conn, raw, server)
			}
			resets(conn, s)
		})
	}, "reset-midway", diagnose.Likely, ""},
	{"silence", silent(always), "silence", "", ""},
	{"nobody listens", func(s *street, _ *pki, _, _ *tls.Config, _ *diagnose.Way) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			s.t.Fatal(err)
		}
		defer l.Close()
		return l.Addr().String()
	}, "port-closed", diagnose.Certain, ""},
	{"closed without close_notify", func(s *street, _ *pki, _, server *tls.Config, _ *diagnose.Way) string {
		return s.open(func(conn net.Conn) { answerAndCut(conn, server, 5) })
	}, "no-close-notify", diagnose.Certain, diagnose.Server},
	{"a truncated answer", func(s *street, _ *pki, _, server *tls.Config, _ *diagnose.Way) string {
		return s.open(func(conn net.Conn) { answerAndCut(conn, server, 500) })
	}, "truncated", diagnose.Certain, diagnose.Server},
	{"an alert for no reason that shows", picky(always, alerts(wire.AlertInternalError)), "unknown", "", ""},
	{"a close for no reason that shows", picky(always, closes), "unknown", "", ""},
	{"nothing is wrong", func(s *street, _ *pki, _, server *tls.Config, way *diagnose.Way) string {
		way.HTTP = true
		return s.minds(func(*heard) bool { return false }, nil, server)
	}, "nothing", "", ""},
}

// cutting is a connection that is closed once so many bytes were written.
type cutting struct {
	net.Conn
	left int
	in   io.Reader // what is read
}

func (c *cutting) Read(b []byte) (int, error) { return c.in.Read(b) }

func (c *cutting) Write(b []byte) (int, error) {
	n, _ := c.Conn.Write(b[:min(len(b), c.left)])
	if c.left -= n; c.left == 0 {
		c.Conn.Close()
		return n, net.ErrClosed
	}
	return n, nil
}

// answerAndCut answers with five bytes of so many, and closes without close_notify.
func answerAndCut(conn net.Conn, server *tls.Config, length int) {
	c := tls.Server(conn, server)
	if c.Handshake() != nil {
		return
	}
	c.Read(make([]byte, 4096))
	io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: "+strconv.Itoa(length)+"\r\n\r\nhello")
	conn.Close()
}

func TestTrialsTellWhy(t *testing.T) {
	for _, c := range calls {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := newPKI(t)
			scene := ordinary(p)
			var way diagnose.Way
			s := newStreet(t)
			address := c.build(s, p, scene.client, scene.server, &way)
			v := visit(t, scene.client, way, address)
			judge(t, v, c.want, c.sure, c.fault)
			if strings.Contains(v.Sentence, "(0x00") {
				t.Errorf("what the server takes is not known, and yet named: %s", v.Sentence)
			}
			for _, trial := range v.Trials {
				t.Logf("%d %s: %s", trial.Number, trial.Asks, trial.Answer)
			}
		})
	}
}

// A trial that verifies nobody shows no client certificate: who answers may be anybody.
func TestUnverifiedTrialsShowNoCertificate(t *testing.T) {
	p := newPKI(t)
	scene := ordinary(p)
	s := newStreet(t)
	shown := make(chan int, 16) // certificates of a client
	box := newPKI(t)
	scene.server.GetCertificate = func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		c := box.leaf(named(h.ServerName))
		return &c, nil
	}
	scene.server.ClientAuth = tls.RequestClientCert
	scene.server.VerifyConnection = func(state tls.ConnectionState) error {
		shown <- len(state.PeerCertificates)
		return nil
	}
	scene.client.Certificates = certificates(p.leaf(purpose(x509.ExtKeyUsageClientAuth)))
	address := s.minds(func(*heard) bool { return false }, nil, scene.server)
	v := visit(t, scene.client, diagnose.Way{}, address)
	judge(t, v, "intercepted", "", diagnose.Middle)
	select {
	case n := <-shown:
		if n > 0 {
			t.Error("a client certificate was shown to a server that nobody knows")
		}
	case <-time.After(patience):
		t.Error("the trial came to no end at the server")
	}
}
