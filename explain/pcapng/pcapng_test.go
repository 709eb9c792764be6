package pcapng

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/tracefile"
	"github.com/vitrine-tls/vitrine/tracefile/redact"
)

const said = "GET /behind-the-glass HTTP/1.1\r\nHost: localhost\r\n\r\n"

// made makes a connection, in which the client says something; change is for its
// configuration, and during runs at the server before it reads.
func made(t *testing.T, version uint16, key devca.KeyType, change func(client, server *tls.Config), during func(*tls.Conn) error) *explain.Collector {
	t.Helper()
	ca, err := devca.New("localhost")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(devca.Leaf{Names: []string{"localhost"}, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	collector := new(explain.Collector)
	client := &tls.Config{ServerName: "localhost", RootCAs: ca.Pool(), MinVersion: version, MaxVersion: version, Trace: collector.Hooks()}
	server := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: version, MaxVersion: version}
	if change != nil {
		change(client, server)
	}
	near, far := net.Pipe()
	defer near.Close()
	ended, ready := make(chan error, 1), make(chan struct{})
	go func() {
		defer far.Close()
		conn := tls.Server(far, server)
		err := conn.Handshake()
		if err == nil && during != nil {
			err = during(conn)
		}
		close(ready)
		if err == nil {
			_, err = io.ReadAll(conn)
		}
		ended <- err
	}()
	conn := tls.Client(near, client)
	if err := conn.Handshake(); err != nil {
		t.Fatal(err, <-ended)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		io.Copy(io.Discard, conn)
	}()
	<-ready
	_, err = io.WriteString(conn, said)
	if err := errors.Join(err, conn.CloseWrite(), <-ended); err != nil {
		t.Fatal(err)
	}
	<-read
	return collector
}

func written(t *testing.T, o Options, all ...*explain.Connection) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, all, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

//lint:ignore SA1019 SSL 3.0 is one of them
var versions = map[string]uint16{"SSL 3.0": tls.VersionSSL30, "TLS 1.0": tls.VersionTLS10, "TLS 1.1": tls.VersionTLS11, "TLS 1.2": tls.VersionTLS12, "TLS 1.3": tls.VersionTLS13}

func older(client, server *tls.Config) {
	for _, c := range []*tls.Config{client, server} {
		c.Legacy.SSL30 = true
	}
}

// tshark opens what was said, in every version, with what is in the file alone; and without
// the secrets it does not.
func TestTsharkOpensIt(t *testing.T) {
	tshark := programs.Need(t, "tshark", "tshark")
	follow := func(t *testing.T, file []byte) string {
		name := filepath.Join(t.TempDir(), "x.pcapng")
		if err := os.WriteFile(name, file, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(tshark, "-r", name, "-q", "-z", "follow,tls,ascii,0", "-z", "expert,note").CombinedOutput()
		if err != nil {
			t.Fatal(err, string(out))
		}
		return string(out)
	}
	for name, version := range versions {
		t.Run(name, func(t *testing.T) {
			c := made(t, version, devca.RSA, older, nil).Connection(explain.About{})
			if out := follow(t, written(t, Options{Secrets: true}, c)); !strings.Contains(out, "ET /behind-the-glass HTTP/1.1") || strings.Contains(out, "Malformed") || strings.Contains(out, "checksum") {
				t.Errorf("%s", out)
			}
			if version != tls.VersionTLS12 {
				return // tshark takes its time
			}
			if out := follow(t, written(t, Options{}, c)); strings.Contains(out, "behind-the-glass") {
				t.Errorf("without secrets: %s", out)
			}
		})
	}
}

// The key log has a line for each secret that its format knows, and none for the master secret
// of TLS 1.3, which is no CLIENT_RANDOM.
func TestKeyLog(t *testing.T) {
	for name, version := range versions {
		var labels []string
		for line := range strings.Lines(string(keyLog(made(t, version, devca.RSA, older, nil).Connection(explain.About{})))) {
			label, _, _ := strings.Cut(line, " ")
			labels = append(labels, label)
		}
		want := []string{"CLIENT_RANDOM"}
		if version == tls.VersionTLS13 {
			want = []string{"CLIENT_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0", "EXPORTER_SECRET", "SERVER_HANDSHAKE_TRAFFIC_SECRET", "SERVER_TRAFFIC_SECRET_0"}
		}
		if slices.Sort(labels); !slices.Equal(labels, want) {
			t.Errorf("%s: %q", name, labels)
		}
	}
}

// gopacket reads each packet, with checksums that are right, and the records come out as
// they went in.
func TestPackets(t *testing.T) {
	first := made(t, tls.VersionTLS13, devca.ECDSA, nil, nil).Connection(explain.About{})
	second := made(t, tls.VersionTLS12, devca.ECDSA, nil, nil).Connection(explain.About{})
	r, err := pcapgo.NewNgReader(bytes.NewReader(written(t, Options{Secrets: true}, first, second)), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	if r.LinkType() != layers.LinkTypeEthernet || !strings.Contains(r.SectionInfo().Comment, "made up") {
		t.Errorf("%v, %+v", r.LinkType(), r.SectionInfo())
	}
	streams := map[string][]byte{}
	next := map[string]uint32{}
	var last time.Time
	for {
		data, ci, err := r.ReadPacketData()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		p := gopacket.NewPacket(data, layers.LayerTypeEthernet, gopacket.Default)
		ip, ok4 := p.NetworkLayer().(*layers.IPv4)
		tcp, ok := p.TransportLayer().(*layers.TCP)
		if !ok || !ok4 || p.ErrorLayer() != nil {
			t.Fatalf("%v", p)
		}
		if err := tcp.SetNetworkLayerForChecksum(ip); err != nil {
			t.Fatal(err)
		}
		if sum, err := tcp.ComputeChecksum(); err != nil || sum != 0 { // over the checksum too
			t.Errorf("checksum %x: %x, %v", tcp.Checksum, sum, err)
		}
		if ci.Timestamp.Before(first.Start().Truncate(time.Microsecond)) || ci.Timestamp.After(time.Now()) || !tcp.SYN && next[flow(tcp)] != tcp.Seq {
			t.Errorf("at %v after %v, sequence %d, want %d", ci.Timestamp, last, tcp.Seq, next[flow(tcp)])
		}
		streams[flow(tcp)] = append(streams[flow(tcp)], tcp.Payload...)
		next[flow(tcp)] = tcp.Seq + uint32(len(tcp.Payload))
		if tcp.SYN || tcp.FIN {
			next[flow(tcp)]++
		}
	}
	for i, c := range []*explain.Connection{first, second} {
		want := map[string][]byte{}
		for _, e := range c.Events {
			if e.Record != nil {
				want[e.Record.From] = append(want[e.Record.From], e.Record.Wire...)
			}
		}
		port := firstPort + i
		if !bytes.Equal(streams[fmt.Sprintf("%d>443", port)], want["client"]) || !bytes.Equal(streams[fmt.Sprintf("443>%d", port)], want["server"]) || len(want["client"]) == 0 {
			t.Errorf("connection %d: other bytes", i+1)
		}
	}
}

func flow(tcp *layers.TCP) string { return fmt.Sprintf("%d>%d", tcp.SrcPort, tcp.DstPort) }

// The secrets of each handshake in a connection are there, and none without Options.Secrets.
func TestSecrets(t *testing.T) {
	renegotiated := made(t, tls.VersionTLS12, devca.ECDSA, func(client, _ *tls.Config) { client.Renegotiation = tls.RenegotiateFreelyAsClient },
		func(c *tls.Conn) error { return c.Renegotiate(t.Context()) }).Connection(explain.About{})
	if log := string(keyLog(renegotiated)); strings.Count(log, "CLIENT_RANDOM ") != 2 {
		t.Errorf("%s", log)
	}
	newest := made(t, tls.VersionTLS13, devca.ECDSA, nil, nil).Connection(explain.About{})
	if log := string(keyLog(newest)); strings.Count(log, "\n") != 5 || strings.Contains(log, "CLIENT_RANDOM") || !strings.Contains(log, "\nSERVER_TRAFFIC_SECRET_0 ") {
		t.Errorf("%s", log)
	}
	secrets := binary.LittleEndian.AppendUint32(nil, secretsTLS)
	if bytes.Contains(written(t, Options{}, newest), secrets) || !bytes.Contains(written(t, Options{Secrets: true}, newest), secrets) {
		t.Error("the block of secrets is not where it was asked for")
	}
}

// Stand-ins are not written, and what cannot be written is an error.
func TestRefusals(t *testing.T) {
	c := made(t, tls.VersionTLS13, devca.ECDSA, nil, nil)
	var whole, shown bytes.Buffer
	if err := errors.Join(c.Save(tracefile.NewWriter(&whole, true), explain.About{}), redact.New().Copy(&shown, &whole)); err != nil {
		t.Fatal(err)
	}
	all, err := explain.Load(&shown, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(io.Discard, all, Options{}); !errors.Is(err, ErrRedacted) {
		t.Errorf("%v", err)
	}
	full := errors.New("the disk is full")
	if err := Write(failing{full}, []*explain.Connection{c.Connection(explain.About{})}, Options{}); !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
