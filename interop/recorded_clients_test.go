package interop

import (
	"context"
	"crypto/tls"
	"flag"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/wire"
)

var record = flag.Bool("record", false, "print how the clients on this machine greet, as scan/clients.txt has it")

// greeters are programs whose hello is in scan/clients.txt: what says their version, and how
// they connect to PORT of localhost.
var greeters = []struct {
	name    string
	version []string
	connect []string
}{
	{"OpenSSL", []string{"openssl", "version"}, []string{"openssl", "s_client", "-connect", "localhost:PORT", "-servername", "localhost"}},
	{"GnuTLS", []string{"gnutls-cli", "--version"}, []string{"gnutls-cli", "--insecure", "-p", "PORT", "localhost"}},
	{"curl", []string{"curl", "--version"}, []string{"curl", "-sk", "--noproxy", "*", "https://localhost:PORT/"}},
	{"Node", []string{"node", "--version"}, []string{"node", "-e", "require('https').get({port: PORT, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false}).on('error', () => {})"}},
	{"Java", []string{"java", "-version"}, []string{"keytool", "-printcert", "-sslserver", "localhost:PORT"}},
	{"Python", []string{"python3", "--version"}, []string{"python3", "-c", "import urllib.request; urllib.request.urlopen('https://localhost:PORT/')"}},
	{"Chromium", []string{"chromium", "--version"}, []string{"chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--user-data-dir=DIR", "--dump-dom", "https://localhost:PORT/"}},
}

// The clients that a scan plays greet as the programs do, of the same version, that are here.
func TestRecordedClients(t *testing.T) {
	programs.SkipIfOff(t)
	have := map[string]*scan.Client{}
	for _, c := range scan.Clients() {
		have[c.Name] = &c
	}
	check := func(t *testing.T, name string, hello *wire.ClientHello) {
		now := scan.ClientOf(name, hello)
		if *record {
			t.Logf("\n%s", now)
			return
		}
		if was := have[name]; was == nil {
			t.Skipf("no hello of %s is recorded", name)
		} else if was.String() != now.String() {
			t.Errorf("it is recorded as\n%s\nand greets with\n%s", was, now)
		}
	}
	for _, p := range greeters {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			for _, program := range []string{p.version[0], p.connect[0]} {
				if _, err := exec.LookPath(program); err != nil {
					t.Skip(err)
				}
			}
			said, _ := exec.Command(p.version[0], p.version[1:]...).CombinedOutput()
			number := regexp.MustCompile(`\d+(\.\d+)+`).Find(said)
			if number == nil {
				t.Fatalf("it does not say its version: %s", said)
			}
			dir, err := os.MkdirTemp("", "vitrine-client-")
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir) // a browser's children may still write to it
			check(t, p.name+" "+string(number), heardFrom(t, func(ctx context.Context, port string) {
				place := strings.NewReplacer("PORT", port, "DIR", dir)
				var args []string
				for _, a := range p.connect[1:] {
					args = append(args, place.Replace(a))
				}
				cmd := exec.CommandContext(ctx, p.connect[0], args...)
				cmd.Env = append(os.Environ(), "HOME="+dir)
				_ = cmd.Run() // it is hung up on
			}))
		})
	}
	t.Run("Go", func(t *testing.T) {
		check(t, "Go "+strings.TrimPrefix(runtime.Version(), "go"), heardFrom(t, func(_ context.Context, port string) {
			if conn, err := tls.Dial("tcp", "localhost:"+port, nil); err == nil {
				conn.Close()
			}
		}))
	})
}

// heardFrom has a client connect, and returns its hello.
func heardFrom(t *testing.T, connect func(ctx context.Context, port string)) *wire.ClientHello {
	t.Helper()
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	done := make(chan struct{})
	go func() {
		defer close(done)
		connect(ctx, port)
	}()
	defer func() { l.Close(); cancel(); <-done }()
	l.(*net.TCPListener).SetDeadline(time.Now().Add(time.Minute))
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	message, err := helloIn(conn)
	if err != nil {
		t.Fatal(err)
	}
	h := new(wire.ClientHello)
	if err := wire.Decode(h, message[wire.HeaderLen:], wire.Context{}, nil); err != nil {
		t.Fatal(err)
	}
	return h
}

// helloIn reads the first message of handshake records.
func helloIn(r io.Reader) (message []byte, err error) {
	for {
		header := make([]byte, 5)
		if _, err := io.ReadFull(r, header); err != nil {
			return nil, err
		}
		body := make([]byte, int(header[3])<<8|int(header[4]))
		if _, err := io.ReadFull(r, body); err != nil {
			return nil, err
		}
		message = append(message, body...)
		if n := len(message); n >= wire.HeaderLen && n >= wire.HeaderLen+int(message[1])<<16+int(message[2])<<8+int(message[3]) {
			return message, nil
		}
	}
}
