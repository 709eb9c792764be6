package interop

import (
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/starttls"
	"github.com/vitrine-tls/vitrine/tls"
)

// A failure is a real server, and a client that cannot connect to it.
type failure struct {
	scanRow
	client func(*tls.Config, *pki)
	// causes are the verdicts that are right; all others are wrong.
	causes string
	// hard is set where a verdict that is not certain is all that can be had so far.
	hard bool
}

// guessed is a failure of which the cause is not told for certain.
func (f failure) guessed() failure { f.hard = true; return f }

func failing(r scanRow, causes string, client func(*tls.Config, *pki)) failure {
	return failure{scanRow: r, causes: causes, client: client}
}

func only(version uint16) func(*tls.Config, *pki) {
	return func(c *tls.Config, _ *pki) { c.MinVersion, c.MaxVersion = version, version }
}

// expiredKey makes a certificate of the authority whose time is over.
const expiredKey = "openssl req -newkey rsa:2048 -nodes -keyout {DIR}/e.key -subj /CN=localhost -addext subjectAltName=DNS:localhost -out {DIR}/e.csr 2>/dev/null && " +
	"printf 'subjectAltName=DNS:localhost\\nextendedKeyUsage=serverAuth\\n' > {DIR}/e.ext && " +
	"openssl x509 -req -in {DIR}/e.csr -CA {PKI}/ca.pem -CAkey {PKI}/ca.key -set_serial 77 -days -1 -extfile {DIR}/e.ext -out {DIR}/e.pem 2>/dev/null"

// middle makes an authority below the test's, and a certificate below that.
const middle = "openssl req -newkey rsa:2048 -nodes -keyout {DIR}/m.key -subj /CN=middle -out {DIR}/m.csr 2>/dev/null && " +
	"printf 'basicConstraints=critical,CA:true\\nkeyUsage=keyCertSign,cRLSign\\n' > {DIR}/m.ext && " +
	"openssl x509 -req -in {DIR}/m.csr -CA {PKI}/ca.pem -CAkey {PKI}/ca.key -set_serial 78 -days 1 -extfile {DIR}/m.ext -out {DIR}/m.pem 2>/dev/null && " +
	"openssl req -newkey rsa:2048 -nodes -keyout {DIR}/l.key -subj /CN=localhost -out {DIR}/l.csr 2>/dev/null && " +
	"printf 'subjectAltName=DNS:localhost\\nextendedKeyUsage=serverAuth\\n' > {DIR}/l.ext && " +
	"openssl x509 -req -in {DIR}/l.csr -CA {DIR}/m.pem -CAkey {DIR}/m.key -set_serial 79 -days 1 -extfile {DIR}/l.ext -out {DIR}/l.pem 2>/dev/null"

const selfSigned = "openssl req -x509 -newkey rsa:2048 -nodes -keyout {DIR}/s.key -subj /CN=localhost -addext subjectAltName=DNS:localhost -days 1 -out {DIR}/s.pem 2>/dev/null"

// plainHTTP is a server of HTTP without TLS.
func plainHTTP() scanRow {
	return scanned("Node: plain HTTP", "node", "nodejs", "-e", `require("http").createServer((q, s) => s.end("fine")).listen({PORT}, "127.0.0.1", () => console.log("ready"))`).prints("ready")
}

