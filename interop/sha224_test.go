package interop

import (
	"context"
	"crypto/tls"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	vitrine "github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// TestSHA224 has OpenSSL sign over SHA-224, as a server and as a client, which is taken
// behind Legacy.SHA224Signatures alone.
func TestSHA224(t *testing.T) {
	programs.SkipIfOff(t)
	need(t, openssl.missing(), openssl.Package)
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []keyType{keyRSA, keyP256} {
		for _, on := range []bool{false, true} {
			config := func() *vitrine.Config {
				c := &vitrine.Config{RootCAs: material.pool, ClientCAs: material.pool, ServerName: serverName, MaxVersion: vitrine.VersionTLS12}
				c.Legacy.SHA224Signatures = on
				if on { // else OpenSSL would choose another
					c.SignatureSchemes = []vitrine.SignatureScheme{vitrine.PKCS1WithSHA224, vitrine.ECDSAWithSHA224}
				}
				return c
			}
			t.Run("client/"+string(key)+yes(on), func(t *testing.T) {
				signedBy(t, on, sha224Client(t, material, key, config()))
			})
			t.Run("server/"+string(key)+yes(on), func(t *testing.T) {
				c := config()
				c.ClientAuth, c.Certificates = vitrine.RequireAndVerifyClientCert, []tls.Certificate{material.certs[keyRSA]}
				signedBy(t, on, sha224Server(t, material, key, c))
			})
		}
	}
}

// signedBy wants a signature over SHA-224 where it is on, and a failure elsewhere.
func signedBy(t *testing.T, on bool, got wire.SignatureScheme) {
	t.Helper()
	if name := got.String(); on && !strings.HasSuffix(name, "_sha224") || !on && got != 0 {
		t.Errorf("signed by %v", got)
	}
}

// sha224Client connects to s_server, and returns what that signed with; 0 where the
// handshake failed.
func sha224Client(t *testing.T, material *pki, key keyType, config *vitrine.Config) wire.SignatureScheme {
	cmd := exec.CommandContext(t.Context(), "openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-tls1_2", "-cipher", "DEFAULT:@SECLEVEL=0",
		"-sigalgs", "RSA+SHA224:ECDSA+SHA224", "-cert", material.certFile(key), "-key", material.keyFile(key))
	_, port := startServer(t, cmd)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	conn := vitrine.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		t.Log(err)
		return 0
	}
	return conn.State().ServerSignature
}

// sha224Server has s_client connect with a certificate likewise.
func sha224Server(t *testing.T, material *pki, key keyType, config *vitrine.Config) wire.SignatureScheme {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	cmd := exec.CommandContext(t.Context(), "openssl", "s_client", "-connect", listener.Addr().String(), "-tls1_2", "-cipher", "DEFAULT:@SECLEVEL=0",
		"-sigalgs", "RSA+SHA256:ECDSA+SHA256", "-client_sigalgs", "RSA+SHA224:ECDSA+SHA224", "-cert", material.certFile(key), "-key", material.keyFile(key))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
	}()
	raw, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn := vitrine.Server(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		t.Log(err)
		return 0
	}
	return conn.State().ClientSignature
}
