package tls

import (
	stdtls "crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// alike are failures for which crypto/tls has a type of its own, by the side that gets it.
var alike = []struct {
	name           string
	set            func(p *pki, client, server *Config)
	then           func(client, server endpoint, wire *memoryConn) // once both are done
	client, server bool
}{
	{name: "an authority that is not trusted", client: true, server: true,
		set: func(_ *pki, c, _ *Config) { c.RootCAs = authority("ecdsa-p256").roots }},
	{name: "another name", client: true, server: true, set: func(_ *pki, c, _ *Config) { c.ServerName = "other.test" }},
	{name: "expired", client: true, server: true, set: func(p *pki, c, s *Config) {
		later := time.Now().Add(2 * time.Hour)
		c.Time = func() time.Time { return later }
		s.Certificates = []Certificate{p.certificate("ecdsa-p256", &x509.Certificate{NotAfter: time.Now().Add(time.Hour)})}
	}},
	{name: "a client without certificate", client: true, set: func(_ *pki, _, s *Config) { s.ClientAuth = RequireAnyClientCert }},
	{name: "a client whose authority is not trusted", client: true, server: true, set: func(p *pki, c, s *Config) {
		s.ClientAuth, s.ClientCAs = RequireAndVerifyClientCert, p.roots
		own := authority("ecdsa-p256").certificate("ecdsa-p256", &x509.Certificate{})
		c.GetClientCertificate = func(*CertificateRequestInfo) (*Certificate, error) { return &own, nil }
	}},
	{name: "no version", client: true, set: func(_ *pki, c, s *Config) { c.MaxVersion, s.MinVersion = VersionTLS12, VersionTLS13 }},
	{name: "no protocol", client: true, set: func(_ *pki, c, s *Config) { c.NextProtos, s.NextProtos = []string{"a"}, []string{"b"} }},
	{name: "a record that does not open", client: true, server: true,
		then: func(_, s endpoint, toServer *memoryConn) {
			toServer.Write(recordOf(wire.ContentApplicationData, make([]byte, 40)))
			s.Read(make([]byte, 1))
		}},
	{name: "what is not TLS", server: true,
		then: func(_, _ endpoint, toServer *memoryConn) {}},
}

// failed is what both ends of a connection say in the end.
func failed(i int, ends func(client, server *Config, a, b net.Conn) (c, s endpoint)) (clientErr, serverErr error) {
	test := alike[i]
	p := testPKI()
	client, server := p.client(), p.server("ecdsa-p256")
	if test.set != nil {
		test.set(p, client, server)
	}
	a, b := memoryPipe()
	if test.name == "what is not TLS" {
		io.WriteString(a, "GET / HTTP/1.1\r\n\r\n")
		_, s := ends(client, server, a, b)
		return nil, s.(interface{ Handshake() error }).Handshake()
	}
	c, s := ends(client, server, a, b)
	clientErr, serverErr = shake(c, s)
	if test.then != nil && clientErr == nil && serverErr == nil {
		test.then(c, s, a)
	}
	if clientErr == nil { // in TLS 1.3 the client learns of it when it reads
		_, clientErr = c.Read(make([]byte, 1))
	}
	if serverErr == nil {
		_, serverErr = s.Read(make([]byte, 1))
	}
	return clientErr, serverErr
}

// Programs ask errors for their types by assertion, and for the words of crypto/tls: an
// error of ours is of the same type, begins with the same words, and goes on with ours.
func TestErrorsAreShapedAsThoseOfCryptoTLS(t *testing.T) {
	ours := func(client, server *Config, a, b net.Conn) (endpoint, endpoint) {
		return Client(a, client), Server(b, server)
	}
	theirs := func(client, server *Config, a, b net.Conn) (endpoint, endpoint) {
		carry := func(c *Config) *stdtls.Config {
			std := toStd(c)
			std.Time, std.GetClientCertificate = c.Time, c.GetClientCertificate
			return std
		}
		return stdtls.Client(a, carry(client)), stdtls.Server(b, carry(server))
	}
	for i, test := range alike {
		for _, version := range bothVersions {
			t.Run(VersionName(version)+"/"+test.name, func(t *testing.T) {
				c, s := failed(i, at2(version, ours))
				stdC, stdS := failed(i, at2(version, theirs))
				if test.client {
					shapedAs(t, c, stdC)
				}
				if test.server {
					shapedAs(t, s, stdS)
				}
			})
		}
	}
}

// at2 restricts both ends to a version, where nothing else is said.
func at2(version uint16, ends func(client, server *Config, a, b net.Conn) (c, s endpoint)) func(client, server *Config, a, b net.Conn) (c, s endpoint) {
	return func(client, server *Config, a, b net.Conn) (c, s endpoint) {
		if client.MaxVersion == server.MinVersion {
			at(version, client, server)
		}
		return ends(client, server, a, b)
	}
}

func shapedAs(t *testing.T, ours, std error) {
	t.Helper()
	if std == nil || ours == nil || std == io.EOF {
		t.Fatalf("ours: %v, crypto/tls's: %v", ours, std)
	}
	words := std.Error()
	y, wrapped := errors.AsType[*net.OpError](std) // in a type of crypto/tls's that has no name
	x, is := ours.(*net.OpError)
	if is != wrapped || is && x.Op != y.Op {
		t.Errorf("%+v, crypto/tls's %+v", x, y)
	}
	if h, _ := errors.AsType[*HandshakeError](ours); is && wrapped { // our alerts say more than bad_certificate
		words = strings.Replace(words, y.Err.Error(), AlertError(h.Alert).Error(), 1)
	} else if reflect.TypeOf(ours) != reflect.TypeOf(std) {
		t.Errorf("ours is a %T, crypto/tls's a %T: %v", ours, std, std)
	}
	if !strings.HasPrefix(ours.Error(), words+": ") {
		t.Errorf("ours says %q, crypto/tls %q", ours, std)
	}
	a, isA := ours.(net.Error)
	b, isB := std.(net.Error)
	if isA != isB || isA && a.Timeout() != b.Timeout() {
		t.Errorf("as a net.Error: %v, crypto/tls's %v", isA, isB)
	}
	if !errors.As(ours, new(RecordHeaderError)) && !errors.As(ours, new(*HandshakeError)) {
		t.Error("there is no HandshakeError inside")
	}
	for _, cause := range []any{new(x509.UnknownAuthorityError), new(x509.HostnameError), new(x509.CertificateInvalidError)} {
		if errors.As(ours, cause) != errors.As(std, cause) {
			t.Errorf("%T is inside only one of them", cause)
		}
	}
}
