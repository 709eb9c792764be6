package nats

import (
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/session/internal/storetest"
)

// child has the test be the server.
const child = "VITRINE_NATS_SERVER"

func TestMain(m *testing.M) {
	if port := os.Getenv(child); port != "" {
		n, _ := strconv.Atoi(port)
		s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: n, JetStream: true, StoreDir: os.Getenv(child + "_FOLDER"), NoSigs: true})
		if err != nil {
			os.Exit(1)
		}
		s.Start()
		s.WaitForShutdown()
		return
	}
	leak.Main(m)
}

func start(t *testing.T) *storetest.Server {
	folder := t.TempDir()
	return storetest.Start(t, func(port string) *exec.Cmd {
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), child+"="+port, child+"_FOLDER="+folder)
		return c
	})
}

func open(t *testing.T, url string) *Store {
	t.Helper()
	s, err := Open(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestStore(t *testing.T) {
	storetest.Run(t, open(t, "nats://"+start(t).Addr+"/sessions"), 256<<10)
}

func TestTroubles(t *testing.T) {
	server := start(t)
	storetest.Troubles(t, open(t, "nats://"+server.Addr), server, []string{
		"HTTP/1.1 400 Bad Request\r\n\r\n", "INFO {}\r\nMSG a 1 99999999999\r\n", "INFO {\r\n", "MSG\r\n", "\r\n",
	})
}

func TestAddresses(t *testing.T) {
	for _, url := range []string{"", "nats://", "redis://h", "nats://h/a/b", "nats://h/a.b", "nats://h?x=1"} {
		if s, err := Open(url); err == nil {
			s.Close()
			t.Errorf("%q is taken", url)
		}
	}
}
