package interop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
)

const request = "GET / HTTP/1.0\r\n\r\n"

// visitor is a client that asks a server for a page.
type visitor struct {
	program  string
	versions []string // as in the name of the test
	args     func(v *visit, version string) ([]string, error)
}

// visit is what a visitor is told.
type visit struct {
	dir  string
	pki  *pki
	port string
}

var visitors = []visitor{
	{"openssl", []string{"1", "1_1", "1_2", "1_3"}, func(v *visit, version string) ([]string, error) {
		return []string{"s_client", "-connect", "127.0.0.1:" + v.port, "-tls" + version, "-cipher", everything, "-quiet", "-no_ign_eof"}, nil
	}},
	{"gnutls-cli", []string{"1.0", "1.1", "1.2", "1.3"}, func(v *visit, version string) ([]string, error) {
		return []string{"-p", v.port, "127.0.0.1", "--x509cafile", v.pki.caFile(), "--priority", "NORMAL:-VERS-ALL:+VERS-TLS" + version + ":%COMPAT"}, nil
	}},
	{"tstclnt", []string{"tls1.0", "tls1.1", "tls1.2", "tls1.3"}, func(v *visit, version string) ([]string, error) {
		db, err := nssBareDB()
		return []string{"-4", "-h", serverName, "-p", v.port, "-d", db, "-V", version + ":" + version, "-A", filepath.Join(v.dir, "request")}, err
	}},
	{"curl", []string{"1.2", "1.3"}, func(v *visit, version string) ([]string, error) {
		return []string{"-s", "--cacert", v.pki.caFile(), "--tlsv" + version, "--tls-max", version, "https://127.0.0.1:" + v.port + "/"}, nil
	}},
	{"java", []string{"TLSv1.2", "TLSv1.3"}, func(v *visit, version string) ([]string, error) {
		source, err := filepath.Abs(filepath.Join("testdata", "Get.java"))
		return []string{source, v.pki.caFile(), v.port, version}, err
	}},
}

// TestCaptures captures what OpenSSL, GnuTLS, NSS, curl, Java and Chromium say to OpenSSL's
// server, which logs its keys, and has tshark and package capture read it: both must show
// the same connections, JA3 and plaintext.
func TestCaptures(t *testing.T) {
	programs.SkipIfOff(t)
	for _, program := range []string{"tshark", "dumpcap", "openssl"} {
		need(t, (&peer{Programs: []string{program}}).missing(), "tshark openssl")
	}
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	v := &visit{dir: t.TempDir(), pki: material, port: strconv.Itoa(port)}
	tap, err := newCapture(ctx, v.dir, port)
	if errors.Is(err, errNoCapture) && !programs.Required() {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	server, err := start(ctx, v.dir, "openssl", "s_server", "-accept", v.port, "-cert", material.certFile(keyRSA), "-key", material.keyFile(keyRSA),
		"-www", "-cipher", everything, "-keylogfile", tap.keyLog)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.await(ctx, regexp.MustCompile(`ACCEPT`)); err != nil {
		t.Fatal(err)
	}
	visits := v.all(ctx, t)
	if err := tap.stop(ctx, visits); err != nil {
		t.Fatal(err)
	}
	compareVisits(ctx, t, tap, visits)
}

// all lets every visitor ask, and returns how many did.
func (v *visit) all(ctx context.Context, t *testing.T) (visits int) {
	if err := os.WriteFile(filepath.Join(v.dir, "request"), []byte(request), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, who := range visitors {
		if missing := (&peer{Programs: []string{who.program}}).missing(); missing != "" {
			t.Logf("left out: %s is not installed", missing)
			continue
		}
		for _, version := range who.versions {
			args, err := who.args(v, version)
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(ctx, who.program, args...)
			cmd.Dir, cmd.Stdin, cmd.WaitDelay = v.dir, strings.NewReader(request), time.Second
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s, %s: %v\n%s", who.program, version, err, out)
				continue
			}
			visits++
		}
	}
	if chromium.missing() == "" {
		if _, err := chromiumDump(ctx, v.dir, v.pki.caFile(), "https://localhost:"+v.port+"/"); err != nil {
			t.Error(err)
		}
		visits++
	}
	return visits
}

// compareVisits compares what tshark and package capture read, by the client's port.
func compareVisits(ctx context.Context, t *testing.T, tap *tapped, visits int) {
	all, err := readCapture(tap.file, tap.keyLog)
	if err != nil {
		t.Fatal(err)
	}
	ports, err := tap.clients(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < visits || len(all) != len(ports) {
		t.Fatalf("capture finds %d connections, tshark %d, and %d were made", len(all), len(ports), visits)
	}
	streams := 0
	for i := range ports {
		streams = max(streams, i+1)
	}
	decrypted, err := tap.decrypt(ctx, streams)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := tap.fields(ctx, streams)
	if err != nil {
		t.Fatal(err)
	}
	by := map[int]*read{}
	for _, r := range all {
		by[int(r.Client.Port())] = r
	}
	for i, port := range ports {
		r := by[port]
		if r == nil {
			t.Errorf("tshark shows a connection from port %d", port)
			continue
		}
		name := fmt.Sprintf("%v,%v,%s", r.Version, r.Suite, r.JA4)
		t.Run(name, func(t *testing.T) {
			if !bytes.Equal(r.there, decrypted[i].there) || !bytes.Equal(r.back, decrypted[i].back) {
				t.Errorf("capture decrypts %d bytes there and %d back, tshark %d and %d; missing: %q",
					len(r.there), len(r.back), len(decrypted[i].there), len(decrypted[i].back), r.Missing)
			}
			if shown[i].ja3 != r.JA3 {
				t.Errorf("JA3 is %s, and tshark's %s", r.JA3, shown[i].ja3)
			}
			if got, want := strings.Join(r.messages, " "), strings.Join(shown[i].messages, " "); got != want {
				t.Errorf("the messages are of types\n%s, and tshark's\n%s", got, want)
			}
			if r.Gaps+r.Conflicts > 0 {
				t.Errorf("%d gaps, %d conflicts", r.Gaps, r.Conflicts)
			}
		})
	}
}

// clients are the clients' ports, by tshark's numbers of streams.
func (c *tapped) clients(ctx context.Context) (map[int]int, error) {
	out, err := exec.CommandContext(ctx, "tshark", "-r", c.file, "-d", fmt.Sprintf("tcp.port==%d,tls", c.port), "-Y", "tls.handshake.type==1",
		"-T", "fields", "-e", "tcp.stream", "-e", "tcp.srcport").Output()
	if err != nil {
		return nil, err
	}
	ports := map[int]int{}
	for line := range strings.Lines(string(out)) {
		var stream, port int
		if _, err := fmt.Sscan(line, &stream, &port); err != nil {
			return nil, fmt.Errorf("tshark printed %q", line)
		}
		ports[stream] = port
	}
	return ports, nil
}
