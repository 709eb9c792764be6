package diagnose_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"testing"

	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

func init() { calls = append(calls, connectionCalls...) }

// breaksOff is a server that takes a hello, and closes in the middle of its answer where it
// dislikes something.
func breaksOff(version uint16, dislikes func(*heard) bool) func(*street, *pki, *tls.Config, *tls.Config, *diagnose.Way) string {
	return func(s *street, _ *pki, client, server *tls.Config, way *diagnose.Way) string {
		client.MaxVersion, way.HTTP = version, true
		return s.open(func(conn net.Conn) {
			h, raw, err := listen(conn)
			if err != nil {
				return
			}
			from := io.MultiReader(bytes.NewReader(raw), conn)
			switch {
			case !dislikes(h):
				serve(&primed{conn, from}, server)
			case h.offers13():
				left := 400 // behind the ServerHello
				if h.offers(wire.GroupX25519MLKEM768) {
					left += 1100 // its key share
				}
				serve(&cutting{Conn: conn, left: left, in: from}, server)
			default:
				unheard(conn, raw, server)
			}
		})
	}
}

// unheard answers a hello of TLS 1.2, and returns when the client says more.
func unheard(conn net.Conn, raw []byte, server *tls.Config) {
	serve(&cutting{Conn: open{conn}, left: 1 << 20, in: bytes.NewReader(raw)}, server)
	conn.Read(make([]byte, 1))
}

// open is a connection that its server does not close.
type open struct{ net.Conn }

func (open) Close() error { return nil }

// hangsUp is a server that asks for a certificate, and closes without an alert where it does
// not like what comes.
func hangsUp(version uint16, show bool, likes func(shown int) bool) func(*street, *pki, *tls.Config, *tls.Config, *diagnose.Way) string {
	return func(s *street, p *pki, client, server *tls.Config, way *diagnose.Way) string {
		client.MaxVersion, way.HTTP = version, true
		if show {
			client.Certificates = certificates(p.leaf(purpose(x509.ExtKeyUsageClientAuth)))
		}
		server.ClientAuth = tls.RequestClientCert
		return s.open(func(conn net.Conn) {
			own := server.Clone()
			own.VerifyConnection = func(state tls.ConnectionState) error {
				if likes(len(state.PeerCertificates)) {
					return nil
				}
				conn.Close()
				return errors.New("hung up")
			}
			serve(conn, own)
		})
	}
}

func some(shown int) bool { return shown > 0 }

func none(shown int) bool { return shown == 0 }

func has(e wire.ExtensionType) func(*heard) bool {
	return func(h *heard) bool { return h.Extensions.Has(e) }
}

var connectionCalls = []call{
	{"hangs up where no client certificate comes", hangsUp(tls.VersionTLS12, false, some), "client-certificate-missing", diagnose.Certain, diagnose.Client},
	{"hangs up where no client certificate comes, in TLS 1.3", hangsUp(tls.VersionTLS13, false, some), "client-certificate-missing", diagnose.Certain, diagnose.Client},
	{"hangs up where a client certificate comes", hangsUp(tls.VersionTLS12, true, none), "client-certificate-refused", diagnose.Likely, ""},
	{"hangs up where a client certificate comes, in TLS 1.3", hangsUp(tls.VersionTLS13, true, none), "client-certificate-refused", diagnose.Likely, ""},
	{"sends no reason where no client certificate comes", func(s *street, p *pki, client, server *tls.Config, _ *diagnose.Way) string {
		askClient(p, &scene{client, server})
		client.MaxVersion = tls.VersionTLS12 // whose servers send handshake_failure, which has many reasons
		return s.minds(func(*heard) bool { return false }, nil, server)
	}, "client-certificate-missing", diagnose.Certain, diagnose.Client},
	{"hangs up whatever comes", hangsUp(tls.VersionTLS12, false, func(int) bool { return false }), "client-certificate-missing", diagnose.Likely, ""},
	{"breaks off with extended master secret", breaksOff(tls.VersionTLS12, has(wire.ExtExtendedMasterSecret)), "extension-intolerant", diagnose.Likely, diagnose.Server},
	{"breaks off with tickets", func(s *street, p *pki, client, server *tls.Config, way *diagnose.Way) string {
		client.ClientSessionCache = tls.NewLRUClientSessionCache(4)
		return breaksOff(tls.VersionTLS12, has(wire.ExtSessionTicket))(s, p, client, server, way)
	}, "extension-intolerant", diagnose.Likely, diagnose.Server},
	{"breaks off with ALPN", func(s *street, p *pki, client, server *tls.Config, way *diagnose.Way) string {
		client.NextProtos, server.NextProtos = []string{"h2"}, []string{"h2"}
		return breaksOff(tls.VersionTLS12, has(wire.ExtALPN))(s, p, client, server, way)
	}, "extension-intolerant", diagnose.Likely, diagnose.Server},
	{"breaks off with hybrid key exchange", breaksOff(tls.VersionTLS13, func(h *heard) bool { return h.offers(wire.GroupX25519MLKEM768) }), "hybrid-intolerant", diagnose.Likely, diagnose.Server},
	{"breaks off in TLS 1.3", breaksOff(tls.VersionTLS13, (*heard).offers13), "version-intolerant", diagnose.Likely, diagnose.Server},
	{"breaks off where it is to resume a session", func(s *street, p *pki, client, server *tls.Config, way *diagnose.Way) string {
		client.ClientSessionCache = tls.NewLRUClientSessionCache(4)
		address := breaksOff(tls.VersionTLS12, hasTicket)(s, p, client, server, way)
		raw, err := net.Dial("tcp", address)
		if err != nil {
			p.t.Fatal(err)
		}
		conn := tls.Client(raw, client)
		io.WriteString(conn, "GET / HTTP/1.1\r\n\r\n")
		io.Copy(io.Discard, conn)
		conn.Close()
		return address
	}, "resumption-intolerant", diagnose.Likely, diagnose.Server},
	{"a fleet of which one breaks off", func(s *street, p *pki, client, server *tls.Config, way *diagnose.Way) string {
		return breaksOff(tls.VersionTLS13, func(*heard) bool { return s.count() == 1 })(s, p, client, server, way)
	}, "intermittent", diagnose.Likely, diagnose.Server},
}

// A certificate that is made for a trial is shown where the server was verified, and nothing else of ours is.
func TestTrialsWithACertificateShowNotOurs(t *testing.T) {
	p := newPKI(t)
	scene := ordinary(p)
	s := newStreet(t)
	var way diagnose.Way
	address := hangsUp(tls.VersionTLS12, false, some)(s, p, scene.client, scene.server, &way)
	scene.client.RootCAs = newPKI(t).trust()
	v := visit(t, scene.client, way, address)
	judge(t, v, "untrusted-root", "", "")
	for _, trial := range v.Trials {
		if trial.Asks == "with a client certificate that was made for this trial" {
			t.Errorf("it is shown to a server that nobody knows")
		}
	}
}
