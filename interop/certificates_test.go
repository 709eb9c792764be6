package interop

import (
	"bytes"
	"context"
	"crypto/sha256"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/certcompress"
	"github.com/vitrine-tls/vitrine/certcompress/zstd"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	vitrine "github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// shown is a folder with a certificate, its bare keys, and the authority.
type shown struct {
	cert vitrine.Certificate
	ca   *devca.CA
	dir  string
}

func newShown(t *testing.T) *shown {
	t.Helper()
	ca, err := devca.New(serverName)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(devca.Leaf{Names: []string{serverName}})
	if err != nil {
		t.Fatal(err)
	}
	key, err := devca.MarshalKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	s := &shown{cert, ca, t.TempDir()}
	var chain []byte
	for _, der := range cert.Certificate {
		chain = append(chain, block("CERTIFICATE", der)...)
	}
	for name, text := range map[string][]byte{
		"ca.pem": block("CERTIFICATE", ca.Cert.Raw), "leaf.pem": chain, "leaf.key": block("PRIVATE KEY", key),
		"leaf.pub": block("PUBLIC KEY", cert.Leaf.RawSubjectPublicKeyInfo),
	} {
		if err := os.WriteFile(filepath.Join(s.dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// compressions notes by what the certificates that came were compressed.
func compressions(config *vitrine.Config) *[]string {
	var got []string
	config.Trace = &trace.Hooks{Message: func(m trace.Message) {
		if m.Dir == trace.Received && wire.HandshakeType(m.Raw[0]) == wire.TypeCompressedCertificate {
			var c wire.CompressedCertificate
			if wire.Decode(&c, m.Raw[wire.HeaderLen:], m.Context, nil) == nil {
				got = append(got, c.Algorithm.String())
			}
		}
	}}
	return &got
}

// dial shakes hands with a server that a program runs.
func dial(t *testing.T, port string, config *vitrine.Config) *vitrine.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { raw.Close() })
	conn := vitrine.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		t.Fatal(err)
	}
	return conn
}

// welcome has a program connect to a server of ours, and returns the connection and what it said.
func welcome(t *testing.T, config *vitrine.Config, client func(port string) *exec.Cmd) (*vitrine.Conn, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	listener.(*net.TCPListener).SetDeadline(time.Now().Add(30 * time.Second)) // a program that ends at once does not come
	cmd := client(strconv.Itoa(listener.Addr().(*net.TCPAddr).Port))
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	raw, err := listener.Accept()
	if err != nil {
		cmd.Process.Kill()
		cmd.Wait()
		t.Fatalf("%v\n%s", err, said.String())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	conn := vitrine.Server(raw, config)
	err = conn.HandshakeContext(ctx)
	conn.Close()
	cmd.Wait() // its exit says how the connection ended, which is as well here
	if err != nil {
		t.Errorf("%v\n%s", err, said.String())
	}
	return conn, said.String()
}

// OpenSSL takes our certificates compressed, and we its. Debian builds it without brotli, which
// Chromium has.
func TestOpenSSLCompressedCertificates(t *testing.T) {
	openssl := programs.OpenSSL35(t)
	s := newShown(t)
	for _, a := range []certcompress.Algorithm{certcompress.Zlib(), zstd.Algorithm()} {
		t.Run(a.ID.String(), func(t *testing.T) {
			a.Always = true
			config := &vitrine.Config{
				Certificates: []vitrine.Certificate{s.cert}, RootCAs: s.ca.Pool(), ServerName: serverName,
				CertificateCompression: []certcompress.Algorithm{a},
			}
			got := compressions(config)
			cmd := openssl("s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-tls1_3", "-cert", "leaf.pem", "-cert_chain", "leaf.pem", "-key", "leaf.key", "-cert_comp")
			cmd.Dir = s.dir
			_, port := startServer(t, cmd)
			dial(t, port, config).Close()
			if len(*got) != 1 || (*got)[0] != a.ID.String() {
				t.Errorf("s_server compressed by %v", *got)
			}
			sent := 0
			config.Trace = &trace.Hooks{Message: func(m trace.Message) {
				if m.Dir == trace.Sent && wire.HandshakeType(m.Raw[0]) == wire.TypeCompressedCertificate {
					sent++
				}
			}}
			_, said := welcome(t, config, func(port string) *exec.Cmd {
				cmd := openssl("s_client", "-connect", "127.0.0.1:"+port, "-servername", serverName, "-CAfile", "ca.pem", "-verify_return_error")
				cmd.Dir = s.dir
				return cmd
			})
			if sent != 1 || !strings.Contains(said, "Verification: OK") {
				t.Errorf("%d certificates were sent compressed, and s_client says:\n%s", sent, said)
			}
		})
	}
}

// OpenSSL shows a raw public key and takes ours, in both roles. RFC 7250.
func TestOpenSSLRawPublicKeys(t *testing.T) {
	openssl := programs.OpenSSL35(t)
	s := newShown(t)
	pin := sha256.Sum256(s.cert.Leaf.RawSubjectPublicKeyInfo)
	bare := []vitrine.CertificateType{vitrine.CertificateTypeRawPublicKey}
	for _, version := range []string{"-tls1_3", "-tls1_2"} {
		t.Run(version[1:], func(t *testing.T) {
			cmd := openssl("s_server", "-accept", "127.0.0.1:0", "-naccept", "1", version, "-cert", "leaf.pem", "-key", "leaf.key", "-enable_server_rpk")
			cmd.Dir = s.dir
			_, port := startServer(t, cmd)
			client := &vitrine.Config{ServerName: serverName, RawPublicKeys: vitrine.RawPublicKeys{Accept: bare, Pins: [][32]byte{pin}}}
			if key := dial(t, port, client).State().PeerRawPublicKey; key == nil || key.Pin() != pin {
				t.Errorf("s_server showed %v", key)
			}
			server := &vitrine.Config{Certificates: []vitrine.Certificate{s.cert}, RawPublicKeys: vitrine.RawPublicKeys{Show: bare}}
			conn, said := welcome(t, server, func(port string) *exec.Cmd {
				cmd := openssl("s_client", "-connect", "127.0.0.1:"+port, "-servername", serverName, version, "-enable_server_rpk")
				cmd.Dir = s.dir
				return cmd
			})
			if conn.State().ServerCertificateType != vitrine.CertificateTypeRawPublicKey || !strings.Contains(said, "Server raw public key") {
				t.Errorf("s_client was shown %v:\n%s", conn.State().ServerCertificateType, said)
			}
		})
	}
}

// GnuTLS shows a raw public key and takes ours, in both roles. RFC 7250.
func TestGnuTLSRawPublicKeys(t *testing.T) {
	programs.Need(t, "gnutls-cli", "gnutls-bin")
	programs.Need(t, "gnutls-serv", "gnutls-bin")
	s := newShown(t)
	pin := sha256.Sum256(s.cert.Leaf.RawSubjectPublicKeyInfo)
	bare := []vitrine.CertificateType{vitrine.CertificateTypeRawPublicKey}
	const priority = "NORMAL:+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK:-VERS-ALL:"
	for _, version := range []string{"+VERS-TLS1.3", "+VERS-TLS1.2"} {
		t.Run(version, func(t *testing.T) {
			server := &vitrine.Config{Certificates: []vitrine.Certificate{s.cert}, RawPublicKeys: vitrine.RawPublicKeys{Show: bare}}
			conn, said := welcome(t, server, func(port string) *exec.Cmd {
				cmd := exec.Command("gnutls-cli", "--insecure", "--port", port, "--priority", priority+version, serverName)
				cmd.Dir = s.dir
				return cmd
			})
			if conn.State().ServerCertificateType != vitrine.CertificateTypeRawPublicKey {
				t.Errorf("gnutls-cli was shown %v:\n%s", conn.State().ServerCertificateType, said)
			}
			ctx, cancel := context.WithCancel(context.Background())
			r := &run{ctx: ctx, dir: s.dir, peer: gnutls}
			p, port, err := r.startOnPort(gnutlsListening, "gnutls-serv", "--echo", "--disable-client-cert", "--priority", priority+version, "--rawpkkeyfile", "leaf.key", "--rawpkfile", "leaf.pub")
			if err != nil {
				cancel()
				t.Fatal(err)
			}
			t.Cleanup(func() {
				cancel() // by which it is killed
				<-p.done
			})
			client := &vitrine.Config{ServerName: serverName, RawPublicKeys: vitrine.RawPublicKeys{Accept: bare, Pins: [][32]byte{pin}}}
			if key := dial(t, strconv.Itoa(port), client).State().PeerRawPublicKey; key == nil || key.Pin() != pin {
				t.Errorf("gnutls-serv showed %v", key)
			}
		})
	}
}
