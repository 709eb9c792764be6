package observe

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/witness"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// traced is an Observer that keeps traces in a folder, and a Config that it listens to.
func traced(t testing.TB, c config.Traces, log io.Writer) (*Observer, *tls.Config) {
	t.Helper()
	o := observer(t, config.Admin{}, config.Log{}, c, log)
	server := serverConfig()
	o.Trace(server)
	return o, server
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// A trace can be explained, and gives away neither names nor addresses.
func TestTracesAreKept(t *testing.T) {
	dir := t.TempDir()
	var log text
	o, server := traced(t, config.Traces{Sample: 1, Folder: dir}, &log)
	if h := shake(t, o.Hooks(), server, clientConfig()); h.Conn.Hooks().Record != nil {
		t.Error("a good connection is listened to after its handshake")
	}
	shake(t, o.Hooks(), server, nil)
	o.Close()
	kept := files(t, dir)
	if len(kept) != 2 {
		t.Fatalf("%q", kept)
	}
	complete, failed := 0, 0
	for _, name := range kept {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"private.example", "192.0.2.7", "70726976617465"} {
			if bytes.Contains(text, []byte(secret)) || strings.Contains(name, secret) {
				t.Errorf("%s gives %q away", name, secret)
			}
		}
		accounts, err := explain.Load(bytes.NewReader(text), 0)
		if err != nil || len(accounts) != 1 {
			t.Fatalf("%d accounts, %v", len(accounts), err)
		}
		if accounts[0].Summary.Complete {
			complete++
		} else if strings.Contains(accounts[0].Failure, "HTTP") {
			failed++
		}
	}
	if complete != 1 || failed != 1 {
		t.Errorf("%d complete, %d failed", complete, failed)
	}
	if got := value(t, o, "traces_kept_total", nil); got != 2 {
		t.Errorf("%v are counted", got)
	}
	if !strings.Contains(log.String(), `msg="trace of a handshake"`) || !strings.Contains(log.String(), "cause=") {
		t.Errorf("%s", log.String())
	}
}

// Which handshakes are kept is what the settings say, and a reload changes it.
func TestWhichTracesAreKept(t *testing.T) {
	for _, c := range []struct {
		traces     config.Traces
		good, fail int
	}{
		{config.Traces{Failures: true}, 0, 1}, {config.Traces{Sample: 1}, 1, 1}, {config.Traces{}, 0, 0},
	} {
		c.traces.Folder = t.TempDir()
		o, server := traced(t, config.Traces{Failures: true, Folder: c.traces.Folder}, io.Discard)
		if later := o.Configured(&config.Config{Traces: c.traces}); later != nil {
			t.Errorf("a restart is needed for %q", later)
		}
		shake(t, o.Hooks(), server, clientConfig())
		if o.sampler.count.Load() != 0 {
			t.Error("a handshake that has ended is listened to")
		}
		shake(t, o.Hooks(), server, nil)
		o.Close()
		if got := len(files(t, c.traces.Folder)); got != c.good+c.fail {
			t.Errorf("%+v keeps %d", c.traces, got)
		}
	}
}

// Without a sample a Config is left as it is.
func TestNothingIsTraced(t *testing.T) {
	_, server := traced(t, config.Traces{Folder: t.TempDir()}, io.Discard)
	if server.Trace != nil {
		t.Error("hooks are there that keep nothing")
	}
}

// A flood of handshakes that never end takes bounded room, and others are not traced.
func TestListeningIsBounded(t *testing.T) {
	o, server := traced(t, config.Traces{Failures: true, Folder: t.TempDir()}, io.Discard)
	listened := 0
	for range mostRunning + 10 {
		if server.Trace.Connection() != nil {
			listened++
		}
	}
	if listened != mostRunning || value(t, o, "traces_lost_total", nil) != 10 {
		t.Errorf("%d are listened to", listened)
	}
}

// A disk that hangs or is broken holds no connection up, and Close but for a short time.
func TestAFolderThatIsGone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	var log text
	o, server := traced(t, config.Traces{Sample: 1, Folder: dir}, &log)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	shake(t, o.Hooks(), server, clientConfig())
	shake(t, o.Hooks(), server, clientConfig())
	o.Close()
	if got := value(t, o, "traces_lost_total", nil); got != 2 {
		t.Errorf("%v are lost", got)
	}
	if n := strings.Count(log.String(), "a trace cannot be kept"); n != 2 || !strings.Contains(log.String(), "1 more like it") { // and once as the cause of that
		t.Errorf("it is said %d times: %s", n, log.String())
	}
}

func TestTheDiskIsNotWaitedFor(t *testing.T) {
	o, server := traced(t, config.Traces{Sample: 1, Folder: t.TempDir()}, io.Discard)
	o.Close() // nothing is written from now on
	for range witness.Waiting + 5 {
		near, far := net.Pipe()
		far.Close()
		conn := tls.Server(near, server)
		err := conn.Handshake()
		c, h := failedOn(conn, err)
		o.Hooks().Handshaken(c, h)
	}
	if got := value(t, o, "traces_lost_total", nil); got != 5 {
		t.Errorf("%v are lost", got)
	}
}

// What a client says as early data is not in a trace.
func TestDataIsNotTraced(t *testing.T) {
	o, server := traced(t, config.Traces{Sample: 1, Folder: t.TempDir()}, io.Discard)
	hooks := server.Trace.Connection()
	hooks.Record(trace.Record{Dir: trace.Received, Type: wire.ContentApplicationData, Wire: []byte{23, 3, 3, 0, 1, 9}, Plain: []byte("early and private")})
	found, _ := o.sampler.running.Load(hooks)
	account := found.(*sample).collector.Connection(explain.About{})
	if r := account.Events[0].Record; len(r.Plain) != 0 || len(r.Wire) == 0 {
		t.Errorf("%+v", r)
	}
}