var failures = []failure{
	failing(ossl("expired", "-cert {DIR}/e.pem -key {DIR}/e.key").with("", "", expiredKey), "expired", nil),
	failing(ossl("self-signed", "-cert {DIR}/s.pem -key {DIR}/s.key").with("", "", selfSigned), "self-signed", nil),
	failing(ossl("the intermediate is missing", "-cert {DIR}/l.pem -key {DIR}/l.key").with("", "", middle), "chain-incomplete", nil).guessed(), // "middle" may be a root
	failing(ossl("an authority that is not known", ""), "untrusted-root chain-incomplete", func(c *tls.Config, p *pki) { c.RootCAs = nil }),
	failing(ossl("another host", ""), "wrong-host", func(c *tls.Config, p *pki) { c.ServerName = "elsewhere.test" }),
	failing(ossl("TLS 1.3 for a client of TLS 1.2", "-tls1_3"), "no-common-version", only(tls.VersionTLS12)),
	failing(ossl("no common suite", "-tls1_2 -cipher ECDHE-RSA-CHACHA20-POLY1305"), "no-common-suite", func(c *tls.Config, _ *pki) {
		c.CipherSuites, c.MaxVersion = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}, tls.VersionTLS12
	}),
	failing(ossl("no common group", "-tls1_3 -groups P-521"), "no-common-group", func(c *tls.Config, _ *pki) { c.CurvePreferences = []tls.CurveID{tls.X25519} }),
	failing(ossl("a certificate is demanded", "-Verify 3 -verify_return_error -CAfile {PKI}/ca.pem -tls1_2"), "client-certificate-missing", nil),
	failing(ossl("a certificate is demanded in TLS 1.3", "-Verify 3 -verify_return_error -CAfile {PKI}/ca.pem -tls1_3"), "client-certificate-missing", nil),
	failing(nginxServer("TLS 1.2 alone", "ssl_protocols TLSv1.2; ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256;").listening(""), "no-common-version", only(tls.VersionTLS13)),
	failing(apacheServer("demands a certificate", "SSLProtocol -all +TLSv1.2\nSSLVerifyClient require\nSSLCACertificateFile {PKI}/ca.pem"), "client-certificate-missing", nil),
	failing(haproxyServer("no common suite", "ssl-min-ver TLSv1.2 ssl-max-ver TLSv1.2 ciphers ECDHE-RSA-AES256-GCM-SHA384"), "no-common-suite", func(c *tls.Config, _ *pki) {
		c.CipherSuites, c.MaxVersion = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}, tls.VersionTLS12
	}),
	failing(gnutlsServer("TLS 1.3 for a client of TLS 1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.3"), "no-common-version", only(tls.VersionTLS12)), // it says handshake_failure
	failing(nssServer("TLS 1.2 for a client of TLS 1.3", "tls1.2:tls1.2", ":C02F"), "no-common-version", only(tls.VersionTLS13)),
	failing(plainHTTP(), "tls-on-plain-port", nil),
	failing(startingAs("Postfix", 0, ""), "nothing", nil), // which closes without close_notify once we have closed
	failing(nodeServer("nothing is wrong", ""), "nothing", nil),
}

// Real servers that a client cannot connect to: what is said to be the cause is the cause.
func TestDiagnose(t *testing.T) {
	programs.SkipIfOff(t)
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range failures {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			at, _ := f.open(ctx, t, material)
			v := f.meet(ctx, at, material)
			right := func(cause string) bool { return slices.Contains(strings.Fields(f.causes), cause) }
			if !right(v.Cause) {
				// A hard one may be missed, but not with certainty.
				if !f.hard || v.Confidence == diagnose.Certain {
					t.Errorf("the cause is %s (%s), not %s: %s; others: %v", v.Cause, v.Confidence, f.causes, v.Sentence, v.Others)
				}
			} else if f.hard {
				t.Errorf("this is told now, and no longer hard")
			}
			if !v.OK() && (v.Sentence == "" || v.Advice == "" || len(v.Evidence) == 0) {
				t.Errorf("it says %+v", v)
			}
			if len(v.Trials) > diagnose.MostTrials {
				t.Errorf("%d further connections were made", len(v.Trials))
			}
		})
	}
}

// meet connects once, and asks why that failed.
func (f *failure) meet(ctx context.Context, at scan.Target, material *pki) *diagnose.Verdict {
	collector := &explain.Collector{}
	config := &tls.Config{ServerName: serverName, RootCAs: material.pool}
	if f.client != nil {
		f.client(config, material)
	}
	dial := func(ctx context.Context, _ string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", at.Address)
		if err != nil || at.StartTLS == "" {
			return conn, err
		}
		if err := starttls.Upgrade(ctx, conn, at.StartTLS, starttls.Options{Host: serverName}); err != nil {
			conn.Close()
			return nil, err
		}
		return conn, nil
	}
	traced := config.Clone()
	traced.Trace = collector.Hooks()
	raw, err := dial(ctx, "")
	if err == nil {
		conn := tls.Client(raw, traced)
		raw.SetDeadline(time.Now().Add(20 * time.Second))
		err = conn.HandshakeContext(ctx)
		if err == nil && at.StartTLS != "" { // nothing to ask for: close, and wait for the server to do so
			if err = conn.CloseWrite(); err == nil {
				_, err = io.Copy(io.Discard, conn)
			}
		} else if err == nil {
			if _, err = io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n"); err == nil {
				_, err = io.Copy(io.Discard, io.LimitReader(conn, 1))
			}
			conn.Close()
		}
		raw.Close()
	}
	account := collector.Connection(explain.About{Err: err})
	return diagnose.Live(ctx, account, diagnose.Also{Err: err}, diagnose.Way{Dial: dial, Config: config, Patience: 10 * time.Second})
}
